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

# logged WHAT: the log's lines about it, as NAME KIB FIRST LAST AREA
logged()
{
	log_since | sed -n "s/.*cma_test: \([^ ]*\): $1 \([0-9]*\) KiB at \(0x[0-9a-f]*\)-\(0x[0-9a-f]*\) (area \(.*\))$/\1 \2 \3 \4 \5/p"
}

# log_agrees WHAT: they are about just the slots in /tmp/cma_slots (NAME PFN PAGES
# AREA), in that order
log_agrees()
{
	logged "$1" >/tmp/cma_log
	same "$(cut -d ' ' -f 1 /tmp/cma_slots)" "$(cut -d ' ' -f 1 /tmp/cma_log)" "what was $1, says the log"
	while read -r name pfn pages area; do
		read -r _ kib first last log_area <&3
		same $((pages * page_size / 1024)) "$kib" "KiB of $name, says the log"
		same $((pfn * page_size)) $((first)) "first byte of $name, says the log"
		same $(((pfn + pages) * page_size - 1)) $((last)) "last byte of $name, says the log"
		same "$area" "$log_area" "area of $name, says the log"
	done </tmp/cma_slots 3</tmp/cma_log
	rm -f /tmp/cma_log
}

# via AREA: the way that an allocation takes
via()
{
	case $(area_field "$1" route) in
	exports | resolved) echo cma ;;
	*) echo dma ;;
	esac
}

ten_slots_fill()
{
	cma_load
	area=$(default_area)
	[ "$area" ] || fail "no default area"
	writer=$(exec sh -c 'echo $PPID')
	mark_log
	slot=0
	while [ $slot -lt 10 ]; do
		ok $cma_dev 0
		same $(((slot + 1) * 1048576)) \
			$(($(alloc_field slot$slot pages) * page_size)) "size of slot $slot"
		same "$area" "$(alloc_field slot$slot area)" "area of slot $slot"
		same area "$(alloc_field slot$slot from)" "origin of slot $slot"
		same "$(via "$area")" "$(alloc_field slot$slot via)" "route of slot $slot"
		same "$writer sh" "$(alloc_field slot$slot pid) $(alloc_field slot$slot comm)" "who asked for slot $slot"
		slot=$((slot + 1))
	done
	read_slots
	log_agrees allocated
}

# read_slots: into /tmp/cma_slots
read_slots()
{
	awk '!/^#/ { for (i = 2; i <= 4; i++) sub(".*=", "", $i); print $1, $3, $4, $2 }' \
		$cma_dir/allocations >/tmp/cma_slots
	same 10 "$(wc -l </tmp/cma_slots)" "allocations"
}

slots_lie_apart_and_inside()
{
	area=$(default_area)
	read_slots
	base=$(($(area_field "$area" base)))
	end=$((base + $(area_field "$area" pages)))
	[ "$base" -gt 0 ] || fail "no base"
	while read -r _ pfn pages _; do
		if [ $((pfn)) -lt $base ] || [ $((pfn + pages)) -gt $end ]; then
			fail "$pfn+$pages is outside $base-$end"
		fi
		while read -r _ other other_pages _; do
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
	read_slots
	mark_log
	slot=0
	while [ $slot -lt 10 ]; do
		at="at pfn $(alloc_field slot$slot pfn) of area $(alloc_field slot$slot area)"
		same "slot $slot: freed $(((slot + 1) * 1024)) KiB $at" "$(cat $cma_dev)" "reading slot $slot"
		slot=$((slot + 1))
	done
	same 0 "$(allocations)" "allocations at the end"
	log_agrees freed
	rm -f /tmp/cma_slots
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

# pfn_is_multiple NAME BYTES
pfn_is_multiple()
{
	same 0 $(($(alloc_field "$1" pfn) % ($2 / page_size))) "pages of $1 beyond a multiple of $2 bytes"
}

# What is odd is allocated first, so that no size is aligned by chance.
alignment_is_kept()
{
	ok $cma_dev "alloc $page_size name=odd"
	ok $cma_dev 'alloc 192K align=1M name=one'
	ok $cma_dev "alloc $page_size name=odd2"
	ok $cma_dev 'alloc 64K align=8M name=eight'
	ok $cma_dev "alloc $((page_size + 1)) name=more"
	pfn_is_multiple one 1048576
	pfn_is_multiple eight 8388608
	same 2 "$(alloc_field more pages)" "pages for a page and a byte"
	same 1 "$(alloc_field odd pages)" "pages for a page"
	ok $cma_dev 'free all'
}

# via=cma where cma_alloc() can be called, via=dma everywhere.
via_is_obeyed()
{
	area=$(default_area)
	if [ "$(via "$area")" = cma ]; then
		ok $cma_dev 'alloc 1M name=one via=cma'
		same cma "$(alloc_field one via)" "route with via=cma"
	else
		refused 'Operation not supported' $cma_dev 'alloc 1M via=cma'
	fi
	ok $cma_dev 'alloc 1M name=two via=dma'
	same dma "$(alloc_field two via)" "route with via=dma"
	ok $cma_dev 'free all'
}

age_is_counted()
{
	read -r begun _ </proc/uptime
	ok $cma_dev 'alloc 64K name=young'
	sleep 2
	age=$(alloc_field young age)
	read -r end _ </proc/uptime
	case $age in
	*[!0-9s]* | s) fail "age: $age" ;;
	*s) ;;
	*) fail "age: $age" ;;
	esac
	if [ "${age%s}" -lt 1 ] || [ "${age%s}" -gt $((${end%.*} - ${begun%.*} + 1)) ]; then
		fail "$age old, between $begun and $end"
	fi
	ok $cma_dev 'free young'
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
	"alignment and size are as asked:alignment_is_kept" \
	"via= chooses the way:via_is_obeyed" \
	"an allocation's age is counted:age_is_counted" \
	"CmaFree falls by the size and comes back:cma_free_falls_and_returns" \
	"unloading frees everything:unload_frees_everything" \
	"no unloading while the device is open:no_unload_while_open"
