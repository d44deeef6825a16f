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

# A refused reset keeps the model; one that has a second way makes a new one.
reset_fails_at_every_step()
{
	ok $bm_dev reset
	ok $bm_dev "alloc 1M"
	every_step -c $bm_dir/map write $bm_dev reset "alloc 1M"
	[ "$refused" -gt 2 ] || fail "only $refused refusals"
}

reading_fails_at_every_step()
{
	every_step -c $bm_dir/map read $bm_dev
	[ "$refused" -gt 2 ] || fail "only $refused refusals"
	for report in parameters lint; do
		every_step -c $bm_dir/$report read $bm_dir/$report
	done
	same "$(meminfo MemTotal)" "$(bm_field zones '^total' managed)" "managed afterwards"
}

commands_fail_at_every_step()
{
	for command in "reserve 0xfffffff000 4K" "free 0 0" "release nosuch"; do
		steps 1000 -c $bm_dir/map write $bm_dev "$command"
		same 'yes done=no' "$ended" "the end of '$command', which is refused anyway"
	done
	every_step -c $bm_dir/map write $bm_dev map
}

loading_fails()
{
	every_load bootmem_probe
	bm_load
}

nothing_leaks()
{
	have_kmemleak || skip "kmemleak is not built in, or off"
	cat $bm_dev $bm_dir/* >/dev/null
	steps 60 write $bm_dev reset >/dev/null
	unload bootmem_probe || fail "does not unload"
	nothing_lost bootmem_probe
	bm_load
}

bm_load
run_cases "reset, every step:reset_fails_at_every_step" \
	"reading, every step:reading_fails_at_every_step" \
	"other commands:commands_fail_at_every_step" \
	"loading:loading_fails" \
	"nothing leaks:nothing_leaks"
