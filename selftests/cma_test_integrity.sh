#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm-arm64: --append cma=16M --mem 512M
# kmemlab-vm-arm: --append cma=16M --mem 256M --smp 1
# kmemlab-vm-x86_64: --append cma=16M --mem 512M --smp 1
#
# CMA-6: pages that borrowed a CMA area keep their contents when they have to
# move. Ten times memory with known contents fills the area, the whole of it is
# allocated and freed while that memory is read, and no word may differ.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load

# tune SYSCTL VALUE: until this case ends; where the kernel has it
tune()
{
	[ -e /proc/sys/vm/"$1" ] || return 0
	read -r was </proc/sys/vm/"$1"
	untune="$untune; echo $was >/proc/sys/vm/$1"
	echo "$2" >/proc/sys/vm/"$1"
}

# begin_reading: cma_test_memory, which obeys `tell` and answers in $answer
begin_reading()
{
	untune=:
	trap 'eval "$untune"' EXIT
	# what is freed is to be free for all, not for the CPU's next allocation
	tune percpu_pagelist_high_fraction 1000000
	tune percpu_pagelist_fraction 1000000
	# little is left free outside: the kernel need not have more
	tune min_free_kbytes 4096
	tune watermark_boost_factor 0
	mkfifo /tmp/cma_orders /tmp/cma_answers
	"$here/cma_test_memory" /tmp </tmp/cma_orders >/tmp/cma_answers &
	reader=$!
	exec 4>/tmp/cma_orders 5</tmp/cma_answers
	rm -f /tmp/cma_orders /tmp/cma_answers
}

tell()
{
	echo "$1" >&4
	read -r answer <&5 || fail "the reader died"
}

# end_reading: its last words in $answer; returns what it exited with
end_reading()
{
	exec 4>&-
	read -r answer <&5
	wait "$reader"
}

moved_pages_keep_their_contents()
{
	files=$(meminfo Shmem) processes=$(meminfo AnonPages)
	begin_reading
	area=$(default_area)
	all=$(area_field "$area" pages)
	pages=$(area_field "$area" largest_fit)
	[ $((pages + $(area_field "$area" allocated))) -ge $((all * 7 / 8)) ] ||
		fail "only $pages of $all pages can be had"
	moved=0 tries=0
	for round in 1 2 3 4 5 6 7 8 9 10; do
		tell fill
		borrowed=$(area_field "$area" borrowed)
		[ "$borrowed" -ge $((pages * 7 / 8)) ] ||
			fail "round $round: only $borrowed of $pages pages are borrowed ($answer)"
		for kind in Shmem:$files AnonPages:$processes; do
			[ $(($(meminfo "${kind%:*}") - ${kind#*:})) -ge $((pages * page_size * 3 / 8192)) ] ||
				fail "round $round: too little is ${kind%:*}"
		done
		free=$(area_field "$area" largest_free)
		[ "$free" -le $((all / 4)) ] || fail "round $round: a run of $free pages is free"
		# a page under a reader's hands is busy at times: that is CMA-7
		until echo "alloc $((pages * page_size)) name=whole" >$cma_dev; do
			tries=$((tries + 1))
			[ $tries -le 30 ] || fail "round $round: the whole area cannot be had: $(last_verdict)"
		done 2>/dev/null
		same 0 "$(area_field "$area" borrowed)" "round $round: pages borrowed from what is allocated"
		ok $cma_dev 'free whole'
		moved=$((moved + borrowed))
	done
	end_reading || fail "contents differ: $answer"
	# older kernels do not say when they begin to move pages
	parts_seen=0
	[ ! -e /sys/kernel/tracing/events/migrate/mm_migrate_pages_start ] || parts_seen=1
	awk -v parts_seen=$parts_seen '/ op=alloc / {
			for (i = 4; i <= NF; i++) {
				split($i, pair, "=")
				value[pair[1]] = pair[2]
			}
			parts = value["search_ns"] + value["migrate_ns"] + value["other_ns"]
			off = parts / value["count"] - value["mean_ns"]
			if ((value["search_ns"] > 0) == parts_seen &&
			    (value["migrate_ns"] > 0) == parts_seen && off >= 0 && off <= 1)
				right = 1
			succeeded += value["count"] - value["failed"]
		}
		END { exit !right || succeeded != 10 }' $cma_dir/latency || fail "the time to move, or not ten allocations: $(cat $cma_dir/latency)"
	say "10 allocations of $pages pages, $tries more tries, $moved pages moved; $answer"
}

# The process's own word on where a page lies, and what the verdict says of it. A pipe
# holds it, as a driver does that reads or writes it.
a_page_in_use_is_named()
{
	begin_reading
	area=$(default_area)
	pages=$(area_field "$area" largest_fit)
	ok $cma_dev "fit $((pages * page_size))"
	{ read -r _; read -r _ _ _ first _; } <$cma_dir/verdict
	first=$((${first#pfn=}))
	tell fill
	tell "hold $first $((first + pages))"
	say "$answer"
	# shellcheck disable=SC2086 # words
	set -- $answer
	same held "$1" "a page in the area"
	# one that is on its way elsewhere may be in the way first
	for _ in 1 2 3 4 5; do
		refused 'Device or resource busy' $cma_dev "alloc $((pages * page_size))"
		last_verdict | grep -q "^page .* pfn=$2 " && break
	done
	last_verdict | grep "^page .* pfn=$2 " >/tmp/cma_page
	same "$3" "$(sed 's/.* kind=\([a-z]*\) .*/\1/' /tmp/cma_page)" "what it is"
	grep -q ' flags=.*uptodate' /tmp/cma_page || fail "its flags: $(cat /tmp/cma_page)"
	read -r _ _ _ _ refs maps _ </tmp/cma_page
	rm -f /tmp/cma_page
	same maps=1 "$maps" "how often it is mapped"
	refs=${refs#refs=}
	# the mapping's, the pipe's and the page cache's; and of what it waits in
	[ "$3" = file ] && users=3 || users=2
	[ "$refs" = "$users" ] || same $((users + 1)) "$refs" "references"
	same pinned "$(verdict_field class)" "the class ($(last_verdict))"
	last_verdict | grep -q "^advice .*the user of this $3 page release it ($refs references, 1 mappings)" ||
		fail "$(last_verdict)"
	tell release
	for _ in $(seq 30); do
		echo "alloc $((pages * page_size)) name=whole" >$cma_dev && break
	done 2>/dev/null
	same "$pages" "$(alloc_field whole pages)" "pages, once it is released ($(last_verdict))"
	ok $cma_dev 'free whole'
	end_reading || fail "contents differ: $answer"
}

# The reader would have seen a single bit.
one_bit_is_seen()
{
	begin_reading
	tell spoil
	! end_reading || fail "a changed bit was not seen: $answer"
	case $answer in
	*', 0 words differ' | '') fail "a changed bit was not seen: $answer" ;;
	esac
	say "$answer"
}

run_cases \
	"moved pages keep their contents:moved_pages_keep_their_contents" \
	"a page in use is named:a_page_in_use_is_named" \
	"one changed bit is seen:one_bit_is_seen"
