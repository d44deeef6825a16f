#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# Regions from the device tree: fixed and dynamic, with and without pages, by
# compatible and by memory-region; and nodes that must be refused.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
[ -d /proc/device-tree/reserved-memory/bare@60000000 ] ||
	skip_all "needs the device tree of cblock.dts"

# with nothing but the device tree
load_plain()
{
	cblock_unload
	load cblock || fail "cblock does not load"
}

is_region()
{
	same device-tree "$(region "$1" source)" "source of $1"
	same "$2" "$(region "$1" size)" "size of $1"
	same "$3" "$(region "$1" pages)" "pages of $1"
	[ ! "$4" ] || same "$4" "$(($(region "$1" base)))" "base of $1"
}

fixed_regions()
{
	load_plain
	is_region bare 67108864 no $((0x60000000))
	is_region paged 33554432 yes $((0x64000000))
}

dynamic_regions()
{
	load_plain
	is_region dynamic 16777216 yes
	base=$(($(region dynamic base)))
	[ $((base % 0x200000)) = 0 ] || fail "dynamic is not aligned"
	{ [ $base -ge $((0x50000000)) ] && [ $base -lt $((0x60000000)) ]; } ||
		fail "dynamic is outside alloc-ranges: $base"
	is_region dynamic-bare 4194304 no
}

memory_region_of_a_device()
{
	load_plain
	is_region held 8388608 no $((0x68000000))
	same 1 "$(grep -c 'name=bare ' $cblock_dev)" "regions named bare"
}

# Twice: what is refused is left as it was.
bad_nodes_are_refused()
{
	for turn in first second; do
		cblock_unload
		mark_log
		load_plain
		same "bare dynamic dynamic-bare held paged " \
			"$(region_names | sort | tr '\n' ' ')" "the regions"
		log_since | sed -n 's/.* cblock: //p' >/tmp/refused
		for reason in "region lent: .* is reusable" \
			"region dynamic: the name is taken" \
			"region beyond: nothing says that there is unused memory" \
			"region above: overlaps region paged" \
			"region driven: .* is taken by a driver" \
			"'no name' is not a name"; do
			grep -q "$reason" /tmp/refused ||
				fail "not in the log of the $turn load: $reason"
		done
		# what is disabled is no mistake, nor is a node that two name
		same 6 "$(grep -vc ' KiB from ' /tmp/refused)" "refusals"
	done
	rm /tmp/refused
}

memory_is_claimed_and_given_back()
{
	load_plain
	grep -q '60000000-63ffffff : cblock' /proc/iomem || fail "bare is not claimed"
	cblock_unload || fail "does not unload"
	! grep -q ': cblock' /proc/iomem || fail "still claimed after unloading"
}

all_of_it_can_be_allocated()
{
	load_plain
	for name in $(region_names); do
		ok $cblock_dev "alloc $(region "$name" size) region=$name name=$name"
		same 0 "$(region "$name" free)" "free bytes of $name"
		ok $cblock_dev "clear $name"
		ok $cblock_dev "free $name"
	done
	all_free
}

# Reboots would show it otherwise: nothing but cblock's own ranges changes.
the_system_keeps_its_memory()
{
	cblock_unload
	before=$(meminfo MemTotal)
	load_plain
	same "$before" "$(meminfo MemTotal)" MemTotal
	# two thirds of what is free, written and read
	mkdir -p /tmp/fill && mount -t tmpfs none /tmp/fill
	amount=$(($(meminfo MemFree) / 1024 * 2 / 3))
	dd if=/dev/zero of=/tmp/fill/file bs=1M count=$amount 2>/dev/null
	sum=$(tr -d '\000' </tmp/fill/file | wc -c)
	umount /tmp/fill
	same 0 "$sum" "bytes of a file of zeroes that are not zero"
}

run_cases \
	"fixed nodes are regions, with and without pages:fixed_regions" \
	"dynamic nodes are regions, where alloc-ranges says:dynamic_regions" \
	"memory-region of a device is a region, once:memory_region_of_a_device" \
	"reusable, driven, disabled, doubled, overlapping and absent memory is refused:bad_nodes_are_refused" \
	"memory without pages is claimed, and given back:memory_is_claimed_and_given_back" \
	"every byte of every region can be allocated:all_of_it_can_be_allocated" \
	"the system's own memory is untouched:the_system_keeps_its_memory"
