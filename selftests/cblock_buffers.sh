#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# Buffers: ioctls, mappings, dma-heaps, zeroing, O_DIRECT, lifetimes; the
# in-kernel API.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs regions"

# kinds: a region with struct pages and one without, as this machine has them
kinds()
{
	for kind in yes no; do
		for kind_name in $(region_names); do
			[ "$(region "$kind_name" pages)" = $kind ] &&
				[ "$(region "$kind_name" size)" -ge 16000000 ] || continue
			echo "$kind_name"
			break
		done
	done
}

ioctls()
{
	cblock_load
	helper "$here/cblock_abi" abi
	all_free
}

# The same from a program of 32 bits where the kernel has 64.
ioctls_of_32_bits()
{
	cblock_io=${cblock_io}32
	cblock_load
	helper "$here/cblock_abi32" abi
	for name in $(kinds); do
		io zero "$name"
		io map "$name"
		io heap "/dev/dma_heap/cblock-$name"
	done
	all_free
}

zeroed()
{
	cblock_load
	for name in $(kinds); do
		io zero "$name"
	done
	all_free
}

heaps()
{
	cblock_load
	for name in $(kinds); do
		same "crw-------" "$(ls -l "/dev/dma_heap/cblock-$name" | cut -c1-10)" "mode"
		io heap "/dev/dma_heap/cblock-$name"
	done
	all_free
	for file in $cblock_dev "/dev/dma_heap/cblock-$name"; do
		exec 3<"$file"
		! rmmod cblock 2>/dev/null || fail "unloads while $file is open"
		exec 3<&-
	done
	cblock_unload || fail "does not unload"
	same "" "$(find /dev/dma_heap -name 'cblock*' 2>/dev/null)" "heaps after unloading"
}

mappings()
{
	cblock_load
	for name in $(kinds); do
		io map "$name"
	done
	all_free
}

# Of 2 MiB, wherever that is a unit of mappings, unless there is no such room.
aligned_by_default()
{
	cblock_load
	for block in one:1M gap:16M rest:47M; do
		ok $cblock_dev "alloc ${block#*:} region=carved name=${block%:*}"
	done
	ok $cblock_dev "free gap"
	io faults carved
	same 0 "$(region carved failed)" "failed allocations"
	ok $cblock_dev "free rest"
	ok $cblock_dev "free one"
	all_free
}

# 16 MiB, touched page by page
faults()
{
	cblock_load
	unit=$((64 * $(getconf_page)))
	! maps_2_mib || unit=2097152
	for name in $(kinds); do
		io faults "$name"
		say "$name: $io_said page faults for 16 MiB"
		# the first 64 pages take seven; the program may meet one or two
		[ "$io_said" -le $((16777216 / unit + 8)) ] ||
			fail "$name: $io_said page faults, not $((16777216 / unit))"
	done
	all_free
}

# by_device TEST: TEST reads a file through a loop device into a block
by_device()
{
	modprobe loop 2>/dev/null
	dd if=/dev/urandom of=/tmp/direct bs=1M count=2 2>/dev/null
	losetup /dev/loop0 /tmp/direct || fail "no loop device"
	trap 'losetup -d /dev/loop0; rm /tmp/direct' EXIT
	cblock_load
	for name in $(kinds); do
		io "$1" "$name" /dev/loop0
		[ ! "$io_said" ] || say "$name: $io_said"
	done
	# a reference that I/O held goes a moment after it
	wait_for '! grep -q ^block $cblock_dev' || fail "a block stays"
	all_free
}

direct_io() { by_device direct; }

io_uring()
{
	"$cblock_io" has-uring || skip "this kernel has no io_uring"
	by_device uring
}

pinned()
{
	cblock_load
	for name in $(kinds); do
		io pinned "$name"
	done
	wait_for '! grep -q ^block $cblock_dev' || fail "a block stays"
	all_free
}

killed()
{
	cblock_load
	name=$(kinds | head -1)
	turn=0
	while [ $turn -lt 3 ]; do
		rm -f /tmp/held
		"$cblock_io" hold 8388608 "$name" >/tmp/held &
		pid=$!
		wait_for "grep -q held /tmp/held" || fail "it does not hold"
		same 1 "$(region "$name" blocks)" "blocks while it lives"
		grep -q 'owner=cblock_io' $cblock_dev || fail "the report does not name it"
		! rmmod cblock 2>/dev/null || fail "unloads while a buffer lives"
		kill -9 $pid
		wait $pid 2>/dev/null
		wait_for "[ \"\$(region $name blocks)\" = 0 ]" || fail "its block stays"
		turn=$((turn + 1))
	done
	all_free
	cblock_unload || fail "does not unload"
}

cleaned_ahead()
{
	cblock_load
	wait_for "! grep -v ' dirty=0 ' $cblock_dev | grep -q '^region'" ||
		fail "the background does not clean: $(cat $cblock_dev)"
	same 19 "$(awk '$2 == "(cblock_clean)" { print $19 }' /proc/[0-9]*/stat 2>/dev/null)" \
		"niceness of what cleans"
	cblock_load clean=0
	sleep 1
	for name in $(region_names); do
		same "$(region "$name" size)" "$(region "$name" dirty)" "dirty bytes with clean=0"
	done
	name=$(kinds | head -1)
	io zero "$name"
	cblock_load
	io behind "$name"
}

a_driver()
{
	cblock_load
	for name in $(kinds); do
		load cblock_client "region=$name" || fail "cblock_client: $(dmesg | tail -3)"
		same 3 "$(region "$name" blocks)" "blocks of the client"
		grep -q 'caller=use_blocks.*cblock_client' $cblock_dev || fail "no caller"
		! rmmod cblock 2>/dev/null || fail "unloads under a client"
		unload cblock_client || fail "the client does not unload"
	done
	all_free
	# what it does at each load holds without a region too, as on a PC here
	cblock_unload
	load cblock || fail "cblock does not load"
	load cblock_client rounds=0 || fail "cblock_client: $(dmesg | tail -3)"
	unload cblock_client
}

set --
# it takes CONFIG_COMPAT, which kernels of larger pages lack
[ "$(uname -m)" != aarch64 ] || [ "$(getconf_page)" != 4096 ] ||
	set -- "ioctls of programs of 32 bits:ioctls_of_32_bits"
run_cases "$@" \
	"ioctls, right and wrong:ioctls" \
	"memory is zero through every cache mode:zeroed" \
	"regions are dma-heaps:heaps" \
	"mappings: fork, mremap, munmap, mprotect, bounds:mappings" \
	"an alignment that nobody asked for is no reason to fail:aligned_by_default" \
	"a fault maps 2 MiB, or else up to 64 pages:faults" \
	"O_DIRECT into a block with pages:direct_io" \
	"io_uring into a block with pages:io_uring" \
	"what somebody still references is not freed:pinned" \
	"what a killed process held is free:killed" \
	"free memory is cleaned in the background:cleaned_ahead" \
	"a driver in process, softirq and hardirq context:a_driver"
