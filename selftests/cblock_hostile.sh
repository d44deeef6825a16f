#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# Bad treatment: random ioctls and text, descriptors closed under way, many
# processes at once, failing allocations. The regions are as before afterwards.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"

hostile()
{
	[ -x "$here/cblock_hostile" ] || fail "cblock_hostile is not built"
	hostile_said=$("$here/cblock_hostile" "$@" 2>&1) || fail "$1: $hostile_said"
	[ ! "$hostile_said" ] || say "$hostile_said"
}

# What a dead process held may take a moment.
all_free_soon()
{
	wait_for "! grep -q ^block $cblock_dev"
	all_free
}

random_ioctls()
{
	cblock_load
	hostile fuzz 5000 1
	all_free
}

random_text()
{
	cblock_load
	turn=0
	while [ $turn -lt 20 ]; do
		dd if=/dev/urandom of=$cblock_dev bs=$((turn * 13 + 1)) count=1 2>/dev/null
		turn=$((turn + 1))
	done
	# without a newline, in one byte, just fitting and just not
	printf 'alloc 4K name=a' >$cblock_dev || fail "no newline"
	for length in 240 241; do
		text=$(printf "alloc 4K %${length}s name=b" '')
		printf '%s\n' "$text" | dd of=$cblock_dev bs=512 2>/dev/null && long=$length
	done
	same 240 "$long" "the longest padding that is accepted"
	! printf a 2>/dev/null >$cblock_dev || fail "one byte is a command"
	ok $cblock_dev "free a"
	ok $cblock_dev "free b"
	all_free
}

closed_under_way()
{
	cblock_load
	hostile race 300 carved
	all_free_soon
}

many_processes()
{
	cblock_load
	hostile storm 64 60 carved
	all_free_soon
	same "$(region carved size)" "$(region carved largest)" "largest hole"
}

failing_allocations()
{
	for kind in failslab fail_page_alloc; do
		[ -d /sys/kernel/debug/$kind ] || continue
		echo N >/sys/kernel/debug/$kind/task-filter
		echo 0 >/sys/kernel/debug/$kind/verbose
		echo N >/sys/kernel/debug/$kind/ignore-gfp-wait
		echo N >/sys/kernel/debug/$kind/ignore-gfp-highmem 2>/dev/null
		echo 0 >/sys/kernel/debug/$kind/min-order 2>/dev/null
	done
	cblock_load
	load cblock_importer || fail "cblock_importer: $(dmesg | tail -1)"
	for name in $(region_names); do
		hostile fault 500 "$name" 0
		# a PC caches memory without pages in one way
		[ "$(region "$name" pages)" = yes ] || continue
		hostile fault 500 "$name" 1
		hostile fault 500 "$name" 2
	done
	unload cblock_importer || fail "cblock_importer does not unload"
	all_free_soon
}

set -- \
	"random ioctls:random_ioctls" \
	"random and odd text:random_text" \
	"descriptors closed under way:closed_under_way" \
	"64 processes for a minute, some of them killed:many_processes"
# only debug kernels inject faults
[ ! -e /proc/self/fail-nth ] ||
	set -- "$@" "every step of an allocation and an import fails:failing_allocations"
run_cases "$@"
