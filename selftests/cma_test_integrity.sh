#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# CMA-6: pages that borrowed a CMA area keep their contents when they have to
# move. Ten times memory with known contents borrows a third of the area, the whole of
# it is allocated and freed while that memory is read, and no byte may differ.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load

# tune SYSCTL VALUE: until this script ends; where the kernel has it
tune()
{
	[ -e /proc/sys/vm/"$1" ] || return 0
	read -r was </proc/sys/vm/"$1"
	untune="$untune; echo $was >/proc/sys/vm/$1"
	echo "$2" >/proc/sys/vm/"$1"
}

moved_pages_keep_their_contents()
{
	untune=:
	trap 'eval "$untune"' EXIT
	# what is freed is to be free for all, not for the CPU's next allocation
	tune percpu_pagelist_high_fraction 1000000
	tune percpu_pagelist_fraction 1000000
	# little is left free outside: the kernel need not have more
	tune min_free_kbytes 4096
	tune watermark_boost_factor 0
	area=$(default_area)
	all=$(area_field "$area" pages)
	mkfifo /tmp/cma_orders /tmp/cma_answers
	"$here/cma_test_memory" /tmp </tmp/cma_orders >/tmp/cma_answers &
	reader=$!
	exec 4>/tmp/cma_orders 5</tmp/cma_answers
	rm -f /tmp/cma_orders /tmp/cma_answers
	pages=0 moved=0 tries=0
	for round in 1 2 3 4 5 6 7 8 9 10; do
		echo more >&4
		read -r answer <&5 || fail "round $round: the reader died"
		borrowed=$(area_field "$area" borrowed)
		[ "$borrowed" -gt $((all / 4)) ] ||
			fail "round $round: only $borrowed of $all pages are borrowed ($answer)"
		[ $pages -gt 0 ] || pages=$(area_field "$area" largest_fit)
		# a page under a reader's hands is busy at times: that is CMA-7
		until echo "alloc $((pages * page_size)) name=whole" >$cma_dev; do
			tries=$((tries + 1))
			[ $tries -le 30 ] || fail "round $round: the whole area cannot be had: $(last_verdict)"
		done 2>/dev/null
		ok $cma_dev 'free whole'
		moved=$((moved + borrowed))
	done
	[ $pages -gt $((all * 9 / 10)) ] || fail "only $pages of $all pages could be had"
	exec 4>&-
	read -r answer <&5
	wait $reader || fail "contents differ: $answer"
	say "10 allocations of $pages pages, $tries more tries, $moved pages moved; $answer"
}

run_cases "moved pages keep their contents:moved_pages_keep_their_contents"
