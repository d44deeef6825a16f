#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=64M
#
# What tracking costs others: guest time, which under --icount is instructions,
# of cma_alloc() of one page with and without the probes. Less than 3 % is
# allowed. And what fit costs in an area that is in pieces: twice as many may
# take twice as long, not four times. `bench_cma_test.sh` prints all figures.

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
		echo "alloc $page_size name=w" >$cma_dev
		echo 'free w' >$cma_dev
	done
	ok $cma_dev reset
	i=0
	while [ $i -lt 200 ]; do
		echo "alloc $page_size name=b" >$cma_dev || fail "allocation $i"
		echo 'free b' >$cma_dev
		i=$((i + 1))
	done
	mean=$(sed -n 's/.* op=alloc size=64K count=200 .*mean_ns=\([0-9]*\) .*/\1/p' $cma_dir/latency)
	[ "$mean" ] || fail "$(cat $cma_dir/latency)"
}

tracking_costs_little()
{
	mean_alloc 0
	without=$mean
	mean_alloc 1
	say "bench: cma_alloc of one page: $without ns without tracking, $mean ns with"
	cost=$(((mean - without) * 1000 / without))
	say "bench: tracking costs $cost per mille"
	[ $cost -lt 30 ] || fail "more than 3 %"
}

# fit_in PIECES: ns of a fit while every second page of so many is held, in $mean
fit_in()
{
	i=0
	while [ $i -lt "$1" ]; do
		echo "alloc $page_size name=p$i" >$cma_dev || fail "allocation $i"
		i=$((i + 1))
	done
	while [ $i -gt 0 ]; do
		i=$((i - 2))
		echo "free p$i" >$cma_dev || fail "release $i"
	done
	# shellcheck disable=SC3028 # busybox has it
	begun=$EPOCHREALTIME
	while [ $i -lt 10 ]; do
		echo 'fit 2M' >$cma_dev
		i=$((i + 1))
	done
	# shellcheck disable=SC3028
	ended=$EPOCHREALTIME
	[ "$ended" ] || fail "this shell has no clock"
	mean=$(((${ended%.*}${ended#*.} - ${begun%.*}${begun#*.}) * 100))
	runs=$(grep -c "^$(default_area) " $cma_dir/map)
	[ "$runs" -ge "$1" ] || fail "the area is in $runs pieces, not in $1"
	ok $cma_dev 'free all'
}

fit_is_linear()
{
	cma_load
	fit_in 1024
	few=$mean
	fit_in 2048
	say "bench: fit among 1024 pieces: $few ns, among 2048: $mean ns"
	[ "$few" -gt 0 ] || fail "it takes no time"
	[ "$mean" -lt $((few * 3)) ] || fail "more than three times as much"
}

run_cases \
	"tracking costs less than 3 %:tracking_costs_little" \
	"fit costs what the area's pieces do:fit_is_linear"
