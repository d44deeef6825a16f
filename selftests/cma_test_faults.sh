#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# Every allocation that a command or a report makes is made to fail in turn,
# where the kernel has fault injection: refused with an errno or carried out,
# nothing stays behind, and the kernel is silent.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/faults.sh
. "$here/faults.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
need_faults
cma_load
whole=$(area_field "$(default_area)" largest_fit)

# within LIMIT COMMAND [UNDO]: LIMIT, as moving pages takes allocations, too. Nothing
# stays, be it refused or undone.
within()
{
	within_limit=$1
	shift
	steps "$within_limit" -c $cma_dir/allocations -c $cma_dir/pins write $cma_dev "$@"
}

allocations_fail()
{
	within 60 'alloc 1M name=a' 'free a'
	within 60 'alloc 64K name=d via=dma' 'free d'
	within 60 0 'free all'
}

refusals_fail()
{
	within 60 'alloc 900M'
	within 60 'alloc 1M align=512M'
}

queries_fail()
{
	within 60 'fit 1M'
	within 60 reset
}

pins_fail() { within 60 "pin $((page_size * 3))" unpin; }

# pins: how many pages are pinned, in $pins
pins()
{
	pins=-1
	while read -r _; do pins=$((pins + 1)); done <$cma_dir/pins
}

# pin_failing KIND SPACE TIMES: 70 pages are pinned while allocations of KIND fail,
# from when SPACE has been allocated on. All are held, or none, and no place is kept
# for them; $held says how many.
pin_failing()
{
	echo "$2" >"$1/space"
	echo "$3" >"$1/times"
	echo 1 >/proc/self/make-it-fail
	echo 100 >"$1/probability"
	# no process between these: it is not that which is to fail
	put $cma_dev "pin $((page_size * 70))" 2>/dev/null && held=70 || held=0
	echo 0 >"$1/probability"
	echo 0 >/proc/self/make-it-fail
	pins
	same "$held" "$pins" "pinned pages"
	if [ "$held" = 0 ]; then
		refused 'No such file or directory' $cma_dev unpin
	else
		ok $cma_dev unpin
	fi
}

# What keeps the pages asks once more where one allocation fails, so all of its
# fail. More than 64 pages need several.
pins_cannot_be_kept()
{
	kind=/sys/kernel/debug/failslab
	nodes=/sys/kernel/slab/radix_tree_node
	read -r size <$nodes/object_size
	echo 1 >$nodes/failslab || fail "no failures of one kind"
	echo Y >$kind/cache-filter
	echo Y >$kind/task-filter
	trap 'echo 0 >$nodes/failslab; echo N >$kind/cache-filter; echo N >$kind/task-filter' EXIT
	refusals=0
	until pin_failing $kind $((refusals * size + 1)) -1 && [ "$held" -gt 0 ]; do
		refusals=$((refusals + 1))
		[ $refusals -lt 20 ] || fail "it is never carried out"
	done
	say "refused until $refusals allocations come"
	[ $refusals -gt 1 ] || fail "nothing failed midway"
}

# The pages themselves are allocated by a worker, not by the task that asks.
pinned_pages_do_not_come()
{
	refusals=0
	for pages in 0 1 2 3 5 8 13 21 34 55 68 69; do
		pin_failing /sys/kernel/debug/fail_page_alloc $pages 1
		[ "$held" -gt 0 ] || refusals=$((refusals + 1))
	done
	say "$refusals refused"
	[ $refusals -gt 3 ] || fail "nothing failed midway"
}

# left_after STEP COMMAND: 0 if the command was carried out, 1 if it was refused
left_after()
{
	"$here/failing" "$1" "$1" write $cma_dev "$2" | sed 's/refused=\([01]\) .*/\1/'
}

releases_fail()
{
	refusals=0
	for step in 1 2 3 4 5; do
		ok $cma_dev 'alloc 64K name=r'
		left=$(left_after $step 'free r')
		same "$left" "$(allocations)" "allocations after step $step of 'free r'"
		ok $cma_dev 'free all'
		refusals=$((refusals + left))
		ok $cma_dev "pin $page_size"
		left=$(left_after $step unpin)
		pins
		same "$left" "$pins" "pins after step $step of unpin"
		[ "$left" = 0 ] || ok $cma_dev unpin
		refusals=$((refusals + left))
	done
	say "$refusals refused"
	[ $refusals -gt 0 ] || fail "nothing failed"
}

reports_fail()
{
	for report in areas allocations owners map verdict latency pins; do
		every_step read $cma_dir/$report
		grep -q '^#' $cma_dir/$report || fail "no report in $report afterwards"
	done
	every_step read $cma_dev
}

# failing_in FUNCTION: all that it allocates fails, whoever calls it, until
# failing_nowhere
failing_in()
{
	kind=/sys/kernel/debug/failslab
	# shellcheck disable=SC2046 # two words
	set -- $(awk -v name="$1" '
		NR == FNR && $3 == name { from = $1 "" }
		NR != FNR && $1 "" > from && (to == "" || $1 "" < to) { to = $1 "" }
		END { if (from != "") print "0x" from, "0x" to }' /proc/kallsyms /proc/kallsyms)
	[ $# = 2 ] || fail "no such function"
	echo "$1" >$kind/require-start
	echo "$2" >$kind/require-end
	echo 32 >$kind/stacktrace-depth
	echo -1 >$kind/times
	echo 100 >$kind/probability
}

failing_nowhere()
{
	kind=/sys/kernel/debug/failslab
	echo 0 >$kind/probability
	echo 0 >$kind/require-start
	echo 0xffffffffffffffff >$kind/require-end
}

lost() { sed -n '1s/^# owners lost=//p' $cma_dir/owners; }

# What the pool of records holds, and no more, is followed.
records_do_not_come()
{
	cma_load
	trap failing_nowhere EXIT
	failing_in ct_pool_refill
	for i in $(seq 600); do
		put $cma_dev "alloc $page_size name=r$i" || fail "allocation $i"
	done
	records=$(grep -c ' comm=sh ' $cma_dir/owners)
	lost=$(lost)
	say "$records records, $lost are lost"
	[ "$lost" -gt 0 ] || fail "records come from nowhere"
	same 600 $((records + lost)) "what is on record, or counted as lost"
	same 0 "$(grep -c 'age=before-load' $cma_dir/owners)" "what is said to be older"
	# there is one left, for what falls in two
	ok $cma_dev 'free r1'
	load kmemlab_parts || fail "no kmemlab_parts"
	same $((lost + 1)) "$(lost)" "lost records, with that of a second part"
	unload kmemlab_parts || fail "kmemlab_parts stays"
	failing_nowhere
	ok $cma_dev 'free all'
}

# Nine failures of somebody else's at a time, and there is room for 16 to wait.
verdicts_do_not_come()
{
	cma_load
	area=$(default_area)
	end=$(($(area_field "$area" base) + $(area_field "$area" pages)))
	trap failing_nowhere EXIT
	failing_in ct_verdict_work_fn
	for lost in 0 2; do
		load kmemlab_parts below=$end || fail "kmemlab_parts takes nothing"
		unload kmemlab_parts || fail "kmemlab_parts stays"
		same $lost "$(lost)" "lost verdicts"
	done
	failing_nowhere
	load kmemlab_parts below=$end || fail "kmemlab_parts takes nothing"
	unload kmemlab_parts || fail "kmemlab_parts stays"
	wait_for '[ "$(grep -c "^verdict .* by=other .* comm=insmod " $cma_dir/verdict)" -ge 16 ]' ||
		fail "those that waited are not judged: $(cat $cma_dir/verdict)"
}

# The records that a load prepares are hundreds, and of what comes before them only
# a sample would be taken: a load that is refused once the areas are found ends
# there. Where getters are not called, it allocates to learn an area's bounds.
loading_fails()
{
	every_load cma_test
	every_load -n cma_test area=nowhere
	every_load -n cma_test 'area=nowhere resolve=0'
	cma_load
}

whole_area() { echo "alloc $((whole * page_size))" >$cma_dev; }

nothing_is_lost()
{
	cma_load
	wait_for whole_area 2>/dev/null ||
		fail "$whole pages cannot be had again: $(last_verdict)"
	ok $cma_dev 'free all'
	unload cma_test
}

run_cases \
	"alloc, every step:allocations_fail" \
	"refused commands, every step:refusals_fail" \
	"fit and reset, every step:queries_fail" \
	"pin, every step:pins_fail" \
	"pin, its pages cannot be kept:pins_cannot_be_kept" \
	"pin, a page of it does not come:pinned_pages_do_not_come" \
	"free and unpin, every step:releases_fail" \
	"reports:reports_fail" \
	"records, none come:records_do_not_come" \
	"verdicts, none come:verdicts_do_not_come" \
	"loading:loading_fails" \
	"nothing is lost:nothing_is_lost"
