#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# The classic contract of /dev/cma_test: ten slots, echo allocates, cat frees.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

ten_slots_fill()
{
	cma_load
	area=$(default_area)
	[ "$area" ] || fail "no default area"
	mark_log
	slot=0
	while [ $slot -lt 10 ]; do
		ok $cma_dev 0
		same $(((slot + 1) * 1048576)) \
			$(($(alloc_field slot$slot pages) * $(page_size))) "size of slot $slot"
		same "$area" "$(alloc_field slot$slot area)" "area of slot $slot"
		same area "$(alloc_field slot$slot from)" "origin of slot $slot"
		slot=$((slot + 1))
	done
	same 10 "$(log_since | grep -c 'slot[0-9]: allocated [0-9]* KiB at 0x')" "log lines"
}

slots_lie_apart_and_inside()
{
	area=$(default_area)
	awk '!/^#/ && $1 ~ /^slot/ { sub("pfn=", "", $3); sub("pages=", "", $4); print $3, $4 }' \
		$cma_dir/allocations >/tmp/cma_slots
	base=$(($(area_field "$area" base)))
	end=$((base + $(area_field "$area" pages)))
	[ "$base" -gt 0 ] || fail "no base"
	while read -r pfn pages; do
		if [ $((pfn)) -lt $base ] || [ $((pfn + pages)) -gt $end ]; then
			fail "$pfn+$pages is outside $base-$end"
		fi
		while read -r other other_pages; do
			[ "$pfn" = "$other" ] || [ $((pfn + pages)) -le $((other)) ] ||
				[ $((other + other_pages)) -le $((pfn)) ] ||
				fail "$pfn+$pages and $other+$other_pages overlap"
		done </tmp/cma_slots
	done </tmp/cma_slots
	rm -f /tmp/cma_slots
}

eleventh_is_refused()
{
	mark_log
	refused 'No space left on device' $cma_dev 0
	log_since | grep -q 'all 10 slots are full' || fail "not in the log"
	same 10 "$(allocations)" "allocations after the refusal"
	grep -q 'all 10 slots are full' $cma_dir/verdict || fail "not in the verdict"
}

reads_free_the_lowest()
{
	mark_log
	slot=0
	while [ $slot -lt 10 ]; do
		text=$(cat $cma_dev)
		case $text in
		"slot $slot: freed $(((slot + 1) * 1024)) KiB at pfn 0x"*) ;;
		*) fail "reading slot $slot: '$text'" ;;
		esac
		slot=$((slot + 1))
	done
	same 0 "$(allocations)" "allocations at the end"
	same 10 "$(log_since | grep -c 'slot[0-9]: freed [0-9]* KiB at 0x')" "log lines"
	same '' "$(cat $cma_dev)" "a read with nothing to free"
}

lowest_empty_slot_is_filled()
{
	for i in 0 1 2; do ok $cma_dev $i; done
	cat $cma_dev >/dev/null
	ok $cma_dev ''
	[ "$(alloc_field slot0 pages)" ] || fail "slot 0 stays empty"
	ok $cma_dev 0x10
	[ "$(alloc_field slot3 pages)" ] || fail "slot 3 stays empty"
	ok $cma_dev 'free all'
	same 0 "$(allocations)" "allocations after free all"
}

one_byte_reader_frees_one()
{
	ok $cma_dev 0
	ok $cma_dev 0
	text=$("$here/cma_test_io" $cma_dev onebyte)
	case $text in
	'slot 0: freed 1024 KiB at pfn 0x'*) ;;
	*) fail "byte by byte: '$text'" ;;
	esac
	same 1 "$(allocations)" "allocations after one reader"
	same 'Bad address' "$("$here/cma_test_io" $cma_dev badread)" "reading to nowhere"
	same 1 "$(allocations)" "allocations after a read to nowhere"
	cat $cma_dev >/dev/null
}

# Other processes may borrow a page of the area, or give one back, meanwhile:
# the balance may fail some times before it counts as wrong.
cma_free_falls_and_returns()
{
	for try in 1 2 3 4 5 6 7 8 9 10; do
		cma_free_after
		before=$cma_free
		cma_free_after 'alloc 8M name=eight'
		during=$cma_free
		cma_free_after 'free eight'
		say "try $try: CmaFree $before KiB, $during KiB with 8192 KiB held, then $cma_free KiB"
		cma_undrain
		[ $((before - during)) -eq 8192 ] && [ "$cma_free" -eq "$before" ] && return 0
	done
	fail "CmaFree does not fall and rise by exactly the size"
}

unload_frees_everything()
{
	for try in 1 2 3 4 5 6 7 8 9 10; do
		cma_free_after
		before=$cma_free
		cma_undrain
		for i in 1 2 3; do ok $cma_dev 0; done
		ok $cma_dev 'alloc 4M name=left via=dma'
		ok $cma_dev 'alloc 3M'
		unload cma_test || fail "does not unload"
		cma_load
		cma_free_after
		after=$cma_free
		cma_undrain
		say "try $try: CmaFree $before KiB, after unloading $after KiB"
		[ "$after" -eq "$before" ] && return 0
	done
	fail "unloading does not free everything"
}

no_unload_while_open()
{
	exec 3<$cma_dev
	rmmod cma_test 2>/dev/null && fail "unloaded while open"
	exec 3<&-
	unload cma_test || fail "does not unload once closed"
	[ ! -e $cma_dev ] || fail "$cma_dev stays behind"
	[ ! -e $cma_dir ] || fail "$cma_dir stays behind"
}

run_cases \
	"ten slots of 1 to 10 MiB fill, with log lines:ten_slots_fill" \
	"the slots lie inside the area and apart:slots_lie_apart_and_inside" \
	"an eleventh is refused:eleventh_is_refused" \
	"a read frees the lowest and says what:reads_free_the_lowest" \
	"a number or an empty line fills the lowest empty slot:lowest_empty_slot_is_filled" \
	"a reader of single bytes frees one slot:one_byte_reader_frees_one" \
	"CmaFree falls by the size and comes back:cma_free_falls_and_returns" \
	"unloading frees everything:unload_frees_everything" \
	"no unloading while the device is open:no_unload_while_open"
