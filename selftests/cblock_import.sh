#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# A driver of the kernel's own captures frames into blocks, which it imports as
# dma-bufs: by the CPU (videobuf2-vmalloc) and as a device (videobuf2-dma-contig).

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"

# frames ALLOCATOR: into a block of each region that has room for the buffers
frames()
{
	cblock_load
	rmmod vivid 2>/dev/null
	modprobe vivid n_devs=1 node_types=1 "allocators=$1" || fail "no vivid"
	usleep 200000
	for name in $(region_names); do
		[ "$(region "$name" size)" -ge 8388608 ] || continue
		# without struct pages nobody maintains caches for a device on ARM
		[ "$1" = 0 ] || [ "$(region "$name" pages)" = yes ] ||
			[ "$(uname -m)" = x86_64 ] || continue
		video_said=$("$here/cblock_video" /dev/video0 "$name" 2>&1) ||
			fail "$name: $video_said"
		say "$name: $video_said"
	done
	rmmod vivid || fail "vivid does not unload"
	all_free
	cblock_unload || fail "does not unload"
}

by_the_cpu() { frames 0; }
as_a_device() { frames 1; }

run_cases \
	"vivid captures into blocks by the CPU:by_the_cpu" \
	"vivid captures into blocks as a device does:as_a_device"
