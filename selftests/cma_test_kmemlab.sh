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
	"$here/cma_test_json" </tmp/cma_json || fail "not valid: $(head -n 40 /tmp/cma_json)"
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

# Memory that programs and files use borrows the area, and moves when it must.
pressure_is_moved()
{
	area=$(default_area)
	mkdir -p /tmp/cma_files
	mount -t tmpfs -o size=100% none /tmp/cma_files || fail "no tmpfs"
	for kind in anon file; do
		# Half of what is held after that comes from inside; what is left
		# outside has to take it back.
		mib=$((($(meminfo MemFree) - 2 * $(meminfo CmaFree)) / 1024 + 24))
		"$kmemlab" pressure $kind $mib 60 /tmp/cma_files >/tmp/cma_said &
		pressure=$!
		for _ in $(seq 120); do
			[ -s /tmp/cma_said ] && break
			sleep 1
		done
		say "$(cat /tmp/cma_said)"
		borrowed=$(($(area_field "$area" borrowed) * $(page_size) / 1048576))
		[ $borrowed -ge 8 ] || fail "$kind: only $borrowed MiB of the area are borrowed"
		pages=$(area_field "$area" largest_fit)
		ok $cma_dev "fit $((pages * $(page_size)))"
		say "$(sed -n 2p $cma_dir/verdict)"
		grep -q '^fit: yes; .* borrowed=[1-9]' $cma_dir/verdict || fail "$(sed -n 2p $cma_dir/verdict)"
		# a page in somebody's hands is busy for a moment
		for _ in 1 2 3 4 5; do
			echo "alloc $((pages * $(page_size))) name=moved" >$cma_dev && break
		done 2>/dev/null
		same "$pages" "$(alloc_field moved pages)" "pages in place of what was borrowed ($(last_verdict))"
		ok $cma_dev 'free moved'
		kill $pressure
		wait $pressure
	done
	umount /tmp/cma_files
	rmdir /tmp/cma_files
	rm -f /tmp/cma_said
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
	"wrong use is refused:wrong_use_is_refused"
