#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm-arm64: --mem 1G --smp 2 --append 'cma=17M crashkernel=32M retain_initrd' --qemu '-object memory-backend-ram,id=m0,size=512M -object memory-backend-ram,id=m1,size=512M -numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,cpus=1,memdev=m1'
# kmemlab-vm-x86_64: --mem 5G --smp 2 --append 'cma=64M numa_cma=1:16M hugetlb_cma=1:1G crashkernel=32M retain_initrd mem=nopentium nokaslr' --qemu '-smp 2,sockets=2 -object memory-backend-ram,id=m0,size=2G -object memory-backend-ram,id=m1,size=3G -numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,cpus=1,memdev=m1'
#
# Two nodes: on arm64 they adjoin, on a PC the hole below 4 GiB is between
# them. There, CMA ends up above 4 GiB; a kernel that is placed in the second node,
# too, may leave no GiB in one piece there.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
[ -d /sys/devices/system/node/node1 ] || skip_all "needs a machine with two nodes"
bm_load

# memory_of NODE: bytes of memblock's memory
memory_of()
{
	sum=0
	for range in $(sed -n "s/^memory [0-9]* \([^ ]*\) node=$1\( .*\)\{0,1\}$/\1/p" "$bm_dir/memblock"); do
		sum=$((sum + ${range#*-} + 1 - ${range%-*}))
	done
	echo $sum
}

start_of() { awk -v n="node=$1" '$1 == "model" && $2 == n { print substr($3, 7) }' "$bm_dir/map"; }
last_of() { awk -v n="node=$1" '$1 == "run" && $2 == n { split($3, r, "-"); last = r[2] } END { print last }' "$bm_dir/map"; }
in_node() { awk -v n="node=$1" '$1 == "run" && $2 == n && $4 == "free" { sum += substr($5, 5) } END { printf "%d\n", sum }' "$bm_dir/map"; }

nodes()
{
	same 2 "$(grep -c '^model ' "$bm_dir/map")" "nodes of the model"
	for node in 0 1; do
		same "$(awk -v n=$node '$2 == n && $3 == "MemTotal:" { print $4 }' /sys/devices/system/node/node$node/meminfo)" \
			"$(awk -F'managed=' -v n="node=$node " '$1 ~ n { sum += $2 } END { print sum }' "$bm_dir/zones")" \
			"MemTotal of node $node"
	done
	same "$(meminfo MemTotal)" "$(bm_field zones '^total' managed)" MemTotal
	cma_by_zone
	grep -q '^memory .* node=' "$bm_dir/memblock" || return 0
	for node in 0 1; do
		present=$(awk -v n="Node$node" '$1 == "Node" { now = $1 $2 + 0 } $1 == "present" && now == n { sum += $2 } END { print sum }' /proc/zoneinfo)
		same $((present * $(bm_page))) "$(memory_of $node)" "memory of node $node in memblock"
	done
}

# free what is reserved around the border first, so that the border is free
over_the_border()
{
	ok $bm_dev reset
	border=$(start_of 1)
	end=$(last_of 0)
	from=$((end + 1 - 1048576))
	if [ $((end + 1)) = $((border)) ]; then
		ok $bm_dev "reserve $from 2M"
		free0=$(in_node 0)
		free1=$(in_node 1)
		ok $bm_dev "free $from 2M"
		same $((free0 + 1024)) "$(in_node 0)" "free in node 0"
		same $((free1 + 1024)) "$(in_node 1)" "free in node 1"
		ok $bm_dev "reserve $from 2M exclusive"
		bm_refused 'Device or resource busy' "reserve $((from - 4096)) 2M exclusive"
		same "$free0 $free1" "$(in_node 0) $(in_node 1)" "free in both"
	else
		ok $bm_dev "reserve $from 1M"
		bm_refused 'Numerical result out of range' "reserve $from 2M"
		bm_refused 'Numerical result out of range' "free $from 2M"
		bm_refused 'Numerical result out of range' "reserve $from $((border - from + 4096))"
		bm_refused 'Numerical result out of range' "reserve $((end + 1)) 4K"
		grep -q 'in no node' "$bm_dir/verdict" || fail "$(cat "$bm_dir/verdict")"
	fi
}

by_goal()
{
	ok $bm_dev reset
	free0=$(in_node 0)
	ok $bm_dev "alloc 1M align=4K goal=$(start_of 1)"
	same "$free0" "$(in_node 0)" "node 0 after an alloc with its goal in node 1"
	# nothing of node 0 is left: the next node follows
	ok $bm_dev reset
	free1=$(in_node 1)
	while put $bm_dev "alloc 64M align=4K limit=$(($(last_of 0) + 1))" 2>/dev/null; do
		same "$free1" "$(in_node 1)" "node 1 below the limit"
	done
	ok $bm_dev "alloc 64M align=4K"
	same $((free1 - 65536)) "$(in_node 1)" "node 1 once node 0 is full"
}

# node_effect PARAMETER=VALUE MIB: as asked, where the kernel knows it at all
node_effect()
{
	if [ -z "$total" ] || unknown "${1%%=*}"; then
		bm_effect "$1" not-at-all
	else
		has="as-asked: node 1 has $(cma_blocks | awk '$1 == 1 { sum += $3 } END { print sum }') KiB of CMA"
		grep -q "^param $1 $has$" "$bm_dir/parameters" ||
			fail "$1 is not $has: $(cat "$bm_dir/parameters")"
		expected=$((expected + $2 * 1024))
	fi
}

# bytes that the kernel has for a crash kernel, if it is made for one
crash_size() { cat /sys/kernel/kexec_crash_size 2>/dev/null || echo 0; }

# findings NUMBER: so many, besides that of a crash kernel without memory
findings()
{
	expected=$1
	[ "$(crash_size)" != 0 ] || expected=$((expected + 1))
	same "lint findings=$expected" "$(head -n 1 "$bm_dir/lint")" lint
}

# cma= without an address ends up out of reach of 32-bit devices on a PC; all
# sizes come in blocks
cma()
{
	if ! is_x86; then
		bm_effect cma=17M differently
		# newer kernels give an area of that size to each node besides
		grep -qE '^param cma=17M differently: .*(rounded up|each node)' "$bm_dir/parameters" ||
			fail "$(cat "$bm_dir/parameters")"
		findings 0
		return
	fi
	grep -q '^param mem=nopentium not-at-all: not a size$' "$bm_dir/parameters" ||
		fail "$(cat "$bm_dir/parameters")"
	total=$(meminfo CmaTotal)
	expected=65536
	node_effect numa_cma=1:16M 16
	node_effect hugetlb_cma=1:1G 1024
	if [ "$total" ]; then
		bm_effect cma=64M as-asked
		same $expected "$total" CmaTotal
		bm_found cma-above-4g
	else
		bm_found no-cma
	fi
	findings 1
}

# What was asked for is there, where the kernel can have it at all.
crash()
{
	size=$(crash_size)
	if [ "$size" = 0 ]; then
		bm_effect crashkernel=32M not-at-all
		bm_found crashkernel-failed
		return
	fi
	same $((32 << 20)) "$size" "the crash kernel's memory"
	grep -q '^param crashkernel=32M as-asked: 32768 KiB are reserved$' "$bm_dir/parameters" ||
		fail "$(cat "$bm_dir/parameters")"
	grep -q '^used crash-kernel name=Crash kernel kib=32768 ' "$bm_dir/used" ||
		fail "$(cat "$bm_dir/used")"
	same 32768 "$(awk '$3 == "use=crash-kernel" { sum += substr($4, 5) } END { print sum }' "$bm_dir/layout")" \
		"the crash kernel's part of the layout"
}

# What is kept is seen where it is, and how large; newer kernels show it in sysfs.
initrd()
{
	kib=$(bm_field used '^used initrd' kib)
	[ "${kib:-0}" -gt 0 ] || fail "no RAM disk: $(cat "$bm_dir/used")"
	same "$kib" "$(awk '$3 == "use=initrd" { sum += substr($4, 5) } END { print sum }' "$bm_dir/layout")" \
		"the RAM disk in the layout"
	[ -e /sys/firmware/initrd ] || return 0
	size=$(($(stat -c %s /sys/firmware/initrd) / 1024))
	more=$((kib - size))
	[ $more -ge 0 ] || fail "the RAM disk has $size KiB, not $kib"
	[ $more -le $((2 * $(bm_page) / 1024)) ] || fail "the RAM disk has $size KiB, not $kib"
}

run_cases "each node has its zones and its bitmap:nodes" \
	"a range over two nodes, or over the gap between them:over_the_border" \
	"a goal in the second node, and a full first one:by_goal" \
	"CMA of each node, rounded, or above 4 GiB:cma" \
	"memory for a crash kernel:crash" \
	"a RAM disk that is kept:initrd"
