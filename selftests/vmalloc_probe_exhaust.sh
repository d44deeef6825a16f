#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# 32 bits: the range is filled until vmalloc fails, the report says who holds it
# and what the largest hole is, and all is given back.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

vp_load
case $(field range size) in
?????????????*)
	refused 'Invalid argument' $vp_dev "fill 1M"
	unload vmalloc_probe
	skip_all "a range of $(meminfo VmallocTotal) KiB cannot be filled" ;;
esac

# What does not fit in 32 bits is not what remains of it there.
beyond_the_range()
{
	refused 'Cannot allocate memory' $vp_dev "fill 0x100001000 count=1"
	grep -q '4294971392 bytes; the whole range has' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	refused 'Cannot allocate memory' $vp_dev "alloc 0x100001000"
	refused 'Cannot allocate memory' $vp_dev "alloc 4K align=4G"
	refused 'Numerical result out of range' $vp_dev "fill 4K count=0x100000001"
	refused 'Cannot allocate memory' $vp_dev "fill 1M count=1000"
	grep -q 'fewer than 1000 areas of 1048576 bytes' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	same 0 "$(own_areas)" "areas of a filling that was refused"
	same 0 "$(allocations)" allocations
}

# With room for processes, and for small allocations only.
failures_are_counted()
{
	ok $vp_dev "alloc 256K name=room"
	ok $vp_dev "fill 1M name=most"
	ok $vp_dev "fill 64K name=rest"
	ok $vp_dev "free room"
	for case in random_size align; do
		ok $vp_dev "storm 100 case=$case"
		say "$(cat $vp_dir/storm)"
		grep -q ' failures=[1-9][0-9]* corrupt=0 ' $vp_dir/storm || fail "nothing failed"
		awk '{ split($4, all, "="); split($5, failed, "="); exit failed[2] >= all[2] }' $vp_dir/storm ||
			fail "everything failed"
	done
	ok $vp_dev "free all"
	no_own_areas
}

filled_until_it_fails()
{
	ok $vp_dev "fill 1M name=filling"
	hole=$(field range largest_hole)
	say "$(allocation filling areas) areas of 1 MiB; largest hole $hole"
	[ "$hole" -lt $((1048576 + $(page_size))) ] || fail "a hole of $hole is left"
	refused 'Cannot allocate memory' $vp_dev "alloc 1M name=onemore"
	grep -q 'no memory, or no hole' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	[ "$(meminfo MemAvailable)" -gt 65536 ] || fail "it was memory that ran out"
	# nor is there one more for another filling, whose name then stays free
	refused 'Cannot allocate memory' $vp_dev "fill 1M name=another"
	grep -q 'fewer than 1 areas of 1048576 bytes' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	same 1 "$(allocations)" allocations
}

report_names_the_hole()
{
	# exactly: what is just too large fails, what just fits does not
	page=$(page_size)
	hole=$(field range largest_hole)
	[ "$hole" -gt "$page" ] || skip "no hole above a page"
	refused 'Cannot allocate memory' $vp_dev "alloc $hole name=toolarge"
	tries=0
	until { put $vp_dev "alloc $((hole - page)) name=fits"; } 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 5 ] || fail "$((hole - page)) bytes and a guard do not fit in $hole"
		hole=$(field range largest_hole)
	done
	ok $vp_dev "free fits"
}

report_names_the_holder()
{
	top=$(awk '$1 == "caller" { print; exit }' $vp_dev)
	case $top in
	*'[vmalloc_probe]') say "$top" ;;
	*) fail "top caller: $top" ;;
	esac
	bytes=$(echo "$top" | tr ' ' '\n' | sed -n 's/^bytes=//p')
	[ "$bytes" -gt $(($(field range size) / 2)) ] || fail "$bytes of $(field range size)"
	sh "$here/../scripts/kmemlab" vmalloc | grep -q '^nearly full: .*\[vmalloc_probe\] (' ||
		fail "kmemlab does not say so: $(sh "$here/../scripts/kmemlab" vmalloc | sed -n 2p)"
}

all_is_given_back()
{
	ok $vp_dev "free filling"
	same 0 "$(own_areas)" "areas of this module"
	ok $vp_dev "alloc 64M name=large"
	ok $vp_dev "free large"
	unload vmalloc_probe
}

run_cases \
	"beyond the range:beyond_the_range" \
	"failures of a storm are counted:failures_are_counted" \
	"filled until it fails:filled_until_it_fails" \
	"the report names the largest hole:report_names_the_hole" \
	"the report names the holder:report_names_the_holder" \
	"all is given back:all_is_given_back"
