#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm-arm64: --mem 1G --smp 2 --append 'cma=17M crashkernel=32M retain_initrd' --qemu '-object memory-backend-ram,id=m0,size=512M -object memory-backend-ram,id=m1,size=512M -numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,cpus=1,memdev=m1'
# kmemlab-vm-x86_64: --mem 5G --smp 2 --append 'cma=64M numa_cma=1:16M hugetlb_cma=1:1G crashkernel=32M retain_initrd mem=nopentium nokaslr' --qemu '-smp 2,sockets=2 -object memory-backend-ram,id=m0,size=2G -object memory-backend-ram,id=m1,size=3G -numa node,nodeid=0,cpus=0,memdev=m0 -numa node,nodeid=1,cpus=1,memdev=m1'
#
# VM-5: pages come from the node that was asked for.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
[ -d /sys/devices/system/node/node1 ] || skip_all "needs a machine with two nodes"

# on_node NAME NODE: all of its pages, as the summary and each line of the dump say
on_node()
{
	same "$(allocation "$1" pages)" "$(allocation "$1" "N$2")" "pages of $1 on node $2"
	same '' "$(allocation "$1" "N$((1 - $2))")" "pages of $1 on the other node"
	ok $vp_dev "dump $1"
	awk -v node="$2" -v pages="$(allocation "$1" pages)" '
		NR > 1 && $3 == node { n++ }
		END { exit n != pages }' $vp_dir/dump || fail "the dump has $1 elsewhere"
}

# Page frames from node1's sysfs: what the module says is what the kernel says.
frames_of_node_1_are_there()
{
	first=$(awk '/^Node 1, zone/ { here = 1 } here && $1 == "start_pfn:" { print $2; exit }' /proc/zoneinfo)
	awk -v first="$first" '
		function number(hex,   i, value) {
			for (i = 3; i <= length(hex); i++)
				value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return value
		}
		NR > 1 && (number($2) >= first) != ($3 == 1) { exit 1 }' $vp_dir/dump ||
		fail "page frames on both sides of $first"
}

check_holds()
{
	vp_load
	ok $vp_dev check
	same holds "$(finding node)" "node: $(seen node)"
	say "$(seen node)"
}

each_node()
{
	for node in 0 1; do
		ok $vp_dev "alloc 3M node=$node name=n$node"
		on_node n$node $node
		frames_of_node_1_are_there
	done
	ok $vp_dev "free all"
}

aligned_on_a_node()
{
	ok $vp_dev "alloc 100K align=1M node=1 name=a"
	on_node a 1
	ok $vp_dev "free a"
}

huge_on_a_node()
{
	if { put $vp_dev "alloc 4M huge node=1 name=h"; } 2>/dev/null; then
		on_node h 1
		ok $vp_dev "free h"
		return
	fi
	grep -q 'exports no vmalloc with this combination' $vp_dir/verdict ||
		fail "verdict: $(cat $vp_dir/verdict)"
	[ "$(uname -r | awk -F '[.-]' '{ print $1 * 100 + $2 }')" -lt 618 ] ||
		fail "refused: $(cat $vp_dir/verdict)"
}

no_such_node()
{
	for node in 2 3 99; do
		refused 'Invalid argument' $vp_dev "alloc 4K node=$node"
	done
	same 0 "$(allocations)" allocations
	unload vmalloc_probe
}

run_cases \
	"check holds:check_holds" \
	"each node:each_node" \
	"aligned on a node:aligned_on_a_node" \
	"huge on a node:huge_on_a_node" \
	"no such node:no_such_node"
