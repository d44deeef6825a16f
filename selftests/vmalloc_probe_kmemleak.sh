#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# VM-8: kmemleak reports a vmalloc object whose owner dropped it, and does not
# report one that is held. Needs a kernel with kmemleak.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
have_kmemleak || skip_all "kmemleak is not built in, or off"

# Objects of this size that kmemleak calls unreferenced
reported() { grep -c "^unreferenced object 0x[0-9a-f]* (size $1)" $kmemleak; }

# Pages of each of the dropped ones: sizes that nobody else is likely to have.
dropped="41 43 47 53 59 61 67 71"

# count_reported EXTRA: in $count, how many of the dropped ones are reported, with
# so many pages more
count_reported()
{
	count=0
	for pages in $dropped; do
		[ "$(reported $(((pages + $1) * $(page_size))))" = 0 ] || count=$((count + 1))
	done
}

# What an earlier call left on a task's stack looks like a reference for as long as
# nobody writes there. So each is dropped by a task that ends, and of several one
# is seen soon: interrupts have stacks, too.
dropped_is_seen_held_is_not()
{
	vp_load
	for pages in $dropped; do
		(ok $vp_dev "alloc $((pages * $(page_size))) name=d$pages unreferenced") || exit
	done
	ok $vp_dev "alloc $((37 * $(page_size))) name=held"
	for _ in 1 2 3 4 5; do
		scan_for_leaks
		count_reported 0
		[ $count = 0 ] || break
		find /sys/kernel -name none
	done
	say "$count of 8 dropped ones are reported"
	[ $count -gt 0 ] || fail "kmemleak sees none of the dropped ones"
	same 0 "$(reported $((37 * $(page_size))))" "reports of the held one"
}

size_is_the_real_one()
{
	count_reported 1
	same 0 $count "reports with the guard page"
}

freed_is_gone()
{
	ok $vp_dev "free held"
	for pages in $dropped; do
		ok $vp_dev "free d$pages"
	done
	count_reported 0
	same 0 $count "reports after free"
}

module_leaks_nothing()
{
	ok $vp_dev "alloc 1M name=a"
	ok $vp_dev "fill 64K count=100 name=b"
	ok $vp_dev check
	ok $vp_dev "storm 50"
	ok $vp_dev "free all"
	cat $vp_dev $vp_dir/areas >/dev/null
	unload vmalloc_probe || return 1
	nothing_lost vmalloc_probe
}

run_cases \
	"the dropped one is seen, the held one is not:dropped_is_seen_held_is_not" \
	"the guard page is no part of it:size_is_the_real_one" \
	"what was freed is gone:freed_is_gone" \
	"the module leaks nothing:module_leaks_nothing"
