#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The storm's cases beside those of the kernel's lib/test_vmalloc.c: the same
# allocations, as many of them, on as many CPUs; both have to succeed, and what
# an operation took is shown for both. Needs a kernel built with TEST_VMALLOC=m.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
find "/lib/modules/$(uname -r)/" -name 'test_vmalloc.ko*' 2>/dev/null | grep -q . ||
	skip_all "no test_vmalloc for this kernel"

vp_load
cpus=$(grep -c ^processor /proc/cpuinfo)

# theirs NAME MASK OPERATIONS: run the kernel's test of that mask; nanoseconds an
# operation in $theirs. It never stays loaded: -EAGAIN is how it says that it is
# done, whereupon busybox tries once more.
theirs()
{
	mark_log
	modprobe test_vmalloc nr_threads="$cpus" run_test_mask="$2" \
		test_loop_count="$3" nr_pcpu_objects="$3" 2>/dev/null
	summary=$(log_since | sed -n 's/.*Summary: //p')
	runs=$(echo "$summary" | grep -c "^$1.* passed: 1 failed: 0 .* avg: [0-9]* usec")
	[ "$runs" -ge "$cpus" ] || fail "test_vmalloc passed on $runs of $cpus CPUs: $summary"
	same "$runs" "$(echo "$summary" | wc -l)" "passes of test_vmalloc ($summary)"
	theirs=$(echo "$summary" | awk -v loops="$3" '{ sum += $(NF - 1) }
		END { printf "%.0f", sum * 1000 / NR / loops }')
}

# beside CASE NAME MASK OPERATIONS: theirs, then our storm
beside()
{
	theirs "$2" "$3" "$4"
	ok $vp_dev "storm $4 case=$1"
	ours=$(cat $vp_dir/storm)
	case $ours in
	"storm case=$1 cpus=$cpus operations=$(($4 * cpus)) failures=0 corrupt=0 "*) ;;
	*) fail "$ours" ;;
	esac
	ours=$(echo "$ours" | tr ' ' '\n' | sed -n 's/^ns_per_operation=//p')
	say "$1: $4 operations on each of $cpus CPUs; ns an operation: test_vmalloc $theirs, storm $ours"
}

fix_size() { beside fix_size fix_size 1 300; }

# What the next two allocate first, thousands of pages on each CPU, is in
# test_vmalloc's figure; one CPU is enough of that.
on_one_cpu()
{
	second=/sys/devices/system/cpu/cpu1/online
	[ -w $second ] && [ "$cpus" = 2 ] || return 0
	echo 0 >$second || fail "the second CPU stays"
	trap 'echo 1 >$second' EXIT
	cpus=1
}

full_fit()
{
	on_one_cpu
	beside full_fit full_fit 2 100
}

long_busy()
{
	on_one_cpu
	beside long_busy long_busy 4 50
}

random_size() { beside random_size random_size_alloc 8 50; }
random_align() { beside align random_size_align 32 50; }
per_cpu() { beside pcpu pcpu 128 500; }

unloads() { unload vmalloc_probe; }

run_cases \
	"fix_size:fix_size" \
	"full_fit:full_fit" \
	"long_busy:long_busy" \
	"random_size:random_size" \
	"align:random_align" \
	"pcpu:per_cpu" \
	"unloads:unloads"
