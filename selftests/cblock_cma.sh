#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm-arm64: --append 'cma=72M numa_cma=0:32M' --mem 768M --dts cma_test_areas.dts
# kmemlab-vm-arm: --append cma=64M@0x54000000 --mem 768M --dts cma_test_areas.dts
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# A region taken from CMA when the module loads, from the default area and from
# one of the device tree.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
[ "$(meminfo CmaTotal)" ] || skip_all "this kernel has no CMA"

taken_and_given_back()
{
	# more in sum than there is: each must have given back what it took
	turn=0
	while [ $turn -lt 4 ]; do
		cblock_unload || fail "does not unload"
		load cblock cma=default:24M || fail "turn $turn: refused: $(dmesg | tail -2)"
		turn=$((turn + 1))
	done
	same cma "$(region default source)" "source"
	same 25165824 "$(region default size)" "size"
	same yes "$(region default pages)" "pages"
	ok $cblock_dev "alloc 24M region=default name=all"
	ok $cblock_dev "clear all"
	ok $cblock_dev "free all"
	io zero default
	io map default
	cblock_unload || fail "does not unload"
}

refused_requests()
{
	declined "no such area" cma=nowhere:1M
	declined "no such run" cma=default:2G
	declined "not AREA:SIZE" cma=default
	declined "not AREA:SIZE" cma=default:0
	declined "not AREA:SIZE" cma=default:1Q
}

camera=/sys/firmware/devicetree/base/reserved-memory/camera@50000000

from_a_node()
{
	declined "no such area" cma=camera:8M
	declined "not AREA:SIZE" cma=@50000000:8M
	declined "not AREA:SIZE" cma=a-name-of-more-than-thirty-one-bytes@50000000:8M
	cblock_unload || fail "does not unload"
	load cblock cma=camera@50000000:8M || fail "refused: $(dmesg | tail -n 2)"
	same cma "$(region camera source)" "source"
	base=$(($(region camera base)))
	[ $base -ge $((0x50000000)) ] && [ $base -le $((0x51800000)) ] ||
		fail "at $(region camera base)"
	ok $cblock_dev "alloc 8M region=camera name=all"
	ok $cblock_dev "free all"
	cblock_unload || fail "does not unload"
}

set --
[ ! -d $camera ] || set -- "a region from a node's area:from_a_node"
run_cases "$@" \
	"a region from CMA, given back at unload:taken_and_given_back" \
	"what CMA does not have is refused:refused_requests"
