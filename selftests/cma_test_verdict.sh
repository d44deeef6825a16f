#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# The failure laboratory: every class of failure is produced on purpose, and the
# verdict must name it.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

tracing=/sys/kernel/tracing
full='Cannot allocate memory'
busy='Device or resource busy'

# fill_area SIZE-IN-MIB PREFIX: aligned blocks until no more fit
fill_area()
{
	filled=0
	while echo "alloc ${1}M align=${1}M name=$2$filled" >$cma_dev; do
		filled=$((filled + 1))
		[ $filled -lt 200 ] || fail "the area never fills"
	done 2>/dev/null
	[ $filled -gt 2 ] || fail "only $filled blocks fit"
}

# more_by MIB: the advice says how to have an area that is so much larger
more_by()
{
	want=$(last_verdict | sed -n 's/^advice .* cma=\([0-9]*\)M.*/\1/p')
	[ "$want" ] || want=$(($(last_verdict |
		sed -n 's/^advice .*reserved-memory node [^ ]* \(0x[0-9a-f]*\) bytes.*/\1/p') / 1048576))
	[ "$want" -ge $(($(default_kib) / 1024 + $1)) ] || fail "$want MiB are not enough: $(last_verdict)"
}

exhausted()
{
	cma_load
	can_pin
	ok $cma_dev 'alloc 4M name=most'
	fill_area 1 e
	kib=$(verdict_field allocated_kib)
	[ "$kib" -ge $((filled * 1024)) ] || fail "allocated_kib=$kib with $filled MiB held"
	judged exhausted 'alloc 32M' "$full"
	same cma_test "$(verdict_field by)" "who asked"
	same 32768 "$(verdict_field kib)" "KiB asked for"
	last_verdict | grep -q '^advice .*sh\[[0-9]*\] holds 4096 KiB; ' ||
		fail "the advice does not name who holds most: $(last_verdict)"
	more_by 32
	ok $cma_dev 'free all'
	ok $cma_dev 'alloc 32M name=again'
	ok $cma_dev 'free again'
}

# Every second MiB is held; two in a row are asked for, which are there in sum.
fragmented()
{
	fill_area 1 f
	i=0
	while [ $i -lt $filled ]; do
		ok $cma_dev "free f$i"
		i=$((i + 2))
	done
	judged fragmented 'alloc 2M' "$full"
	kib=$(verdict_field largest_kib)
	[ $((kib / 1024)) = 1 ] || fail "the largest piece has $kib KiB"
	[ "$(verdict_field free_kib)" -ge 8192 ] || fail "not enough is free"
	last_verdict | grep -q "^advice .*no more than $kib KiB are in one piece: .*; the largest holder is sh\[[0-9]*\]\$" ||
		fail "$(last_verdict)"
	fit=$(area_field "$(default_area)" largest_fit)
	free=$(area_field "$(default_area)" largest_free)
	[ "$free" -gt $((fit / 4)) ] || fail "of $fit pages that fit $free are free"
	[ "$free" -le "$fit" ] || fail "more are free than fit: $free of $fit"
	ok $cma_dev 'alloc 1M align=1M name=one'
	ok $cma_dev 'free all'
}

# Every place of that alignment is taken; without alignment there is room.
too_much_alignment()
{
	taken=0
	while echo "alloc 1M align=16M name=at$taken" >$cma_dev; do
		taken=$((taken + 1))
		[ $taken -lt 10 ] || fail "too many places are aligned to 16 MiB"
	done 2>/dev/null
	judged fragmented 'alloc 1M align=16M' "$full"
	same 16384 "$(verdict_field align_kib)" "KiB of alignment"
	last_verdict | grep -q '^advice .*without any it would fit' ||
		fail "$(last_verdict)"
	ok $cma_dev 'free all'
}

# pin_in_the_way: a page is pinned amid the area's largest piece, of $pages pages
pin_in_the_way()
{
	area=$(default_area)
	pages=$(area_field "$area" largest_fit)
	half=$((pages / 2))
	ok $cma_dev "alloc $((half * page_size)) name=before"
	ok $cma_dev "pin $page_size"
	ok $cma_dev 'free before'
	same 1 "$(grep -c '^area=' $cma_dir/pins)" "pinned pages"
	pin=$(sed -n 's/.* pfn=\(0x[0-9a-f]*\) .*/\1/p' $cma_dir/pins)
	[ "$(area_field "$area" largest_fit)" -lt "$pages" ] ||
		fail "the pinned page lies elsewhere"
}

pinned()
{
	pin_in_the_way
	same 1 "$(area_field "$area" pinned)" "pinned pages of the area"
	awk -v a="$area" '$1 == a && $4 == "pinned" { n += $3 } END { exit n != 1 }' \
		$cma_dir/map || fail "the map does not show the pin"
	mark_log
	judged pinned "alloc $((pages * page_size))" "$busy"
	last_verdict | grep -q "^page .* pfn=$pin kind=lab-pin refs=1 " ||
		fail "the verdict does not name $pin: $(last_verdict)"
	same $((page_size / 1024)) "$(verdict_field pinned_kib)" "KiB that are pinned"
	last_verdict | grep -q '^advice .*unpin' || fail "the advice does not say unpin"
	same $(($(area_field "$area" pages) * page_size / 1024)) $(($(verdict_field free_kib) +
		$(verdict_field borrowed_kib) + $(verdict_field allocated_kib) +
		$(verdict_field pinned_kib))) "KiB in sum"
	attempts=$(verdict_field attempts)
	[ "$attempts" -gt 0 ] || fail "no attempt was seen"
	events=$tracing/events/cma
	[ -d $events ] || fail "no $events"
	if [ -e $events/cma_alloc_busy_retry ]; then
		same "$attempts" "$(verdict_field retries)" "retries"
	else
		same 0 "$(verdict_field retries)" "retries that nothing shows"
	fi
	if grep -qs errorno $events/cma_alloc_finish/format; then
		same -16 "$(verdict_field errno)" "the kernel's errno"
	else
		same - "$(verdict_field errno)" "an errno that nothing shows"
	fi
	same no "$(verdict_field parallel)" "whether others were there"
	if [ -e /sys/kernel/debug/page_owner ]; then
		same log "$(verdict_field page_owner)" "where page_owner speaks"
		log_since | grep -q 'page last allocated via order 0' ||
			fail "page_owner is on, and says nothing in the log"
	else
		same - "$(verdict_field page_owner)" "where page_owner speaks"
	fi
	ok $cma_dev unpin
	same 0 "$(grep -c '^area=' $cma_dir/pins)" "pinned pages after unpin"
	refused 'No such file or directory' $cma_dev unpin
}

the_pin_goes_and_it_works()
{
	pin_in_the_way
	refused "$busy" $cma_dev "alloc $((pages * page_size))"
	ok $cma_dev unpin
	ok $cma_dev "alloc $((pages * page_size)) name=now"
	ok $cma_dev 'free now'
}

one_pin_costs_a_range_only()
{
	ok $cma_dev 'pin 64K'
	same $((65536 / page_size)) "$(area_field "$(default_area)" pinned)" "pinned pages of the area"
	same 0 "$(grep -c ' comm=sh ' $cma_dir/owners)" "allocations that the pinned pages were"
	ok $cma_dev 'alloc 8M name=beside'
	ok $cma_dev 'free beside'
	ok $cma_dev unpin
}

misconfigured()
{
	kib=$(default_kib)
	judged misconfigured "alloc $((kib + 1024))K" "$full"
	more_by 1
	judged misconfigured 'alloc 1M align=128M' 'Numerical result out of range'
	last_verdict | grep -q "^advice .*the whole area has $kib KiB" || fail "$(last_verdict)"
	more_by 128
	refused 'No such file or directory' $cma_dev 'alloc 1M area=wrong'
}

# loses KIB: so much cannot be had; what can is given back
loses()
{
	echo "alloc ${1}K name=mine" >$cma_dev || return 0
	ok $cma_dev 'free mine'
	return 1
}

# One process tries nearly the whole area at every page, a thousand times in vain,
# as a page in the middle is pinned. What it tries is taken from all others, and
# nobody holds it: whoever wants a quarter meanwhile has lost a race.
racing()
{
	can_pin
	kib=$(default_kib)
	ok $cma_dev "alloc $((kib / 2))K name=before"
	ok $cma_dev "pin $page_size"
	ok $cma_dev 'free before'
	while :; do
		echo "alloc $((kib - 4096))K align=$page_size" >$cma_dev
	done 2>/dev/null &
	rival=$!
	trap 'kill -9 $rival 2>/dev/null' EXIT
	wait_for "loses $((kib / 4))" 2>/dev/null
	kill -9 $rival
	wait $rival 2>/dev/null
	lost=$(grep "^verdict .* kib=$((kib / 4)) " $cma_dir/verdict)
	say "$lost"
	case $lost in
	*' class=racing '*' fits=yes attempts=0 retries=0 parallel=yes '*) ;;
	*) fail "not one lost race" ;;
	esac
	lost=${lost#verdict }
	grep -q "^advice ${lost%% *} others were .* there: try again" $cma_dir/verdict ||
		fail "$(cat $cma_dir/verdict)"
	ok $cma_dev unpin
	ok $cma_dev "alloc $((kib / 4))K name=alone"
	ok $cma_dev 'free alone'
	same 0 "$(allocations)" "allocations"
}

# Killed again and again, somewhere between the command and its end.
interrupted()
{
	for round in 1 2 3 4 5 6 7 8 9 10; do
		"$here/cma_test_io" $cma_dev kill 30 || fail "the killing went wrong"
		ok $cma_dev 'free all'
		grep -q ' class=interrupted ' $cma_dir/verdict && break
	done
	say "$(grep -c ' class=interrupted ' $cma_dir/verdict) after $((round * 30)) kills"
	id=$(sed -n 's/^verdict id=\([0-9]*\) .* comm=cma_test_io .* class=interrupted .*/\1/p' \
		$cma_dir/verdict | tail -n 1)
	[ "$id" ] || fail "no allocation was interrupted"
	grep -q "^advice id=$id a signal ended it" $cma_dir/verdict || fail "no advice"
}

thirty_two_are_kept()
{
	more=$(($(default_kib) + 1024))K
	before=$(verdict_id)
	i=0
	while [ $i -lt 40 ]; do
		echo "alloc $more" >$cma_dev
		i=$((i + 1))
	done 2>/dev/null
	last=$(verdict_id)
	same $((before + 40)) "$last" "the newest one"
	same "$(seq $((last - 31)) "$last")" \
		"$(sed -n 's/^verdict id=\([0-9]*\) .*/\1/p' $cma_dir/verdict)" "verdicts"
}

# isolated 1|0: trace what alloc_contig_range() tries, or no more
isolated()
{
	echo "$1" >$tracing/events/page_isolation/test_pages_isolated/enable
	: >$tracing/trace
}

isolations() { grep -c test_pages_isolated: $tracing/trace; }

fit_answers_and_changes_nothing()
{
	area=$(default_area)
	# others borrow and give back meanwhile
	for _ in 1 2 3 4 5; do
		pages=$(area_field "$area" largest_fit)
		ok $cma_dev "fit $((pages * page_size))"
		smaller=$(cat $cma_dir/verdict)
		ok $cma_dev "fit $(((pages + 1) * page_size))"
		larger=$(cat $cma_dir/verdict)
		case $smaller$larger in
		'fit: yes; '*'fit: no; '*) break ;;
		esac
		sleep 1
	done
	echo "$smaller" | grep -q "^fit: yes; area=$area pfn=0x[0-9a-f]* pages=$pages " ||
		fail "what is free does not fit"
	echo "$larger" | grep -q '^fit: no; ' || fail "more than is free fits"
	ok $cma_dev 'fit 1E'
	grep -q '^fit: no; the whole area' $cma_dir/verdict || fail "an exabyte fits"
	isolated 1
	ok $cma_dev 'fit 2M align=4M'
	same 0 "$(isolations)" "attempts to isolate pages"
	pfn=$(sed -n 's/^fit: yes; .* pfn=\(0x[0-9a-f]*\) .*/\1/p' $cma_dir/verdict)
	ok $cma_dev 'alloc 2M align=4M name=there'
	same "$pfn" "$(alloc_field there pfn)" "where it was said to fit"
	[ "$(isolations)" -gt 0 ] || fail "attempts to isolate pages do not show"
	isolated 0
	ok $cma_dev 'free there'
	refused 'Invalid argument' $cma_dev 'fit 1M align=3K'
	refused 'Invalid argument' $cma_dev 'pin 64K align=64K'
	same 0 "$(allocations)" "allocations"
}

unload_lets_go_of_pins()
{
	cma_free_after
	before=$cma_free
	cma_undrain
	ok $cma_dev 'pin 1M'
	unload cma_test || fail "does not unload"
	cma_load
	cma_free_after
	cma_undrain
	missing=$((before - cma_free))
	[ ${missing#-} -lt 512 ] || fail "$missing KiB are missing"
}

run_cases \
	"exhausted:exhausted" \
	"fragmented, every second MiB held:fragmented" \
	"fragmented for an alignment:too_much_alignment" \
	"pinned, the page named exactly:pinned" \
	"the pin goes away and the retry succeeds:the_pin_goes_and_it_works" \
	"one pinned page costs a range only:one_pin_costs_a_range_only" \
	"misconfigured, size and alignment beyond the area:misconfigured" \
	"racing, parallel allocators:racing" \
	"interrupted by a signal:interrupted" \
	"the last 32 verdicts are kept:thirty_two_are_kept" \
	"fit answers without allocating:fit_answers_and_changes_nothing" \
	"unloading lets go of pins:unload_lets_go_of_pins"
