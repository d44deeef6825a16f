# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154 # sourced: $here is set
#
# Allocations that fail on purpose: what the *_faults.sh scripts share.

# Without fault injection there is nothing to do; with it, no allocation of a
# task that asks for failures is spared.
need_faults()
{
	[ -e /proc/self/fail-nth ] || skip_all "no fault injection in this kernel"
	for kind in failslab fail_page_alloc; do
		kind=/sys/kernel/debug/$kind
		[ -d $kind ] || skip_all "no $kind: is debugfs mounted?"
		echo N >$kind/task-filter
		echo 0 >$kind/verbose
		# each kind has some of these
		for knob in ignore-gfp-wait ignore-gfp-highmem cache-filter min-order; do
			[ ! -e $kind/$knob ] || echo 0 >$kind/$knob
		done
	done
}

# fail_step N DEVICE COMMAND: the N-th allocation of the write fails. Prints what
# is left of N, 0 if that many were made, and the exit status of the write.
fail_step()
{
	sh -c '
		exec 3>"$1"
		echo "$2" >/proc/self/fail-nth
		echo "$3" >&3
		result=$?
		read -r left </proc/self/fail-nth
		echo 0 >/proc/self/fail-nth
		echo "$left $result"' sh "$2" "$1" "$3" 2>/dev/null
}

# fail_read N FILE: the N-th allocation of reading the file's start fails
fail_read()
{
	sh -c '
		echo "$2" >/proc/self/fail-nth
		read -r line <"$1"
		echo 0 >/proc/self/fail-nth' sh "$2" "$1" >/dev/null 2>&1
}

# every_load MODULE: let allocation 1, 2, 3… of loading fail, until a load meets
# no failure; of one that is refused nothing stays. Of the hundreds of the module
# loader, which come first, not every one. The loader's vmalloc() warns with a
# call trace: what is less than an error stays off the console, and the log is
# searched for what the checkers say.
every_load()
{
	load_file=$(module_file "$1") || fail "no file of $1"
	unload "$1" || fail "$1 does not unload"
	mark_log
	read -r level _ </proc/sys/kernel/printk
	echo 4 >/proc/sys/kernel/printk
	step=1
	refusals=0
	while [ $step -lt 5000 ]; do
		result=$("$here/load_failing" "$load_file" $step)
		case $result in
		*' Success')
			unload "$1" || fail "step $step: $1 does not unload"
			;;
		*)
			refusals=$((refusals + 1))
			! loaded "$1" || fail "step $step: half loaded"
			for trace in /dev/$1 /sys/kernel/debug/$1; do
				[ ! -e "$trace" ] || fail "step $step: $trace stays behind"
			done
			;;
		esac
		# a count that was not used up: no failure was met
		[ "${result%% *}" = 0 ] || break
		step=$((step + (step < 20 ? 2 : 41)))
	done
	echo "$level" >/proc/sys/kernel/printk
	say "loading: up to step $step, $refusals refused"
	log_since | grep -E 'BUG:|WARNING:|KASAN|UBSAN|INFO: ' && fail "not silent"
	[ $step -lt 5000 ] || fail "no end of steps"
	[ $refusals -gt 2 ] || fail "only $refusals loads failed"
	case $result in *' Success') ;; *) fail "does not load: $result" ;; esac
}
