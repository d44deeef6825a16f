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
	! grep -Ev '^# |^VM-[1-9] [a-z_]* (holds|differs|hidden): .' $vp_dir/check || fail "a finding that is none"
}

nothing_differs()
{
	! grep ' differs:' $vp_dir/check || fail "see above"
}

# What no supported kernel hides.
must_hold()
{
	for item in caller too_large wraps rounding range guard_size guard_page \
		    ioremap_alignment array mapping lazy purge; do
		same holds "$(finding $item)" "$item: $(seen $item)"
	done
}

# holds_if CONDITION ITEM: ITEM is hidden where this kernel cannot show it, and
# nowhere else
holds_if()
{
	if eval "$1"; then
		same holds "$(finding "$2")" "$2: $(seen "$2")"
	else
		same hidden "$(finding "$2")" "$2: $(seen "$2")"
	fi
}

# Pages that the buddy allocator was given for the first node's ZONE_DMA
dma_pages()
{
	awk '/^Node/ { here = $2 == "0," && $4 == "DMA" }
	     here && $1 == "managed" { pages = $2 }
	     END { print pages + 0 }' /proc/zoneinfo
}

hidden_only_where_it_must_be()
{
	holds_if 'at_least 6 18' alignment
	# as in the experiment: a zone of which little is missed for a moment
	pages=$(dma_pages)
	total=$(($(meminfo MemTotal) * 1024 / $(page_size)))
	holds_if "[ $pages -gt 0 ] && [ $pages -le $((total / 8)) ]" midway
	holds_if '[ -d /sys/devices/system/node/node1 ]' node
	case $(uname -m) in
	x86_64 | aarch64) holds_if 'at_least 6 1' huge ;;
	*) holds_if false huge ;;
	esac
	# which would crash it, or is for user space to see
	holds_if false interrupt
	holds_if false kmemleak
}

huge_pages()
{
	if [ "$(finding huge)" = hidden ]; then
		ok $vp_dev "alloc 4M huge name=h"
		same 0 "$(allocation h huge_pages)" "huge pages on a kernel that has none"
		ok $vp_dev "free h"
		return
	fi
	size=$(seen huge | sed 's/ .*//')
	for times in 2 1 1; do
		ok $vp_dev "alloc $((times * size)) huge name=h"
		pages=$(allocation h huge_pages)
		[ "$pages" = 0 ] || break
		ok $vp_dev "free h"
	done
	if [ "$pages" = 0 ]; then
		ok $vp_dev check
		same hidden "$(finding huge)" "huge pages, of which an allocation has none"
		skip "no huge page was free"
	fi
	ok $vp_dev "dump h"
	order=$(awk '!/^#/ { print $4 }' $vp_dir/dump | sort -u)
	[ "$order" -gt 0 ] || fail "pages of order $order"
	same "$order" "$(sed -n 's/^area .* order=\([0-9]*\) .*\[vmalloc_probe\].*/\1/p' $vp_dir/areas | sort -n | tail -n 1)" \
		"order in the list of areas"
	same "$(allocation h pages)" $((pages << order)) "pages in $pages huge ones of order $order"
	[ "$(allocation h runs)" -le "$pages" ] || fail "more runs than huge pages"
	ok $vp_dev "free h"
}

size_of_zero()
{
	same hidden "$(finding zero)" "zero, which was not asked for"
	check_zero || fail "'check zero': $(cat $vp_dir/verdict)"
	same holds "$(finding zero)" "zero: $(seen zero)"
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
	"hidden only where it must be:hidden_only_where_it_must_be" \
	"huge pages:huge_pages" \
	"a size of zero:size_of_zero" \
	"nothing is left:nothing_is_left"
