#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# kmemlab cblock says what the report says: as text, bars, JSON and SVG.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"
kmemlab=$here/../scripts/kmemlab
[ -r "$kmemlab" ] || skip_all "no scripts/kmemlab here"

kmemlab() { sh "$kmemlab" "$@"; }

two_blocks()
{
	cblock_load
	ok $cblock_dev "alloc 16M name=frames region=carved"
	ok $cblock_dev "alloc 8M name=gone region=carved"
	ok $cblock_dev "alloc 8M name=thumbs region=carved"
	ok $cblock_dev "free gone"
}

text()
{
	two_blocks
	kmemlab cblock >/tmp/text || fail "status $?"
	while read -r line; do say "$line"; done </tmp/text
	grep -q '^carved: 64M from range, 40M free in 2 holes, the largest 32M' /tmp/text ||
		fail "no line for the region"
	# a quarter named, an eighth free, an eighth named, the rest free
	grep -q '^  N\{16\}\.\{8\}N\{8\}\.\{32\}$' /tmp/text || fail "no such bar"
	grep -q '^nothing is wrong$' /tmp/text || fail "no verdict"
	same "frames thumbs " \
		"$(awk '$7 == "carved" { printf "%s ", $6 }' /tmp/text)" "blocks by size"
	refused 'Cannot allocate memory' $cblock_dev 'alloc 33M region=carved'
	kmemlab cblock | grep -q '^region carved had no room 1 times; last: alloc' ||
		fail "a failure is not told"
	same 16 "$(kmemlab cblock map | sed -n '/^carved/,/a character/p' | grep -c '^  [.N]\{64\}$')" \
		"rows of a map"
}

json()
{
	two_blocks
	kmemlab cblock --json >/tmp/json || fail "status $?"
	same 1 "$(wc -l </tmp/json)" lines
	"$here/json_valid" </tmp/json || fail "not valid: $(cat /tmp/json)"
	grep -q '"name":"carved","source":"range","size":67108864,"free":41943040,"largest":33554432,"holes":2,"failed":0,"dirty":[0-9]*,"pages":false,"blocks":\[{"name":"frames","offset":0,"size":16777216,"age":[0-9]*,"pid":[0-9]*,"owner":"sh","caller":"verb_alloc+' /tmp/json ||
		fail "no region: $(cat /tmp/json)"
	grep -q '{"name":"thumbs","offset":25165824,"size":8388608,' /tmp/json || fail "no block"
}

# what is no text command's has no name: programs and drivers
who_holds_what()
{
	cblock_load
	rm -f /tmp/held
	"$cblock_io" hold 16777216 carved >/tmp/held &
	pid=$!
	trap 'kill -9 $pid 2>/dev/null' EXIT
	wait_for "grep -q held /tmp/held" || fail "it does not hold"
	load cblock_client region=carved rounds=1 || fail "cblock_client: $(dmesg | tail -3)"
	kmemlab cblock >/tmp/text
	kmemlab cblock --json >/tmp/json
	unload cblock_client
	kill -9 $pid
	wait $pid 2>/dev/null
	grep -q '^  b\{16\}\.\{48\}$' /tmp/text || fail "no such bar: $(cat /tmp/text)"
	grep -q 'b buffer  d driver' /tmp/text || fail "no such legend: $(cat /tmp/text)"
	same "16M $pid cblock_io -" "$(awk '$5 == "cblock_io" { print $1, $4, $5, $6 }' /tmp/text)" \
		"what the program holds"
	same 3 "$(grep -c '^ *64K .* carved .*use_blocks+' /tmp/text)" "what the driver holds"
	grep -q '{"name":null,"offset":0,"size":16777216,' /tmp/json || fail "no buffer: $(cat /tmp/json)"
}

what_is_wrong()
{
	cblock_load
	ok $cblock_dev "alloc 60M region=carved"
	refused 'Cannot allocate memory' $cblock_dev 'alloc 8M region=carved'
	kmemlab cblock | grep -q '^region carved had no room 1 times: it is nearly full$' ||
		fail "not full: $(kmemlab cblock)"
	cblock_load
	for turn in 1 2 3 4 5 6 7 8; do
		ok $cblock_dev "alloc 8M region=carved name=n$turn"
	done
	for turn in 1 3 5 7; do
		ok $cblock_dev "free n$turn"
	done
	refused 'Cannot allocate memory' $cblock_dev 'alloc 9M region=carved'
	kmemlab cblock | grep -q '^region carved had no room 1 times: it is fragmented, no hole is larger than 8M$' ||
		fail "not fragmented: $(kmemlab cblock)"
	# the last block ends where the region does: no hole is behind it
	kmemlab cblock | grep -q '^carved: 64M from range, 32M free in 4 holes, the largest 8M' ||
		fail "not 4 holes: $(kmemlab cblock)"
	# without memory that is set aside; a device tree always has some here
	[ ! -d /proc/device-tree/reserved-memory ] || return 0
	cblock_unload
	load cblock
	kmemlab cblock | grep -q '^there is no region: set memory aside' ||
		fail "no region is missed: $(kmemlab cblock)"
}

svg()
{
	two_blocks
	kmemlab cblock --svg /tmp/svg >/dev/null || fail "status $?"
	head -n 1 /tmp/svg | grep -q '^<svg xmlns=' || fail "does not start as SVG"
	same '</svg>' "$(tail -n 1 /tmp/svg)" "last line"
	grep -q '<title>carved thumbs 8M sh</title>' /tmp/svg || fail "no block"
}

mistakes()
{
	for arguments in 'cblock what' 'cblock --svg'; do
		# shellcheck disable=SC2086 # words
		! kmemlab $arguments >/dev/null 2>&1 || fail "'kmemlab $arguments' succeeds"
	done
	cblock_unload || fail "does not unload"
	! said=$(kmemlab cblock 2>&1) || fail "succeeds without the module"
	case $said in
	*'is cblock loaded'*) ;;
	*) fail "$said" ;;
	esac
}

run_cases \
	"text and bars:text" \
	"JSON:json" \
	"programs and drivers that hold blocks:who_holds_what" \
	"what is wrong:what_is_wrong" \
	"SVG:svg" \
	"mistakes:mistakes"
