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
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
faults=/sys/kernel/debug
for needed in /proc/self/fail-nth $faults/failslab $faults/fail_page_alloc; do
	[ -e "$needed" ] || skip_all "no fault injection in this kernel"
done
for kind in failslab fail_page_alloc; do
	echo N >$faults/$kind/task-filter
	echo 0 >$faults/$kind/verbose
	echo N >$faults/$kind/ignore-gfp-wait
done
echo N >$faults/fail_page_alloc/ignore-gfp-highmem
echo 0 >$faults/fail_page_alloc/min-order
cma_load

# fail_step N COMMAND: the N-th allocation of the write fails. Prints what is
# left of N, 0 if that many were made, and the exit status of the write.
fail_step()
{
	sh -c '
		exec 3>"$1"
		echo "$2" >/proc/self/fail-nth
		echo "$3" >&3
		result=$?
		read -r left </proc/self/fail-nth
		echo 0 >/proc/self/fail-nth
		echo "$left $result"' sh $cma_dev "$1" "$2" 2>/dev/null
}

# every_step LIMIT COMMAND [UNDO]: LIMIT, as moving pages takes allocations, too
every_step()
{
	step=1
	refusals=0
	while [ $step -le "$1" ]; do
		result=$(fail_step $step "$2")
		case $result in
		*' 0') [ -z "$3" ] || ok $cma_dev "$3" ;;
		*) refusals=$((refusals + 1)) ;;
		esac
		same 0 "$(allocations)" "allocations after step $step of '$2'"
		same 0 "$(grep -c '^area=' $cma_dir/pins)" "pins after step $step of '$2'"
		# what was not used up met no allocation
		[ "${result% *}" = 0 ] || break
		step=$((step + 1))
	done
	say "'$2': $step steps, $refusals refused"
	[ $refusals -gt 0 ] || fail "nothing failed"
}

allocations_fail()
{
	every_step 40 'alloc 1M name=a' 'free a'
	every_step 40 'alloc 64K name=d via=dma' 'free d'
	every_step 40 0 'free all'
}

refusals_fail()
{
	every_step 40 'alloc 900M'
	every_step 40 'alloc 1M align=512M'
}

queries_fail()
{
	every_step 20 'fit 1M'
	every_step 20 reset
}

pins_fail() { every_step 60 "pin $(($(page_size) * 3))" unpin; }

# left_after STEP COMMAND: 0 if the command was carried out, 1 if it was refused
left_after()
{
	case $(fail_step "$1" "$2") in
	*' 0') echo 0 ;;
	*) echo 1 ;;
	esac
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
		ok $cma_dev "pin $(page_size)"
		left=$(left_after $step unpin)
		same "$left" "$(grep -c '^area=' $cma_dir/pins)" "pins after step $step of unpin"
		[ "$left" = 0 ] || ok $cma_dev unpin
		refusals=$((refusals + left))
	done
	say "$refusals refused"
	[ $refusals -gt 0 ] || fail "nothing failed"
}

reports_fail()
{
	for report in areas allocations owners map verdict latency pins; do
		for step in 1 2 3; do
			sh -c '
				echo "$2" >/proc/self/fail-nth
				read -r line <"$1"
				echo 0 >/proc/self/fail-nth' sh $cma_dir/$report $step >/dev/null 2>&1
		done
		grep -q '^#' $cma_dir/$report || fail "no report in $report afterwards"
	done
}

# Far more steps than others: the module loader and kobjects allocate, and the
# pool of records. The loader's vmalloc() warns with a call trace when it fails:
# what is less than an error stays off the console, and the log is searched for
# what the checkers say.
loading_fails()
{
	unload cma_test || fail "does not unload"
	mark_log
	read -r level _ </proc/sys/kernel/printk
	echo 4 >/proc/sys/kernel/printk
	step=1
	refusals=0
	while [ $step -lt 2000 ]; do
		result=$("$here/cma_test_io" "$(module_file cma_test)" load $step) ||
			refusals=$((refusals + 1))
		case $result in
		'0 Cannot allocate memory' | *' Success') ;;
		*) say "step $step: $result" ;;
		esac
		! loaded cma_test || unload cma_test || fail "step $step: does not unload"
		[ "${result%% *}" = 0 ] || break
		step=$((step + (step < 20 ? 3 : 61)))
	done
	echo "$level" >/proc/sys/kernel/printk
	say "$step steps, $refusals refused"
	log_since | grep -E 'BUG:|WARNING:|KASAN|UBSAN|INFO: ' && fail "not silent"
	[ $refusals -gt 5 ] || fail "only $refusals loads failed"
	cma_load
}

nothing_is_lost()
{
	cma_load
	ok $cma_dev 'alloc 32M'
	ok $cma_dev 'free all'
	unload cma_test
}

run_cases \
	"alloc, every step:allocations_fail" \
	"refused commands, every step:refusals_fail" \
	"fit and reset, every step:queries_fail" \
	"pin, every step:pins_fail" \
	"free and unpin, every step:releases_fail" \
	"reports:reports_fail" \
	"loading:loading_fails" \
	"nothing is lost:nothing_is_lost"
