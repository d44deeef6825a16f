#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# VM-6: whatever allocation fails on the way, NULL comes out and nothing stays
# behind. Every step is made to fail in turn, on a kernel with fault injection.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/faults.sh
. "$here/faults.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

need_faults

# every_step COMMAND NAME: let allocation 1, 2, 3… of one write fail, until a
# write meets no failure. Refused or not, nothing may be left but what was named.
# After the first sixty come the pages, one like the other: every tenth.
every_step()
{
	step=1
	refusals=0
	while [ $step -lt 1000 ]; do
		left=$(fail_step $step $vp_dev "$1")
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
	every_step "alloc 40K name=a" a
}

nested_array_fails_at_every_step()
{
	every_step "alloc $((($(page_size) / 8 + 1) * $(page_size))) name=n" n
}

fill_fails_at_every_step()
{
	every_step "fill 4K count=2 name=f" f
}

report_fails_at_every_step()
{
	step=1
	while [ $step -lt 60 ]; do
		fail_read $step $vp_dev
		fail_read $step $vp_dir/areas
		step=$((step + 1))
	done
	[ "$(field range used)" ] || fail "no report afterwards"
}

loading_fails()
{
	every_load vmalloc_probe
	vp_load
}

unloads() { unload vmalloc_probe; }

run_cases \
	"alloc, every step:alloc_fails_at_every_step" \
	"alloc with a nested array:nested_array_fails_at_every_step" \
	"fill, every step:fill_fails_at_every_step" \
	"reports:report_fails_at_every_step" \
	"loading:loading_fails" \
	"unloads:unloads"
