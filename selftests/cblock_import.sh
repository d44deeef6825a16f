#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M iommu=soft'
#
# A driver of the kernel's own captures frames into blocks, which it imports as
# dma-bufs: by the CPU (videobuf2-vmalloc) and as a device (videobuf2-dma-contig);
# a DRM driver imports one.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"

import() { helper "$here/cblock_import" "$@"; }

# Without struct pages nobody maintains caches for a device on ARM.
for_devices()
{
	[ "$(region "$1" pages)" = yes ] || [ "$(uname -m)" = x86_64 ]
}

# frames ALLOCATOR: into a block of each region that has room for the buffers
frames()
{
	cblock_load
	rmmod vivid 2>/dev/null
	modprobe vivid n_devs=1 node_types=1 "allocators=$1" || fail "no vivid"
	usleep 200000
	for name in $(region_names); do
		[ "$(region "$name" size)" -ge 8388608 ] || continue
		[ "$1" = 0 ] || for_devices "$name" || continue
		for cache in 0 1 2; do
			video_said=$("$here/cblock_video" /dev/video0 "$name" $cache 2>&1) ||
				fail "$name, cache mode $cache: $video_said"
			[ ! "$video_said" ] || say "$name, cache mode $cache: $video_said"
		done
	done
	rmmod vivid || fail "vivid does not unload"
	all_free
	cblock_unload || fail "does not unload"
}

by_the_cpu() { frames 0; }
as_a_device() { frames 1; }

by_an_incoherent_device()
{
	cblock_load
	load cblock_importer || fail "cblock_importer: $(dmesg | tail -1)"
	for name in $(region_names); do
		[ "$(region "$name" size)" -ge 4194304 ] || continue
		import device "$name"
	done
	unload cblock_importer || fail "cblock_importer does not unload"
	all_free
}

# Where the kernel can copy at all: else it warns of such a device. 32-bit ARM
# refuses before it comes to that.
by_a_limited_device()
{
	copies || [ "$(uname -m)" = armv7l ] ||
		skip "this kernel copies nothing for devices"
	cblock_load
	load cblock_importer || fail "cblock_importer: $(dmesg | tail -1)"
	for name in $(region_names); do
		[ "$(region "$name" pages)" = no ] || continue
		import limited "$name" 29
		imports=$((${imports:-0} + 1))
	done
	[ "${imports:-0}" -gt 0 ] || fail "no region to import from"
	unload cblock_importer || fail "cblock_importer does not unload"
	all_free
}

# vgem has no hardware, but imports as every driver with shmem helpers does.
by_drm()
{
	modprobe vgem 2>/dev/null || skip "this kernel has no vgem"
	card=$(find /sys/devices -path '*/vgem/drm/card[0-9]*' -name 'card*' | head -n 1)
	[ "$card" ] || fail "vgem has no card"
	cblock_load
	imports=0
	for name in $(region_names); do
		[ "$(region "$name" size)" -ge 8388608 ] && for_devices "$name" || continue
		import drm "$name" "/dev/dri/${card##*/}"
		imports=$((imports + 1))
	done
	[ $imports -gt 0 ] || fail "no region to import from"
	all_free
	cblock_unload || fail "does not unload"
	rmmod vgem || fail "vgem does not unload"
}

run_cases \
	"vivid captures into blocks by the CPU:by_the_cpu" \
	"vivid captures into blocks as a device does:as_a_device" \
	"caches are maintained for a device that is not coherent:by_an_incoherent_device" \
	"a device that cannot reach a block gets no copy of it:by_a_limited_device" \
	"a DRM driver imports a block and keeps it:by_drm"
