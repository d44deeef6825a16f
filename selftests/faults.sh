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

# steps TO [-c FILE]… OPERATION: let allocation 1, 2, 3… TO fail, see failing.c;
# how many were refused in $refused, and the rest of what it says in $ended
steps()
{
	steps_to=$1
	steps_files=''
	shift
	while [ "$1" = -c ]; do
		steps_files="$steps_files -c $2"
		shift 2
	done
	# shellcheck disable=SC2086 # names without blanks
	ended=$("$here/failing" $steps_files 1 "$steps_to" "$@" 2>&1) || fail "$*: $ended"
	say "$*: $ended"
	refused=${ended#refused=}
	refused=${refused%% *}
	ended=${ended#*ended=}
	[ "$refused" -gt 0 ] || fail "nothing failed"
}

# every_step [-c FILE]… OPERATION: until nothing fails, and it is done
every_step()
{
	steps 1000 "$@"
	same 'yes done=yes' "$ended" "the end of '$*'"
}

# every_load MODULE [PARAMETERS]: the same for loading; of a load that is refused nothing
# stays. The loader's vmalloc() warns with a call trace: what is less than an error
# stays off the console, and the log is searched for what the checkers say.
every_load()
{
	load_file=$(module_file "$1") || fail "no file of $1"
	unload "$1" || fail "$1 does not unload"
	mark_log
	read -r level _ </proc/sys/kernel/printk
	echo 4 >/proc/sys/kernel/printk
	(steps 5000 -c "/dev/$1" load "$load_file" "$@" && same 'yes done=yes' "$ended" "the end")
	steps_result=$?
	echo "$level" >/proc/sys/kernel/printk
	[ $steps_result = 0 ] || exit $steps_result
	! loaded "$1" || fail "it stays loaded"
	[ ! -e "/sys/kernel/debug/$1" ] || fail "its reports stay"
	log_since | grep -E 'BUG:|WARNING:|KASAN|UBSAN|INFO: ' && fail "not silent"
	return 0
}
