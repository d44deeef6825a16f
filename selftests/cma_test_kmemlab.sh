#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# scripts/kmemlab cma: what it says to people, and to programs.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load
if command -v kmemlab >/dev/null; then
	kmemlab=kmemlab
else
	kmemlab=$here/../scripts/kmemlab
	[ -x "$kmemlab" ] || skip_all "scripts/kmemlab is not here"
fi

for_people()
{
	ok $cma_dev 'alloc 3M name=three'
	mib=$(($(default_kib) / 1024))
	echo "alloc $((mib + 1))M" >$cma_dev 2>/dev/null
	"$kmemlab" cma map >/tmp/cma_said || fail "exit status $?"
	grep -q "^area $(default_area) (default): ${mib}M, free " /tmp/cma_said || fail "$(cat /tmp/cma_said)"
	grep -q '^ *3M  sh\[[0-9]*\], ' /tmp/cma_said || fail "no owner: $(cat /tmp/cma_said)"
	grep -q "asked area .* for $((mib + 1))M, .*: misconfigured" /tmp/cma_said || fail "no verdict: $(cat /tmp/cma_said)"
	grep -q 'advice: .*the whole area has' /tmp/cma_said || fail "no advice: $(cat /tmp/cma_said)"
	grep -q 'records were lost' /tmp/cma_said && fail "says that records were lost: $(cat /tmp/cma_said)"
	grep -q 'AAAAAA' /tmp/cma_said || fail "no picture: $(cat /tmp/cma_said)"
	grep -q 'a character: [0-9]*K; ' /tmp/cma_said || fail "no legend: $(cat /tmp/cma_said)"
	rm -f /tmp/cma_said
}

# A parser of our own: a target has none, and it must be read to the last brace.
for_programs()
{
	"$kmemlab" cma --json >/tmp/cma_json || fail "exit status $?"
	"$here/json_valid" </tmp/cma_json || fail "not valid: $(head -n 40 /tmp/cma_json)"
	grep -q '"class": "misconfigured"' /tmp/cma_json || fail "no verdict in it"
	grep -q '"area": "'"$(default_area)"'"' /tmp/cma_json || fail "no area in it"
	rm -f /tmp/cma_json
	ok $cma_dev 'free three'
}

as_svg()
{
	"$kmemlab" cma --svg /tmp/cma_svg >/dev/null || fail "exit status $?"
	head -n 1 /tmp/cma_svg | grep -q '^<svg ' || fail "$(head -n 3 /tmp/cma_svg)"
	tail -n 1 /tmp/cma_svg | grep -q '^</svg>$' || fail "no end"
	rm -f /tmp/cma_svg
}

# outside: KiB that are free, and not in CMA
outside() { echo $(($(meminfo MemFree) - $(meminfo CmaFree))); }

# press KIND: hold memory, a little more each time, until an eighth of the area
# is borrowed. The kernel begins to when less is free outside than inside. What
# lies inside has to fit outside later: a third of the area's size stays free.
press()
{
	want=$(($(area_field "$area" pages) / 8))
	spare=$((area_kib / 3))
	mib=$((($(outside) - area_kib * 3 / 4) / 1024))
	while :; do
		[ $mib -ge 8 ] || mib=8
		[ $(($(outside) - mib * 1024)) -ge $spare ] ||
			fail "$1: only $borrowed pages of the area are borrowed, and no more memory is to spare"
		: >/tmp/cma_said
		"$kmemlab" pressure "$1" $mib 120 /tmp/cma_files >/tmp/cma_said &
		pressures="$pressures $!"
		until [ -s /tmp/cma_said ]; do
			kill -0 $! || fail "$1: $mib MiB are not held"
			sleep 1
		done
		say "$(cat /tmp/cma_said)"
		borrowed=$(area_field "$area" borrowed)
		[ "$borrowed" -lt $want ] || return 0
		mib=8
	done
}

# shellcheck disable=SC2086 # a list
release_pressure()
{
	[ -z "$pressures" ] || kill $pressures
	[ -z "$pressures" ] || wait $pressures
	pressures=''
}

# Memory that programs and files use borrows the area, and moves when it must.
pressure_is_moved()
{
	area=$(default_area)
	area_kib=$(default_kib)
	pressures=''
	mkdir -p /tmp/cma_files
	mount -t tmpfs -o size=100% none /tmp/cma_files || fail "no tmpfs"
	mkfifo /tmp/cma_hold
	# most of the memory is filled with what needs no time
	"$here/cma_test_memory" outside $((area_kib * 5 / 4)) </tmp/cma_hold >/tmp/cma_said &
	exec 4>/tmp/cma_hold
	trap 'exec 4>&-; release_pressure; umount /tmp/cma_files; rmdir /tmp/cma_files; rm -f /tmp/cma_said /tmp/cma_hold' EXIT
	until [ -s /tmp/cma_said ]; do sleep 1; done
	say "$(cat /tmp/cma_said)"
	for kind in anon file; do
		press $kind
		pages=$(area_field "$area" largest_fit)
		ok $cma_dev "fit $((pages * page_size))"
		say "$(sed -n 2p $cma_dir/verdict)"
		grep -q '^fit: yes; .* borrowed=[1-9]' $cma_dir/verdict || fail "$(sed -n 2p $cma_dir/verdict)"
		# a page in somebody's hands is busy for a moment
		for _ in 1 2 3 4 5; do
			echo "alloc $((pages * page_size)) name=moved" >$cma_dev && break
		done 2>/dev/null
		same "$pages" "$(alloc_field moved pages)" "pages in place of what was borrowed ($(last_verdict))"
		ok $cma_dev 'free moved'
		release_pressure
	done
}

# More at once than there is room for: whoever waits for CMA's lock is under way.
what_is_lost_is_counted()
{
	ok $cma_dev reset
	for round in 1 2 3 4 5 6 7 8 9 10; do
		"$here/cma_test_io" $cma_dev herd 100 || fail "somebody was treated wrongly"
		ok $cma_dev 'free all'
		lost=$(sed -n '1s/^# owners lost=//p' $cma_dir/owners)
		[ "$lost" = 0 ] || break
	done
	say "$lost of $((round * 100)) are lost"
	[ "$lost" -gt 0 ] || fail "a hundred allocations at once are all followed"
	"$kmemlab" cma | grep -q "^$lost records were lost$" || fail "kmemlab cma does not say so"
	"$kmemlab" cma --json | grep -q "\"lost\": $lost," || fail "kmemlab cma --json does not say so"
	ok $cma_dev reset
	same '# owners lost=0' "$(head -n 1 $cma_dir/owners)" "what is lost after reset"
}

wrong_use_is_refused()
{
	"$kmemlab" pressure nonsense 5 2>/dev/null && fail "nonsense is pressed"
	"$kmemlab" pressure anon 999999999 2>/dev/null && fail "more than all memory is pressed"
	"$kmemlab" cma nonsense 2>/dev/null && fail "nonsense is taken"
	unload cma_test || fail "does not unload"
	"$kmemlab" cma 2>/tmp/cma_said && fail "works without the module"
	grep -q 'is cma_test loaded' /tmp/cma_said || fail "$(cat /tmp/cma_said)"
	rm -f /tmp/cma_said
}

run_cases \
	"areas, owners, verdict and a picture:for_people" \
	"valid JSON:for_programs" \
	"a picture as SVG:as_svg" \
	"pressure borrows the area and moves away:pressure_is_moved" \
	"what is lost is counted and shown:what_is_lost_is_counted" \
	"wrong use is refused:wrong_use_is_refused"
