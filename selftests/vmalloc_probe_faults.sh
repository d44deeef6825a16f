#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# VM-6: whatever allocation fails on the way, NULL comes out and nothing stays
# behind. Every step is made to fail in turn, on a kernel with fault injection.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/faults.sh
. "$here/faults.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

need_faults

# nothing_left COMMAND NAME: every step of it fails; refused or not, nothing may be
# left but what was named
nothing_left()
{
	every_step write $vp_dev "$1" "free $2"
	[ "$refused" -gt 2 ] || fail "only $refused refusals"
	same 0 "$(allocations)" "allocations afterwards"
	no_own_areas
}

alloc_fails_at_every_step()
{
	vp_load
	nothing_left "alloc 40K name=a" a
}

nested_array_fails_at_every_step()
{
	nothing_left "alloc $((($(page_size) / 8 + 1) * $(page_size))) name=n" n
}

fill_fails_at_every_step()
{
	nothing_left "fill 4K count=2 name=f" f
}

# What keeps a filling's areas asks once more where one allocation fails, so all
# of its fail.
area_cannot_be_kept()
{
	fails=/sys/kernel/debug/failslab
	echo 1 >/sys/kernel/slab/radix_tree_node/failslab || fail "no failures of one kind"
	echo Y >$fails/cache-filter
	echo Y >$fails/task-filter
	echo 100 >$fails/probability
	echo -1 >$fails/times
	(echo 1 >/proc/self/make-it-fail && put $vp_dev "fill 4K count=2 name=k") 2>/dev/null &&
		kept=yes || kept=no
	echo 0 >$fails/probability
	echo N >$fails/task-filter
	echo N >$fails/cache-filter
	echo 0 >/sys/kernel/slab/radix_tree_node/failslab
	same no "$kept" "a filling that cannot be kept"
	grep -q 'fewer than 2 areas' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	no_own_areas
}

# Where one thread cannot be made the others end.
storm_fails_at_every_step()
{
	every_step write $vp_dev "storm 1 case=fix_size"
	same 0 "$(threads)" "threads that are left"
	no_own_areas
}

report_fails_at_every_step()
{
	every_step read $vp_dev
	every_step read $vp_dir/areas
	[ "$(field range used)" ] || fail "no report afterwards"
}

loading_fails()
{
	every_load vmalloc_probe
	vp_load
}

unloads() { unload vmalloc_probe; }

run_cases \
	"alloc, every step:alloc_fails_at_every_step" \
	"alloc with a nested array:nested_array_fails_at_every_step" \
	"fill, every step:fill_fails_at_every_step" \
	"an area that cannot be kept:area_cannot_be_kept" \
	"storm, every step:storm_fails_at_every_step" \
	"reports:report_fails_at_every_step" \
	"loading:loading_fails" \
	"unloads:unloads"
