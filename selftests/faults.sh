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

# steps TO [-n] [-c FILE]… OPERATION: let allocation 1, 2, 3… TO fail, see failing.c;
# how many were refused in $refused, and the rest of what it says in $ended
steps()
{
	steps_to=$1
	steps_options=''
	shift
	while :; do
		case $1 in
		-n) steps_options="$steps_options -n" ;;
		-c) steps_options="$steps_options -c $2"; shift ;;
		*) break ;;
		esac
		shift
	done
	# shellcheck disable=SC2086 # names without blanks
	ended=$("$here/failing" $steps_options 1 "$steps_to" "$@" 2>&1) || fail "$*: $ended"
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

# every_load [-n] MODULE [PARAMETERS]: the same for loading; of a load that is refused
# nothing stays. -n: the parameters name what is not there, so all are refused. The
# loader's vmalloc() warns with a call trace: what is less than an error stays off the
# console, and the log is searched for what the checkers say.
every_load()
{
	load_option=''
	[ "$1" != -n ] || { load_option=-n; shift; }
	load_file=$(module_file "$1") || fail "no file of $1"
	! loaded "$1" || unload "$1" || fail "$1 does not unload"
	mark_log
	read -r level _ </proc/sys/kernel/printk
	echo 4 >/proc/sys/kernel/printk
	# shellcheck disable=SC2086 # nothing or a word
	(steps 5000 $load_option -c "/dev/$1" load "$load_file" "$@" && same 'yes done=yes' "$ended" "the end")
	steps_result=$?
	echo "$level" >/proc/sys/kernel/printk
	[ $steps_result = 0 ] || exit $steps_result
	! loaded "$1" || fail "it stays loaded"
	[ ! -e "/sys/kernel/debug/$1" ] || fail "its reports stay"
	log_since | grep -E 'BUG:|WARNING:|KASAN|UBSAN|INFO: ' && fail "not silent"
	return 0
}
