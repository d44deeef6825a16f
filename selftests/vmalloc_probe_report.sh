#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The report of /dev/vmalloc_probe is exact: it agrees with a count made from
# /proc/vmallocinfo by another program, and with what /proc/meminfo says.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
[ -r /proc/vmallocinfo ] || skip_all "no /proc/vmallocinfo"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kind() { awk -v name="name=$1" '$1 == "kind" && $2 == name { sub("areas=", "", $3); print $3 }' "$work/report"; }
from_report() { field_of "$work/report" range "$1"; }
field_of()
{
	awk -v record="$2" -v key="$3=" '$1 == record {
		for (i = 2; i <= NF; i++)
			if (index($i, key) == 1)
				print substr($i, length(key) + 1)
	}' "$1"
}

# The report, with nothing that changed in the kernel's own list meanwhile: one
# process reads all, because another would bring a stack with it.
quiet_report()
{
	tries=0
	while [ $tries -lt 40 ]; do
		cat /proc/vmallocinfo $vp_dev /proc/vmallocinfo >"$work/all"
		awk -v work="$work" '
			/^# vmalloc_probe/ { part = 1 }
			/^0x/ && part == 1 { part = 2 }
			{ print >(work "/" (part == 0 ? "before" : part == 1 ? "report" : "after")) }
		' "$work/all"
		cmp -s "$work/before" "$work/after" && return 0
		tries=$((tries + 1))
	done
	fail "the areas never kept still"
}

agree()
{
	quiet_report
	awk -v start="$(from_report start)" -v end="$(from_report end)" \
		-f "$here/vmallocinfo.awk" "$work/before" | tr ' ' '\n' >"$work/count"
	say "$(tr '\n' ' ' <"$work/count")"
	for key in areas used holes largest_hole largest_hole_at; do
		same "$(sed -n "s/^$key=//p" "$work/count")" "$(from_report $key)" "$key"
	done
	same "$(sed -n 's/^pages=//p' "$work/count")" \
		$(($(from_report pages) + $(field_of "$work/report" outside pages))) pages
	same "$(sed -n 's/^outside=//p' "$work/count")" \
		"$(field_of "$work/report" outside areas)" "areas outside"
	same "$(sed -n 's/^from//p' "$work/count" | sort)" \
		"$(sed -n 's/^holes from=\([0-9]*\) count=\([0-9]*\) .*/\1=\2/p' "$work/report" | sort)" \
		"holes by class"
	for name in vmalloc vmap ioremap vm_map_ram dma module; do
		same "$(sed -n "s/^$name=//p" "$work/count")" "$(($(kind $name)))" "areas of kind $name"
	done
	# on a list of each node, of which there were none before
	if at_least 6 9; then
		same "$(sed -n 's/^lazy=//p' "$work/count")" "$(from_report lazy)" lazy
	else
		same hidden "$(from_report lazy)" lazy
	fi
}

agrees_with_vmallocinfo()
{
	vp_load
	areas_are_hidden && fail "the areas are hidden: $(dmesg | grep vmalloc_probe)"
	agree
}

agrees_when_crowded()
{
	ok $vp_dev "alloc 3M name=one"
	ok $vp_dev "alloc 70K align=256K name=two"
	ok $vp_dev "alloc 4M huge name=three"
	ok $vp_dev "fill 20K count=500 name=many"
	agree
	ok $vp_dev "free one"
	agree
	ok $vp_dev "free all"
	agree
}

agrees_with_vmallocused()
{
	ok $vp_dev "alloc 5M name=one"
	page=$(page_size)
	refresh=/proc/sys/vm/stat_refresh	# newer kernels count per CPU; this folds it
	tries=0
	while [ $tries -lt 40 ]; do
		cat $refresh /proc/meminfo $vp_dev $refresh /proc/meminfo >"$work/all"
		used=$(awk '$1 == "VmallocUsed:" { print $2 }' "$work/all" | sort -u)
		tries=$((tries + 1))
		case $used in
		*[!0-9]*) continue ;;
		esac
		pages=$(awk '$1 == "range" || $1 == "outside" {
			for (i = 2; i <= NF; i++)
				if ($i ~ /^pages=/)
					n += substr($i, 7)
		} END { print n }' "$work/all")
		same "$used" $((pages * page / 1024)) "VmallocUsed in KiB"
		ok $vp_dev "free one"
		return
	done
	fail "VmallocUsed never kept still"
}

range_is_the_kernels()
{
	total=$(meminfo VmallocTotal)
	size=$(field range size)
	page=$(page_size)
	# VmallocTotal counts to the last byte where VMALLOC_END is that
	awk -v total="$total" -v size="$size" -v page="$page" 'BEGIN {
		exit !(size / 1024 <= total + 1 && size / 1024 + page / 1024 >= total)
	}' || fail "size=$size, VmallocTotal is $total KiB"
	same 0 $((size % page)) "bytes beyond whole pages"
	same 0 "$(meminfo VmallocChunk)" "VmallocChunk, which nobody computes"
}

sums_are_consistent()
{
	awk '
	$1 == "range" || $1 == "kind" || $1 == "holes" || $1 == "caller" || $1 == "outside" {
		for (i = 2; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		}
	}
	$1 == "range" {
		fragmentation = value["fragmentation"]
		size = value["size"]; used = value["used"]; free = value["free"]
		areas = value["areas"]; holes = value["holes"]; largest = value["largest_hole"]
	}
	$1 == "outside" { areas += value["areas"]; bytes = used + value["bytes"] }
	$1 == "kind" && value["name"] != "lazy" { kind_areas += value["areas"]; kind_bytes += value["bytes"] }
	$1 == "holes" { hole_count += value["count"]; hole_bytes += value["bytes"]
		if (value["from"] <= largest && largest < 2 * value["from"]) in_class = 1 }
	END {
		if (used + free != size) { print "used and free are not the size"; exit 1 }
		if (kind_areas != areas || kind_bytes != bytes) {
			printf "kinds: %d areas, %.0f bytes; range: %d, %.0f\n", kind_areas, kind_bytes, areas, bytes
			exit 1
		}
		if (hole_count != holes || hole_bytes != free) { print "holes by class are not all holes"; exit 1 }
		if (!in_class) { print "the largest hole is in no class"; exit 1 }
		index_ = (free - largest) / free
		if (fragmentation - index_ > 0.001 || index_ - fragmentation > 0.001) {
			printf "fragmentation is %s, not %.3f\n", fragmentation, index_
			exit 1
		}
	}' $vp_dev >"$work/said" || fail "$(cat "$work/said")"
}

callers_add_up()
{
	# in one process and once more at the end: areas come and go with others
	tries=0
	while :; do
		counts=$(cat $vp_dir/areas $vp_dir/callers $vp_dir/areas | awk '
			/^#/ { part++ }
			$1 == "area" && !/ kind=lazy / {
				areas[part]++
				sub("size=", "", $3); bytes[part] += $3
				sub("pages=", "", $5); pages[part] += $5
			}
			$1 == "caller" {
				sub("areas=", "", $2); areas[part] += $2
				sub("bytes=", "", $3); bytes[part] += $3
				sub("pages=", "", $4); pages[part] += $4
			}
			END {
				for (part = 1; part <= 3; part++)
					printf "%d/%.0f/%d ", areas[part], bytes[part], pages[part]
			}')
		# shellcheck disable=SC2086 # three words
		set -- $counts
		[ "$1" != "$3" ] || break
		tries=$((tries + 1))
		[ $tries -lt 40 ] || fail "the areas never kept still: $counts"
	done
	same "$1" "$2" "areas, bytes and pages of all callers"
	awk '$1 == "caller" { split($3, b, "="); if (n++ && b[2] > last) exit 1; last = b[2] }' \
		$vp_dir/callers || fail "callers are not sorted by bytes"
	callers=$(grep -c ^caller $vp_dir/callers)
	[ "$callers" -lt 10 ] || callers=10
	same "$callers" "$(grep -c ^caller $vp_dev)" "callers in the summary"
}

areas_are_by_address()
{
	awk '$1 == "area" {
		at = substr($2, 4) + 0
		if (n++ && at < last)
			exit 1
		last = at
	}' $vp_dir/areas || fail "an area comes before one at a lower address"
}

ioremaps_are_where_they_are()
{
	for file in /proc/vmallocinfo $vp_dir/areas; do
		grep -o 'phys=0x[0-9a-f]*' "$file" | sort
	done >"$work/phys"
	[ -s "$work/phys" ] || skip "nothing is mapped"
	half=$(($(wc -l <"$work/phys") / 2))
	same "$(head -n $half "$work/phys")" "$(tail -n $half "$work/phys")" "physical addresses"
}

locks_are_timed()
{
	[ "$(field gathered locked_ns_max)" -gt 0 ] || fail "no lock was held for any time"
	awk '$1 == "gathered" {
		for (i = 2; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		}
	} END { exit value["locked_ns_mean"] > value["locked_ns_max"] }' $vp_dev || fail "the mean is above the maximum"
}

# Each area that has a caller, a line: start, size, caller, pages, where it leads. All
# are read by one process, and the kernel's own list twice.
areas_are_the_kernels()
{
	tries=0
	while :; do
		cat /proc/vmallocinfo $vp_dir/areas /proc/vmallocinfo | awk -v work="$work" '
			/^# areas/ { ours = 1 }
			!/\+0x/ { next }
			{ split("", value) }
			/^0x/ {
				split($1, ends, "-")
				value["start"] = ends[1]
				value["size"] = $2
				value["caller"] = $3
			}
			{
				for (i = 2; i <= NF; i++)
					if (split($i, pair, "=") == 2)
						value[pair[1]] = pair[2]
				print value["start"], value["size"], value["caller"], value["pages"] + 0, value["phys"] \
					>(work "/" (/^area/ ? "ours" : ours ? "again" : "theirs"))
			}'
		! cmp -s "$work/theirs" "$work/again" || break
		tries=$((tries + 1))
		[ $tries -lt 40 ] || fail "the areas never kept still"
	done
	[ "$(wc -l <"$work/ours")" -gt 10 ] || fail "only $(wc -l <"$work/ours") areas with a caller"
	same "$(sort "$work/theirs")" "$(sort "$work/ours")" "areas with a caller"
}

own_areas_are_attributed()
{
	ok $vp_dev "fill 16K count=300 name=many"
	grep -q '^caller areas=300 .*\[vmalloc_probe\]$' $vp_dir/callers ||
		fail "no caller with 300 areas: $(grep vmalloc_probe $vp_dir/callers)"
	same 300 "$(own_areas)" "areas of this module"
	ok $vp_dev "free many"
	same 0 "$(own_areas)" "areas of this module afterwards"
}

# Of what does not change meanwhile the report is exact, whatever else does; and
# whoever allocates goes on.
exact_while_others_allocate()
{
	count=100000
	[ "$(field range size)" -gt 4294967296 ] || count=10000
	page=$(page_size)
	ok $vp_dev "fill 1 count=$count name=many"
	: >"$work/times"
	(
		while put $vp_dev "alloc 8K name=other" && put $vp_dev "free other"; do
			echo >>"$work/times"
		done
	) &
	other=$!
	reads=0
	while [ "$(wc -l <"$work/times")" -lt 20 ]; do
		callers=$(grep '^caller .*\[vmalloc_probe\]$' $vp_dev)
		case $callers in
		"caller areas=$count bytes=$((count * 2 * page)) "*) ;;
		*)
			kill $other
			fail "of $count areas: $callers" ;;
		esac
		reads=$((reads + 1))
	done
	kill -0 $other || fail "an allocation failed meanwhile"
	kill $other
	wait $other 2>/dev/null
	{ put $vp_dev "free other"; } 2>/dev/null
	say "$reads reports of $count areas, $(wc -l <"$work/times") allocations meanwhile"
	ok $vp_dev "free many"
	same 0 "$(own_areas)" "areas of this module afterwards"
}

addresses_are_protected()
{
	ok $vp_dev "alloc 4K name=one"
	echo 2 >/proc/sys/kernel/kptr_restrict
	shown="$(allocation one address) $(field range start) $(field range end) $(sed -n 's/.* start=//p' $vp_dir/areas)"
	echo 1 >/proc/sys/kernel/kptr_restrict
	same '' "$(echo "$shown" | tr -d '0x \n')" "digits of addresses under kptr_restrict=2"
	case $(allocation one address) in
	*[1-9a-f]*) ;;
	*) fail "no address under kptr_restrict=1" ;;
	esac
	ok $vp_dev "free one"
	"$here/unprivileged" cat $vp_dir/areas >"$work/areas" || fail "root without a capability cannot read"
	! grep ' phys=' "$work/areas" || fail "a physical address without CAP_SYS_ADMIN"
	same '' "$(sed -n 's/.* start=//p' "$work/areas" | tr -d '0x\n')" "digits of addresses without CAP_SYSLOG"
	for file in "$vp_dir"/*; do
		same 400 "$(stat -c %a "$file")" "mode of $file"
	done
	same 600 "$(stat -c %a $vp_dev)" "mode of $vp_dev"
}

reads_in_small_pieces()
{
	dd if=$vp_dir/areas bs=7 2>/dev/null | awk 'END { exit NR < 2 }' || fail "areas, 7 bytes a read"
	dd if=$vp_dev bs=1 2>/dev/null | awk 'END { exit NR < 5 }' || fail "summary, a byte a read"
}

unloads() { unload vmalloc_probe; }

run_cases \
	"agrees with /proc/vmallocinfo:agrees_with_vmallocinfo" \
	"agrees with it when crowded:agrees_when_crowded" \
	"agrees with VmallocUsed:agrees_with_vmallocused" \
	"the range is the kernel's:range_is_the_kernels" \
	"sums are consistent:sums_are_consistent" \
	"callers add up:callers_add_up" \
	"areas are by address:areas_are_by_address" \
	"ioremaps are where they are:ioremaps_are_where_they_are" \
	"locks are timed:locks_are_timed" \
	"areas are the kernel's:areas_are_the_kernels" \
	"own areas are attributed:own_areas_are_attributed" \
	"exact while others allocate:exact_while_others_allocate" \
	"addresses are protected:addresses_are_protected" \
	"reads in small pieces:reads_in_small_pieces" \
	"unloads:unloads"
