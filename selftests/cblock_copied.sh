#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M swiotlb=force'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M swiotlb=force'
#
# A kernel that lets devices see nothing but copies, as in a guest whose memory
# is encrypted.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has swiotlb=force || skip_all "needs a kernel that copies for every device"
case $(uname -m) in arm*) skip_all "here no device sees memory without pages" ;; esac
copies || skip_all "this kernel copies nothing for devices"

copied_or_refused()
{
	cblock_load
	load cblock_importer || fail "cblock_importer: $(dmesg | tail -1)"
	for name in $(region_names); do
		helper "$here/cblock_import" copied "$name"
	done
	unload cblock_importer || fail "cblock_importer does not unload"
	all_free
}

run_cases \
	"a device gets a copy of a block with pages, and no other:copied_or_refused"
