#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=64M
#
# What tracking costs others: guest time, which under --icount is instructions,
# of cma_alloc() of one page with and without the probes. Less than 3 % is
# allowed. `bench_cma_test.sh` prints both figures.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

# mean_alloc TRACK: ns of 200 allocations of a page, in $mean
mean_alloc()
{
	cma_load track="$1"
	# the first ones fill caches
	for _ in 1 2 3 4 5; do
		echo "alloc $page name=w" >$cma_dev
		echo 'free w' >$cma_dev
	done
	ok $cma_dev reset
	i=0
	while [ $i -lt 200 ]; do
		echo "alloc $page name=b" >$cma_dev || fail "allocation $i"
		echo 'free b' >$cma_dev
		i=$((i + 1))
	done
	mean=$(sed -n 's/.* op=alloc size=64K count=200 .*mean_ns=\([0-9]*\) .*/\1/p' $cma_dir/latency)
	[ "$mean" ] || fail "$(cat $cma_dir/latency)"
}

tracking_costs_little()
{
	page=$(page_size)
	mean_alloc 0
	without=$mean
	mean_alloc 1
	say "bench: cma_alloc of one page: $without ns without tracking, $mean ns with"
	cost=$(((mean - without) * 1000 / without))
	say "bench: tracking costs $cost per mille"
	[ $cost -lt 30 ] || fail "more than 3 %"
}

run_cases "tracking costs less than 3 %:tracking_costs_little"
