#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Storms: all CPUs at once, contents verified, and the range as it was before.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

storm_field() { tr ' ' '\n' <$vp_dir/storm | sed -n "s/^$1=//p"; }

# What others hold of the range, and vm_map_ram's blocks, in one line. Stacks
# come and go with every process.
picture()
{
	awk '$1 == "area" && !/ kind=lazy / && !/caller=(kernel_clone|copy_process|dup_task_struct|_do_fork|alloc_thread)/ {
		print $3, $4, $7
	}' $vp_dir/areas | sort | uniq -c
}

storm()
{
	ok $vp_dev "storm $2 case=$1"
	say "$(cat $vp_dir/storm)"
	same "$1" "$(storm_field case)" case
	same "$(grep -c ^processor /proc/cpuinfo)" "$(storm_field cpus)" cpus
	[ "$(storm_field ns_per_operation)" -gt 0 ] || fail "operations that took no time"
	same $(($2 * $(storm_field cpus))) "$(storm_field operations)" operations
	same 0 "$(storm_field failures)" failures
	same 0 "$(storm_field corrupt)" corrupt
	same "$(storm_field own_areas_before)" "$(storm_field own_areas_after)" "areas of the module"
}

mixed()
{
	vp_load
	same '' "$(cat $vp_dir/storm)" "report before the first storm"
	tries=0
	blocks=$(ram_blocks)
	while [ $tries -lt 5 ]; do
		before=$(picture)
		storm mixed 400
		# these would stay, and be there before the next storm
		[ "$(ram_blocks)" -le "$blocks" ] || fail "vm_map_ram has $(ram_blocks) blocks, $blocks before"
		after=$(picture)
		[ "$before" = "$after" ] && return
		tries=$((tries + 1))
	done
	fail "before: $before after: $after"
}

# Pages that are free, those that a CPU keeps for itself among them.
free_pages()
{
	awk '/ pages free / || $1 == "count:" { n += $NF } END { print n }' /proc/zoneinfo
}

# Every fourth operation of mixed maps pages that the storm allocated itself.
pages_come_back()
{
	# what the kernel keeps for the next storm
	storm mixed 2000
	before=$(free_pages)
	storm mixed 2000
	after=$(free_pages)
	say "$before pages were free before, $after are afterwards"
	[ $((before - after)) -lt $((250 * $(storm_field cpus))) ] ||
		fail "$((before - after)) pages are lost"
}

fix_size() { storm fix_size 500; }
random_size() { storm random_size 100; }
random_align() { storm align 100; }
per_cpu() { storm pcpu 600; }

# Of the operations of mixed at least every second one took something, and all of
# that was verified when it was given back.
corruption_is_found()
{
	refused 'Input/output error' $vp_dev "storm 400 case=mixed corrupt"
	say "$(cat $vp_dir/storm)"
	took=$(($(storm_field operations) - $(storm_field failures)))
	[ $((2 * $(storm_field corrupt))) -ge $took ] || fail "$(storm_field corrupt) of $took found"
	grep -q "^$(storm_field corrupt) allocations did not contain" $vp_dir/verdict ||
		fail "verdict: $(cat $vp_dir/verdict)"
	refused 'Input/output error' $vp_dev "storm 50 case=align corrupt"
	same "$(storm_field operations)" "$(storm_field corrupt)" "blocks of align that were found"
	no_own_areas
}

all_threads() { [ "$(threads)" = "$(grep -c ^processor /proc/cpuinfo)" ]; }

# A thread on each CPU, which stays there.
threads_are_bound()
{
	wait_for all_threads || fail "$(threads) threads"
	grep -l '^vmalloc_storm/' /proc/[0-9]*/comm 2>/dev/null | while read -r comm; do
		read -r name <"$comm"
		echo "${name#*/} $(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "${comm%/*}/status")"
	done | sort >"$said_file"
	same "$(sed -n 's/^processor[^0-9]*\([0-9]*\)$/\1 \1/p' /proc/cpuinfo | sort)" \
		"$(cat "$said_file")" "threads, and where they may run"
}

one_at_a_time()
{
	begin_storm mixed
	(
		threads_are_bound
		refused 'Device or resource busy' $vp_dev "storm 1"
		grep -q 'a storm is running' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
		# reading and allocating go on meanwhile
		[ "$(field range used)" ] || fail "no report during a storm"
		ok $vp_dev "alloc 100K name=meanwhile"
		ok $vp_dev "free meanwhile"
		ok $vp_dev "alloc 100K name=stays"
		! rmmod vmalloc_probe 2>/dev/null || fail "unloaded during a storm"
		[ "$(threads)" -gt 0 ] || fail "the storm is over too early"
	)
	result=$?
	end_storm
	[ $result = 0 ] || exit $result
	areas_are_hidden || same '0 1' "$(storm_field own_areas_before) $(storm_field own_areas_after)" \
		"areas of the module, of which one came meanwhile"
	[ "$(storm_field operations)" -lt 10000000 ] || fail "$(storm_field operations) operations, of a storm that was killed"
	ok $vp_dev "free stays"
	storm fix_size 10
}

killed_midway()
{
	begin_storm mixed
	end_storm
	grep -q 'interrupted' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	same 0 "$(own_areas)" "areas of this module"
	unload vmalloc_probe
}

run_cases \
	"everything at once:mixed" \
	"pages come back:pages_come_back" \
	"fix_size:fix_size" \
	"random_size:random_size" \
	"align:random_align" \
	"pcpu:per_cpu" \
	"corruption is found:corruption_is_found" \
	"one at a time:one_at_a_time" \
	"killed midway:killed_midway"
