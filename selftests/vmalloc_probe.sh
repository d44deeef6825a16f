# SPDX-License-Identifier: GPL-2.0
#
# What the tests of vmalloc_probe share; sourced after functions.sh.
# shellcheck disable=SC2034 # used by those who source this

vp_dev=/dev/vmalloc_probe
vp_dir=/sys/kernel/debug/vmalloc_probe

# Kernel addresses as they are, to those who may see them.
vp_load()
{
	unload_vmalloc_probe
	load vmalloc_probe || fail "insmod vmalloc_probe"
	[ -c $vp_dev ] || fail "no $vp_dev"
	echo 1 >/proc/sys/kernel/kptr_restrict
}

unload_vmalloc_probe() { ! loaded vmalloc_probe || unload vmalloc_probe; }

# field RECORD KEY: the value of KEY in the first line of the report that starts
# with RECORD
field()
{
	awk -v record="$1" -v key="$2=" '
		$1 == record {
			for (i = 2; i <= NF; i++)
				if (index($i, key) == 1) {
					print substr($i, length(key) + 1)
					exit
				}
		}' $vp_dev
}

# allocation NAME KEY
allocation()
{
	awk -v name="name=$1" -v key="$2=" '
		$1 == "allocation" && $2 == name {
			for (i = 3; i <= NF; i++)
				if (index($i, key) == 1)
					print substr($i, length(key) + 1)
		}' $vp_dev
}

allocations() { grep -c '^allocation' $vp_dev; }

# The areas that this module asked for.
own_areas() { awk '/^area .*\[vmalloc_probe\]/ { n++ } END { print n + 0 }' $vp_dir/areas; }

# Newer kernels clean up from a work item.
no_own_areas()
{
	wait_for '[ "$(own_areas)" = 0 ]' || fail "$(own_areas) areas are left"
}

# at_least VERSION PATCHLEVEL: is this kernel that one or newer?
at_least()
{
	uname -r | awk -F '[.-]' -v v="$1" -v p="$2" '{ exit !($1 > v || $1 == v && $2 + 0 >= p) }'
}

areas_are_hidden() { [ "$(field range used)" = hidden ]; }

# finding ITEM: what the last check found of it
finding() { awk -v item="$1" '$2 == item { sub(":", "", $3); print $3 }' $vp_dir/check; }
seen() { awk -v item="$1" '$2 == item { sub("^[^:]*: ", ""); print }' $vp_dir/check; }

# The kernel may warn of a size of 0, once: not on the console, and without a panic.
check_zero()
{
	read -r level _ </proc/sys/kernel/printk
	read -r panic </proc/sys/kernel/panic_on_warn
	echo 4 >/proc/sys/kernel/printk
	echo 0 >/proc/sys/kernel/panic_on_warn
	put $vp_dev "check zero"
	result=$?
	echo "$panic" >/proc/sys/kernel/panic_on_warn
	echo "$level" >/proc/sys/kernel/printk
	return $result
}

# Blocks of vm_map_ram(). Older kernels say so of what is being freed, too: that has
# a guard page, or is small.
ram_blocks()
{
	awk -v page="$(page_size)" '$1 == "area" && $4 == "kind=vm_map_ram" {
		pages = substr($3, 6) / page
		n += pages > 100 && pages % 8 == 0
	} END { print n + 0 }' $vp_dir/areas
}

# Storm threads that there are.
threads() { cat /proc/[0-9]*/comm 2>/dev/null | grep -c '^vmalloc_storm'; }

# begin_storm CASE: the longest storm that there is, which nobody wants to see the
# end of
begin_storm()
{
	put $vp_dev "storm 10000000 case=$1" 2>/dev/null &
	storm=$!
	wait_for '[ "$(threads)" -gt 0 ]' || fail "no storm was seen"
}

end_storm()
{
	kill -9 "$storm"
	wait "$storm" 2>/dev/null
	wait_for '[ "$(threads)" = 0 ]' || fail "the storm goes on"
}

# VmallocUsed in KiB; newer kernels count it per CPU, which is folded first
vmalloc_used()
{
	cat /proc/sys/vm/stat_refresh
	meminfo VmallocUsed
}

page_size() { getconf PAGESIZE 2>/dev/null || awk '/^KernelPageSize/ { print $2 * 1024; exit }' /proc/self/smaps; }
