#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bootmem allocator on this machine's map, and everything wrong that one
# can say to it.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
bm_load
page=$(sed -n 's/^bootmem_probe page=\([0-9]*\).*/\1/p' $bm_dev)

# the largest free run: "start last KiB"
free_run()
{
	awk '$4 == "free" {
		size = substr($5, 5) + 0
		if (size > largest) {
			largest = size
			split($3, r, "-")
			best = r[1] " " r[2] " " size
		}
	} END { print best }' "$bm_dir/map"
}
sum_of() { awk -v s="$1" '$4 == s { sum += substr($5, 5) } END { printf "%d\n", sum }' "$bm_dir/map"; }
allocated() { bm_field map '^allocated' bytes; }

initial()
{
	ok $bm_dev reset
	# the whole pages of memory less what reservations touch and the bitmaps,
	# which may lie where a reservation has ended
	said=$(awk -v page="$page" -v free="$(sum_of free)" '
		function number(hex,   i, value) {
			for (i = 3; i <= length(hex); i++)
				value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return value
		}
		$1 == "memory" || $1 == "reserved" {
			split($3, r, "-")
			from = number(r[1]) / page
			to = (number(r[2]) + 1) / page
		}
		$1 == "memory" {
			n++
			first[n] = int(from) + (from > int(from))
			end[n] = int(to)
			pages += end[n] - first[n]
		}
		$1 == "reserved" {
			from = int(from)
			to = int(to) + (to > int(to))
			if (from < done)
				from = done
			for (i = 1; i <= n; i++) {
				low = from > first[i] ? from : first[i]
				high = to < end[i] ? to : end[i]
				if (low < high)
					pages -= high - low
			}
			if (to > done)
				done = to
		}
		$1 == "model" {
			bits = substr($4, 7)
			bitmaps += int((bits / 8 + page - 1) / page)
		}
		END {
			free /= page / 1024
			if (!bitmaps || free > pages || free < pages - bitmaps)
				print free " pages are free; of " pages ", " bitmaps " for bitmaps"
		}' "$bm_dir/memblock" "$bm_dir/map")
	same '' "$said" "what is free at first"
	grep -q '^model node=0 ' "$bm_dir/map" || fail "no node 0"
	# a bitmap lies in memory that boot left free, all of it reserved
	said=$(awk -v page="$page" '
		function number(hex,   i, value) {
			for (i = 3; i <= length(hex); i++)
				value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return value
		}
		function inside(range,   r) {
			split(range, r, "-")
			return number(r[1]) <= start && number(r[2]) >= last
		}
		FNR == 1 { file++ }
		file == 1 && $1 == "model" {
			start = number(substr($6, 8))
			last = start + int((substr($4, 7) / 8 + page - 1) / page) * page - 1
			map = $6
		}
		file == 1 && $1 == "run" && map && inside($3) && $4 == "reserved" { taken++ }
		file == 1 && $1 == "model" { maps++ }
		file == 2 && $1 == "layout" && $3 == "use=buddy" && inside($2) { free++ }
		END {
			if (taken != maps || maps == 1 && !free)
				print map ": " maps " bitmaps, " taken + 0 " reserved, " free + 0 " in free memory"
		}' "$bm_dir/map" "$bm_dir/layout")
	same '' "$said" "where bitmaps lie"
}

allocate()
{
	ok $bm_dev reset
	before=$(sum_of free)
	mark_log
	ok $bm_dev "alloc 4M align=$page"
	same $((before - 4096)) "$(sum_of free)" "free after an alloc of 4M"
	same 4194304 "$(allocated)" "the last allocation"
	where=$(awk '/^allocated/ { print $2 }' "$bm_dir/map")
	log_since | grep -q "alloc: 4194304 bytes at $where\$" || fail "the log does not say $where"
	# where it was is free again
	ok $bm_dev "free $where 4M"
	same "$before" "$(sum_of free)" "free after the free"
	# the next goes to the same place: the hint has moved back
	ok $bm_dev "alloc 4M align=$page"
	same "$where" "$(awk '/^allocated/ { print $2 }' "$bm_dir/map")" "first fit"
	ok $bm_dev "alloc 100 align=4"
	ok $bm_dev "alloc 100 align=4"
	same $((before - 4096 - page / 1024)) "$(sum_of free)" "two small ones share a page"
	ok $bm_dev "alloc 100"
	same $((before - 4096 - page / 1024)) "$(sum_of free)" "and with one aligned to a cache line"
	ok $bm_dev "alloc 64K align=1M"
	where=$(awk '/^allocated/ { print $2 }' "$bm_dir/map")
	same 0 $((where % 1048576)) "$where modulo 1M"
}

goal_and_limit()
{
	ok $bm_dev reset
	# shellcheck disable=SC2046 # three words
	set -- $(free_run)
	ok $bm_dev "alloc 64K align=64K goal=$2"
	ok $bm_dev reset
	ok $bm_dev "alloc 1M align=$page goal=$1"
	same "$1" "$(awk '/^allocated/ { print $2 }' "$bm_dir/map")" "at its goal"
	bm_refused 'Invalid argument' "alloc 1M limit=64K"
}

reserve_and_free()
{
	ok $bm_dev reset
	# shellcheck disable=SC2046 # three words
	set -- $(free_run)
	start=$1
	before=$(sum_of free)
	ok $bm_dev "reserve $start 1M exclusive"
	same $((before - 1024)) "$(sum_of free)" "free after a reserve of 1M"
	bm_refused 'Device or resource busy' "reserve $start 2M exclusive"
	grep -q "^reserve of 0x200000 bytes at $start: $start is already reserved$" "$bm_dir/verdict" ||
		fail "$(cat "$bm_dir/verdict")"
	ok $bm_dev "reserve $start 2M"
	ok $bm_dev "free $start 2M"
	same "$before" "$(sum_of free)" "free after the free"
	bm_refused 'Invalid argument' "free $start 1M"
	ok $bm_dev "reserve $start 1M"
	# half free
	bm_refused 'Invalid argument' "free $start 2M"
	grep -q 'not reserved' "$bm_dir/verdict" || fail "$(cat "$bm_dir/verdict")"
	# rounding: a page that is only touched is reserved, but not freed
	ok $bm_dev "free $start 1M"
	ok $bm_dev "reserve $start 1"
	same $((before - page / 1024)) "$(sum_of free)" "one byte reserves a page"
	bm_refused 'Invalid argument' "free $start $((page - 1))"
	ok $bm_dev "free $start $page"
}

outside()
{
	for range in '0xfffffffffffff000 4K' '0xffffffffffffffff 1' \
		'0xfffffffffffff000 8K' '0xffffffffffffffff 0xffffffffffffffff' \
		'0x8000000000000000 0x8000000000000000' '0 0xffffffffffffffff' \
		'0xfffffff000000000 1'; do
		bm_refused 'Numerical result out of range' "reserve $range"
		bm_refused 'Numerical result out of range' "reserve $range exclusive"
	done
	bm_refused 'Numerical result out of range' "free 0x8000000000000000 0x9000000000000000"
	bm_refused 'Numerical result out of range' "free 0xfffffff000000000 1M"
	bm_refused 'Cannot allocate memory' "alloc 0xffffffffffffffff"
	bm_refused 'Cannot allocate memory' "alloc 1P"
	bm_refused 'Cannot allocate memory' "alloc 4K align=8E"
}

malformed()
{
	for text in '' ' ' alloc 'alloc 0' 'alloc -1' 'alloc 10Q' 'alloc 8Mx' \
		'alloc 1M align=0' 'alloc 1M align=3' 'alloc 1M align=4K align=4K' \
		'alloc 1M size=3' 'alloc 1M goal=' 'alloc 1M goal=x' \
		'alloc 1M goal=2M limit=1M' 'alloc 1M 2M' reserve 'reserve 0' \
		'reserve x 4K' 'reserve 0 0' 'reserve 0 4K always' \
		'reserve 0 4K exclusive exclusive' free 'free 0' 'free 0 0' \
		'free 0 4K 4K' 'map x' 'reset x' 'free_all x' release \
		'release a b' 'ALLOC 1M' 'frobnicate' 'alloc 1M
free 0 4K'; do
		bm_refused 'Invalid argument' "$text"
	done
	bm_refused 'Numerical result out of range' 'alloc 16E'
	bm_refused 'Numerical result out of range' 'alloc 99999999999999999999'
	bm_refused 'No such file or directory' 'release nosuch'
	long=$(printf '%0300d' 0)
	bm_refused 'Invalid argument' "alloc $long"
}

fragments()
{
	ok $bm_dev reset
	before=$(sum_of free)
	i=0
	while [ $i -lt 100 ]; do
		printf 'alloc %d align=%d\n' $((i * 777 + 1)) $((1 << (i % 17))) >$bm_dev ||
			fail "alloc $i"
		i=$((i + 1))
	done
	[ "$(sum_of free)" -lt "$before" ] || fail "nothing was allocated"
	mark_log
	ok $bm_dev map
	log_since | grep -q 'run node=' || fail "map says nothing in the log"
	ok $bm_dev reset
	same '' "$(allocated)" "the last allocation after reset"
	# shellcheck disable=SC2046 # three words
	set -- $(free_run)
	for i in $(seq 70); do
		printf 'reserve %#x %d\n' $(($1 + i * 2 * page)) "$page" >$bm_dev || fail "reserve $i"
	done
	mark_log
	ok $bm_dev map
	same 64 "$(log_since | grep -c 'run node=')" "runs in the log"
	same $(($(grep -c '^run ' "$bm_dir/map") - 64)) \
		"$(log_since | sed -n 's/.* \([0-9]*\) more runs are in debugfs.*/\1/p')" "runs that it leaves out"
	ok $bm_dev reset
	same "$before" "$(sum_of free)" "free after reset"
}

dissolved()
{
	ok $bm_dev reset
	mark_log
	ok $bm_dev free_all
	# shellcheck disable=SC2046 # pages, single ones, blocks, pages of a block
	set -- $(log_since | sed -n 's/.*free_all: \([0-9]*\) pages, as \([0-9]*\) single ones and \([0-9]*\) blocks of \([0-9]*\)$/\1 \2 \3 \4/p')
	[ $# = 4 ] || fail "free_all says nothing"
	same "$1" $(($2 + $3 * $4)) "pages, single ones and in blocks"
	[ "$2" -lt "$3" ] || fail "most pages are handed over one by one"
	grep -q '^model .* dissolved' "$bm_dir/map" || fail "the bitmap is still there"
	bm_refused 'Invalid argument' free_all
	bm_refused 'Cannot allocate memory' 'alloc 4K'
	ok $bm_dev reset
	grep -q dissolved "$bm_dir/map" && fail "reset does not bring the bitmap back"
	[ "$(sum_of free)" -gt 0 ] || fail "nothing is free"
}

helps()
{
	mark_log
	ok $bm_dev help
	for verb in alloc reserve free free_all map reset release; do
		log_since | grep -q "bootmem_probe: $verb " || fail "help lacks $verb"
	done
}

# commands, readers and resets at once
storm()
{
	ok $bm_dev reset
	rm -f /tmp/bm.storm
	for worker in 1 2 3 4; do
		(
			i=0
			while [ $i -lt 30 ]; do
				put $bm_dev "alloc ${worker}0K" || touch /tmp/bm.storm
				cat "$bm_dir/map" >/dev/null
				[ $((i % 10)) -ne 0 ] || put $bm_dev reset || touch /tmp/bm.storm
				i=$((i + 1))
			done
		) &
	done
	wait
	[ ! -e /tmp/bm.storm ] || fail "a command failed"
	ok $bm_dev reset
}

run_cases "the model starts as boot did:initial" \
	"alloc, free, and the hint:allocate" \
	"goal and limit:goal_and_limit" \
	"reserve and free, exclusive and half-free:reserve_and_free" \
	"ranges that wrap or lie outside change nothing:outside" \
	"malformed commands change nothing:malformed" \
	"a hundred allocations, the map, and reset:fragments" \
	"free_all ends it until reset:dissolved" \
	"help names every verb:helps" \
	"writers, readers and resets at once:storm"
