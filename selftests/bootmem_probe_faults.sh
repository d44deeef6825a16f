#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Whatever allocation fails on the way, the command or the reading fails,
# nothing has changed and nothing is left behind. Every step is made to fail in
# turn, on a kernel with fault injection; kmemleak then looks for what was lost.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/faults.sh
. "$here/faults.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
need_faults
kmemleak=/sys/kernel/debug/kmemleak

# every_step COMMAND CHECK: let allocation 1, 2, 3... of the shell command fail,
# until one meets no failure; run CHECK after each. The first ten are all
# different, then lists grow: every fourth.
every_step()
{
	step=1
	refusals=0
	while [ $step -lt 1000 ]; do
		left=$(sh -c '
			echo "$2" >/proc/self/fail-nth
			eval "$1"
			result=$?
			read -r left </proc/self/fail-nth
			echo 0 >/proc/self/fail-nth
			echo "$left $result"' sh "$1" $step 2>/dev/null | tail -n 1)
		[ "${left#* }" = 0 ] || refusals=$((refusals + 1))
		$2
		# a count that was not used up: no failure was met
		[ "${left% *}" = 0 ] || break
		step=$((step + (step < 10 ? 1 : 4)))
	done
	say "up to step $step, $refusals refused"
	[ $step -lt 1000 ] || fail "no end of steps"
	[ $refusals -gt 2 ] || fail "only $refusals refusals"
	[ "${left#* }" = 0 ] || fail "'$1' fails without a failure"
}

unchanged() { same "$before" "$(cat "$bm_dir/map")" "the model after step $step"; }

# A refused reset keeps the model; one that has a second way makes a new one.
reset_keeps()
{
	if [ "${left#* }" = 0 ]; then
		grep -q '^allocated' "$bm_dir/map" && fail "step $step did not reset"
		ok $bm_dev "alloc 1M"
		before=$(cat "$bm_dir/map")
	else
		unchanged
	fi
}

reset_fails_at_every_step()
{
	ok $bm_dev reset
	ok $bm_dev "alloc 1M"
	before=$(cat "$bm_dir/map")
	every_step "echo reset >$bm_dev" reset_keeps
}

reading_fails_at_every_step()
{
	before=$(cat "$bm_dir/map")
	every_step "read -r line <$bm_dev" unchanged
	same "$(meminfo MemTotal)" "$(bm_field zones '^total' managed)" "managed afterwards"
}

commands_fail_at_every_step()
{
	before=$(cat "$bm_dir/map")
	for command in "reserve 0xfffffff000 4K" "free 0 0" "release nosuch" map; do
		step=1
		while [ $step -lt 30 ]; do
			fail_step $step $bm_dev "$command" >/dev/null
			step=$((step + 1))
		done
		unchanged
	done
}

loading_fails()
{
	every_load bootmem_probe
	bm_load
}

nothing_leaks()
{
	{ echo clear >$kmemleak; } 2>/dev/null || skip "kmemleak is not built in, or off"
	cat $bm_dev $bm_dir/* >/dev/null
	step=1
	while [ $step -lt 60 ]; do
		fail_step $step $bm_dev reset >/dev/null
		step=$((step + 7))
	done
	unload bootmem_probe || fail "does not unload"
	# objects are reported once they are 5 s old
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	if grep -q bootmem_probe $kmemleak; then
		say "$(cat $kmemleak)"
		fail "something was lost"
	fi
	bm_load
}

bm_load
run_cases "reset, every step:reset_fails_at_every_step" \
	"reading, every step:reading_fails_at_every_step" \
	"other commands:commands_fail_at_every_step" \
	"loading:loading_fails" \
	"nothing leaks:nothing_leaks"
