#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The contract of vmalloc, VM-1 to VM-9, on this kernel: a record for each line,
# nothing differs, and what can be seen here is seen.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

every_line_has_a_record()
{
	vp_load
	same 1 "$(wc -l <$vp_dir/check)" "lines before the first check"
	ok $vp_dev check
	while read -r line; do
		say "$line"
	done <$vp_dir/check
	for fact in 1 2 3 4 5 6 7 8 9; do
		grep -q "^VM-$fact [a-z_]* [a-z]*: ." $vp_dir/check || fail "no record of VM-$fact"
	done
	awk '/^VM/ && $3 != "holds:" && $3 != "differs:" && $3 != "hidden:" { exit 1 }' \
		$vp_dir/check || fail "a finding that is none"
}

nothing_differs()
{
	! grep ' differs:' $vp_dir/check || fail "see above"
}

# What no supported kernel hides.
must_hold()
{
	for item in caller too_large wraps rounding range guard_size guard_page mapping lazy purge; do
		same holds "$(finding $item)" "$item"
	done
}

nested_array_where_it_starts()
{
	[ "$(finding array)" = hidden ] && skip "$(seen array)"
	same holds "$(finding array)" array
}

ioremap_is_aligned()
{
	[ "$(finding ioremap_alignment)" = hidden ] && skip "$(seen ioremap_alignment)"
	same holds "$(finding ioremap_alignment)" ioremap_alignment
}

alignment_by_argument()
{
	[ "$(finding alignment)" = hidden ] && skip "$(seen alignment)"
	same holds "$(finding alignment)" alignment
}

nodes_are_honoured()
{
	[ -d /sys/devices/system/node/node1 ] || skip "one node only"
	same holds "$(finding node)" node
	for node in 0 1; do
		ok $vp_dev "alloc 1M node=$node name=n$node"
		pages=$((1048576 / $(page_size)))
		same $pages "$(allocation n$node N$node)" "pages of n$node on node $node"
		ok $vp_dev "free n$node"
	done
}

failure_midway()
{
	[ "$(finding midway)" = hidden ] && skip "$(seen midway)"
	same holds "$(finding midway)" midway
}

huge_pages()
{
	[ "$(finding huge)" = hidden ] && skip "$(seen huge)"
	same holds "$(finding huge)" huge
	ok $vp_dev "alloc 4M huge name=h"
	pages=$(allocation h huge_pages)
	[ "$pages" -gt 0 ] || skip "no huge page was free"
	ok $vp_dev "dump h"
	awk '!/^#/ && $4 == 0 { exit 1 }' $vp_dir/dump || fail "a page of order 0"
	[ "$(allocation h runs)" -le "$pages" ] || fail "more runs than huge pages"
	ok $vp_dev "free h"
}

nothing_is_left()
{
	same 0 "$(own_areas)" "areas of this module"
	ok $vp_dev check
	same 0 "$(own_areas)" "areas of this module after another check"
	unload vmalloc_probe
}

run_cases \
	"every line has a record:every_line_has_a_record" \
	"nothing differs:nothing_differs" \
	"what no kernel hides holds:must_hold" \
	"the nested page array:nested_array_where_it_starts" \
	"ioremap is aligned:ioremap_is_aligned" \
	"alignment by argument:alignment_by_argument" \
	"nodes are honoured:nodes_are_honoured" \
	"failure midway:failure_midway" \
	"huge pages:huge_pages" \
	"nothing is left:nothing_is_left"
