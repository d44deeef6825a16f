#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# Loading and unloading a hundred times while another driver allocates CMA:
# silent, and nothing is lost. Fewer times where a hundred take more than 20 s, as
# the script must end in time; CMA_TEST_SECONDS=600 gives them more.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

hundred_times()
{
	cma_load
	cma_free_after
	cma_undrain
	before=$cma_free
	unload cma_test || fail "does not unload"

	other=''
	if modprobe vivid allocators=1,1,1,1 n_devs=1 2>/dev/null; then
		for _ in $(seq 10); do [ -e /dev/video0 ] && break; sleep 1; done
		while :; do "$here/cma_test_video" /dev/video0 2 20 >/dev/null 2>&1; done &
		other=$!
	else
		skip "this kernel has no vivid to allocate meanwhile"
	fi
	mark_log
	round=0
	until=$(($(date +%s) + ${CMA_TEST_SECONDS:-20}))
	while [ $round -lt 100 ]; do
		[ $round -lt 10 ] || [ "$(date +%s)" -lt $until ] || break
		load cma_test || fail "round $round: does not load"
		if [ $((round % 10)) = 0 ]; then
			echo 'alloc 256K name=x' >$cma_dev || fail "round $round: cannot allocate"
			grep -q '^# owners lost=0$' $cma_dir/owners ||
				fail "round $round: $(head -n 1 $cma_dir/owners)"
		fi
		unload cma_test || fail "round $round: does not unload"
		round=$((round + 1))
	done
	say "$round rounds"
	kill $other
	wait 2>/dev/null
	sleep 1
	log_since | grep -i -e 'warning:' -e 'bug:' -e 'still in use' && fail "not silent"
	rmmod vivid 2>/dev/null
	cma_load
	cma_free_after
	cma_undrain
	missing=$((before - cma_free))
	say "CmaFree was $before KiB, is $cma_free KiB"
	[ ${missing#-} -lt 512 ] || fail "$missing KiB are missing"
}

run_cases "a hundred loads while another driver allocates:hundred_times"
