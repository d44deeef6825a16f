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

# beside CASE MASK OPERATIONS: the kernel's test of that mask, then our storm
beside()
{
	mark_log
	# It never stays: -EAGAIN is how it says that it is done.
	modprobe test_vmalloc nr_threads="$cpus" run_test_mask="$2" \
		test_loop_count="$3" nr_pcpu_objects="$3" 2>/dev/null
	theirs=$(log_since | sed -n 's/.*Summary: //p')
	same "$cpus" "$(echo "$theirs" | grep -c "^$1.* passed: 1 failed: 0 .* avg: [0-9]* usec")" \
		"CPUs on which test_vmalloc passed ($theirs)"
	theirs=$(echo "$theirs" | awk -v loops="$3" '{ sum += $(NF - 1) }
		END { printf "%.0f", sum * 1000 / NR / loops }')

	ok $vp_dev "storm $3 case=$1"
	ours=$(cat $vp_dir/storm)
	case $ours in
	"storm case=$1 cpus=$cpus operations=$(($3 * cpus)) failures=0 corrupt=0 "*) ;;
	*) fail "$ours" ;;
	esac
	say "$1: $3 operations on each of $cpus CPUs; ns an operation: test_vmalloc $theirs, storm $(echo "$ours" | tr ' ' '\n' | sed -n 's/^ns_per_operation=//p')"
}

fix_size() { beside fix_size 1 300; }
long_busy() { beside long_busy 4 10; }
random_size() { beside random_size 8 50; }
per_cpu() { beside pcpu 128 500; }

# theirs has the size first in the name, and does not write the memory
random_align()
{
	mark_log
	modprobe test_vmalloc nr_threads="$cpus" run_test_mask=32 test_loop_count=50 2>/dev/null
	same "$cpus" "$(log_since | grep -c 'random_size_align_alloc_test passed: 1 failed: 0 ')" \
		"CPUs on which test_vmalloc passed"
	ok $vp_dev "storm 50 case=align"
	same 0 "$(tr ' ' '\n' <$vp_dir/storm | sed -n 's/^failures=//p')" failures
}

unloads() { unload vmalloc_probe; }

run_cases \
	"fix_size:fix_size" \
	"long_busy:long_busy" \
	"random_size:random_size" \
	"align:random_align" \
	"pcpu:per_cpu" \
	"unloads:unloads"
