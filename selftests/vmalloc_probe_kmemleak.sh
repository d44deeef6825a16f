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
kmemleak=/sys/kernel/debug/kmemleak
if ! { echo scan >$kmemleak; } 2>/dev/null; then
	skip_all "kmemleak is not built in, or off"
fi

# Objects are reported from their second scan on, when they are 5 s old.
scan()
{
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
}

# Objects of this size that kmemleak calls unreferenced
reported() { grep -c "^unreferenced object 0x[0-9a-f]* (size $1)" $kmemleak; }

dropped_is_seen_held_is_not()
{
	vp_load
	page=$(page_size)
	# sizes that nobody else is likely to have
	ok $vp_dev "alloc $((37 * page)) name=held"
	ok $vp_dev "alloc $((41 * page)) name=dropped unreferenced"
	scan
	same 0 "$(reported $((37 * page)))" "reports of the held one"
	same 1 "$(reported $((41 * page)))" "reports of the dropped one"
}

size_is_the_real_one()
{
	# 41 pages and one, which is not part of the object
	same 0 "$(reported $((42 * $(page_size))))" "reports with the guard page"
}

freed_is_gone()
{
	ok $vp_dev "free held"
	ok $vp_dev "free dropped"
	same 0 "$(reported $((41 * $(page_size))))" "reports after free"
}

module_leaks_nothing()
{
	ok $vp_dev "alloc 1M name=a"
	ok $vp_dev "fill 64K count=100 name=b"
	ok $vp_dev check
	ok $vp_dev "storm 50"
	ok $vp_dev "free all"
	echo clear >$kmemleak
	cat $vp_dev $vp_dir/areas >/dev/null
	unload vmalloc_probe || return 1
	scan
	! grep -A 30 '^unreferenced' $kmemleak | grep 'vmalloc_probe' || fail "see above"
}

run_cases \
	"the dropped one is seen, the held one is not:dropped_is_seen_held_is_not" \
	"the guard page is no part of it:size_is_the_real_one" \
	"what was freed is gone:freed_is_gone" \
	"the module leaks nothing:module_leaks_nothing"
