#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# VM-6: whatever allocation fails on the way, NULL comes out and nothing stays
# behind. Every step is made to fail in turn, on a kernel with fault injection.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

faults=/sys/kernel/debug
[ -e /proc/self/fail-nth ] || skip_all "no fault injection in this kernel"

prepare_faults()
{
	for kind in failslab fail_page_alloc; do
		[ -d $faults/$kind ] || continue
		echo N >$faults/$kind/task-filter
		echo 0 >$faults/$kind/verbose
		# each kind has some of these
		for knob in ignore-gfp-wait ignore-gfp-highmem min-order; do
			[ ! -e $faults/$kind/$knob ] || echo 0 >$faults/$kind/$knob
		done
	done
}

# every_step COMMAND NAME: let allocation 1, 2, 3… of one write fail, until a
# write meets no failure. Refused or not, nothing may be left but what was named.
# After the first sixty come the pages, one like the other: every tenth.
every_step()
{
	step=1
	refusals=0
	while [ $step -lt 1000 ]; do
		left=$(sh -c '
			exec 3>"$1"
			echo "$3" >/proc/self/fail-nth
			printf "%s" "$2" >&3
			result=$?
			read -r left </proc/self/fail-nth
			echo 0 >/proc/self/fail-nth
			echo "$left $result"' sh $vp_dev "$1" $step 2>/dev/null)
		result=${left#* }
		left=${left% *}
		if [ "$result" = 0 ]; then
			same 1 "$(allocations)" "allocations after step $step"
			ok $vp_dev "free $2"
		else
			refusals=$((refusals + 1))
		fi
		same 0 "$(allocations)" "allocations after step $step"
		tries=0
		# newer kernels clean up from a work item
		until [ "$(own_areas)" = 0 ]; do
			tries=$((tries + 1))
			[ $tries -lt 20 ] || fail "areas are left after step $step"
			usleep 100000 2>/dev/null || sleep 1
		done
		# a count that was not used up: no failure was met
		[ "$left" = 0 ] || break
		step=$((step + (step < 60 ? 1 : 10)))
	done
	say "'$1': up to step $step, $refusals refused"
	[ $step -lt 1000 ] || fail "no end of steps"
	[ $refusals -gt 2 ] || fail "only $refusals refusals"
}

alloc_fails_at_every_step()
{
	vp_load
	prepare_faults
	every_step "alloc 40K name=a" a
}

nested_array_fails_at_every_step()
{
	prepare_faults
	every_step "alloc $((($(page_size) / 8 + 1) * $(page_size))) name=n" n
}

fill_fails_at_every_step()
{
	prepare_faults
	every_step "fill 4K count=2 name=f" f
}

report_fails_at_every_step()
{
	prepare_faults
	step=1
	while [ $step -lt 60 ]; do
		sh -c '
			echo "$2" >/proc/self/fail-nth
			read -r line <"$1"
			echo 0 >/proc/self/fail-nth' sh $vp_dev $step >/dev/null 2>&1
		sh -c '
			echo "$2" >/proc/self/fail-nth
			read -r line <"$1"
			echo 0 >/proc/self/fail-nth' sh $vp_dir/areas $step >/dev/null 2>&1
		step=$((step + 1))
	done
	[ "$(field range used)" ] || fail "no report afterwards"
}

unloads() { unload vmalloc_probe; }

run_cases \
	"alloc, every step:alloc_fails_at_every_step" \
	"alloc with a nested array:nested_array_fails_at_every_step" \
	"fill, every step:fill_fails_at_every_step" \
	"reports:report_fails_at_every_step" \
	"unloads:unloads"
