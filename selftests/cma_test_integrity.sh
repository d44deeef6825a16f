#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# CMA-6: pages that borrowed a CMA area keep their contents when they have to
# move. Memory with known contents fills the area, the whole of it is allocated
# and freed ten times while that memory is read, and no byte may differ.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load

moved_pages_keep_their_contents()
{
	area=$(default_area)
	mkfifo /tmp/cma_stop
	"$here/cma_test_memory" /tmp 160 </tmp/cma_stop >/tmp/cma_memory &
	reader=$!
	exec 4>/tmp/cma_stop
	for _ in $(seq 120); do
		grep -q ready /tmp/cma_memory && break
		kill -0 $reader || fail "the reader died"
		sleep 1
	done
	say "$(cat /tmp/cma_memory) KiB of the area are borrowed"
	borrowed=$(area_field "$area" borrowed)
	[ "$borrowed" -gt $(($(area_field "$area" pages) / 2)) ] ||
		fail "only $borrowed pages of the area are borrowed"

	pages=$(area_field "$area" largest_fit)
	rounds=0 tries=0
	while [ $rounds -lt 10 ]; do
		tries=$((tries + 1))
		[ $tries -le 40 ] || fail "only $rounds of 10 allocations of the whole area succeed: $(last_verdict)"
		# a page under a reader's hands is busy at times: that is CMA-7
		echo "alloc $((pages * $(page_size))) name=whole" >$cma_dev 2>/dev/null || continue
		ok $cma_dev 'free whole'
		rounds=$((rounds + 1))
		# let the memory come back into the area
		sleep 1
	done
	exec 4>&-
	wait $reader || fail "contents differ: $(cat /tmp/cma_memory)"
	say "$rounds allocations of $pages pages in $tries tries; $(tail -n 1 /tmp/cma_memory)"
	rm -f /tmp/cma_stop /tmp/cma_memory
}

run_cases "moved pages keep their contents:moved_pages_keep_their_contents"
