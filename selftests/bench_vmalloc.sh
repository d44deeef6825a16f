#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What vmalloc_probe costs: the report by number of areas, how long it holds the
# kernel's locks, and the cases of the storm. Under scripts/vm --icount a
# nanosecond is an instruction, and the figures are the same on every host.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

# Hundredths of a second since boot
now() { awk '{ print $1 * 100 }' /proc/uptime; }

# cost AREAS REPEATS: ns of a report for each area, in $per_area; how long a lock
# was held for one on average, in $held
cost()
{
	ok $vp_dev "fill 4K count=$1 name=f"
	since=$(now)
	i=0
	while [ $i -lt "$2" ]; do
		cat $vp_dev >/dev/null
		i=$((i + 1))
	done
	per_area=$((($(now) - since) * 10000000 / $2 / $1))
	held=$(field gathered locked_ns_mean)
	longest=$(field gathered locked_ns_max)
	ok $vp_dev "free f"
	say "bench: $1 areas: $per_area ns an area, a lock is held for $held of them, once for $longest"
}

report_is_linear()
{
	vp_load
	cost 1000 30
	few=$held
	cost 10000 5
	small=$per_area
	cost 100000 1
	[ "$per_area" -lt $((small * 2 + 1000)) ] ||
		fail "$per_area ns an area for 100000, $small for 10000"
	# a lock is held for one step: seven levels of the tree more, not 99,000 areas
	[ "$held" -lt $((few * 3)) ] || fail "held for $held ns an area, with 1000 for $few"
}

storms()
{
	for entry in fix_size:2000 random_size:300 align:300 long_busy:50 full_fit:200 pcpu:2000 mixed:1000; do
		ok $vp_dev "storm ${entry#*:} case=${entry%:*}"
		say "bench: $(cat $vp_dir/storm)"
	done
	unload vmalloc_probe
}

run_cases \
	"the report is linear, locks are held for an area at a time:report_is_linear" \
	"storms:storms"
