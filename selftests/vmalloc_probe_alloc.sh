#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Allocations by name: what they are like, and every input that is refused with
# nothing changed.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

inval='Invalid argument'
erange='Numerical result out of range'
nomem='Cannot allocate memory'

sizes_and_guard()
{
	vp_load
	page=$(page_size)
	ok $vp_dev "alloc 1 name=one"
	ok $vp_dev "alloc 100K name=many"
	same 1 "$(allocation one size)" "size of one byte"
	same 1 "$(allocation one pages)" "pages of one byte"
	same $((102400 / page + (102400 % page > 0))) "$(allocation many pages)" "pages of 100K"
	same $(($(allocation one pages) * page + page)) "$(allocation one range)" "range of one byte"
	same "$page" "$(allocation many guard)" "guard"
	same 0 "$(allocation many slack)" "slack"
	ok $vp_dev "free one"
	ok $vp_dev "free many"
	same 0 "$(allocations)" "allocations"
	same 0 "$(own_areas)" "areas"
}

alignment()
{
	for align in 4K 64K 1M; do
		ok $vp_dev "alloc 20K align=$align name=a"
		bytes=$(awk -v a="$align" 'BEGIN { print a * (a ~ /M/ ? 1048576 : 1024) }')
		address=$(allocation a address)
		# the last digits decide, and fit in any shell's arithmetic
		digits=0x$(echo "$address" | sed 's/.*\(.......\)$/\1/')
		same 0 $((digits % bytes)) "address $address modulo $align"
		ok $vp_dev "free a"
	done
}

names()
{
	ok $vp_dev "alloc 4K name=v2"
	ok $vp_dev "alloc 4K"
	ok $vp_dev "alloc 4K"
	same 'v2 v1 v3' "$(sed -n 's/^allocation name=\([^ ]*\) .*/\1/p' $vp_dev | xargs)" \
		"names, of which the first was taken"
	ok $vp_dev "alloc 4K name=A-b_c.1234567890123456789012345"
	refused 'File exists' $vp_dev "alloc 4K name=A-b_c.1234567890123456789012345"
	refused "$inval" $vp_dev "alloc 4K name=A-b_c.12345678901234567890123456"
	refused "$inval" $vp_dev "alloc 4K name=a/b"
	refused "$inval" $vp_dev "alloc 4K name="
	refused "$inval" $vp_dev "fill 4K count=1 name=a/b"
	refused "$inval" $vp_dev "free a/b"
	refused 'No such file or directory' $vp_dev "free nobody"
	same 4 "$(allocations)" "allocations after refusals"
	ok $vp_dev "free all"
	ok $vp_dev "free all"
	same 0 "$(allocations)" "allocations after free all"
}

pattern_is_verified()
{
	ok $vp_dev "alloc 64K name=good"
	ok $vp_dev "alloc 64K name=bad"
	ok $vp_dev "alloc 64K name=worse"
	ok $vp_dev "corrupt bad"
	ok $vp_dev "corrupt worse"
	mark_log
	ok $vp_dev "free good"
	refused 'Input/output error' $vp_dev "free worse"
	refused 'Input/output error' $vp_dev "free bad"
	same 2 "$(log_since | sed -n 's/.* byte 32768 of 65536: found [0-9a-f]* instead of //p' | sort -u | wc -l)" \
		"words that should have been there, in two blocks"
	grep -q "'bad' did not contain" $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	# wherever it is, from the first byte to the last
	for at in 0 1 8191 40000 65535; do
		ok $vp_dev "alloc 64K name=bad"
		ok $vp_dev "corrupt bad at=$at"
		refused 'Input/output error' $vp_dev "free bad"
	done
	ok $vp_dev "alloc 64K name=good"
	refused "$erange" $vp_dev "corrupt good at=64K"
	refused "$erange" $vp_dev "corrupt good at=16E"
	refused "$inval" $vp_dev "corrupt good at=x"
	ok $vp_dev "free good"
	# of a single page it is a byte in the middle
	ok $vp_dev "alloc 1 name=inside"
	ok $vp_dev "corrupt inside"
	refused 'Input/output error' $vp_dev "free inside"
	# and of all that are given back it is one
	ok $vp_dev "alloc 64K name=bad"
	ok $vp_dev "corrupt bad"
	ok $vp_dev "alloc 64K name=good"
	refused 'Input/output error' $vp_dev "free all"
	same 0 "$(allocations)" "allocations"
	same 0 "$(own_areas)" "areas"
}

dump_page_by_page()
{
	same 0 "$(wc -l <$vp_dir/dump)" "lines of a dump of nothing"
	ok $vp_dev "alloc 300K name=d"
	ok $vp_dev "dump d"
	pages=$(allocation d pages)
	same $((pages + 1)) "$(wc -l <$vp_dir/dump)" "lines for $pages pages"
	awk 'NR > 1 && ($1 != NR - 2 || $2 !~ /^0x[0-9a-f]+$/ || NF != 4) { exit 1 }' $vp_dir/dump ||
		fail "a line that is none"
	same "$pages" "$(awk 'NR > 1 { print $2 }' $vp_dir/dump | sort -u | wc -l)" "different pages"
	# the runs that it shows are those of the summary
	expected=$(awk '
		function number(hex,   i, value) {
			for (i = 3; i <= length(hex); i++)
				value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return value
		}
		NR > 1 {
			pfn = number($2)
			if (NR == 2 || pfn != last + 1) {
				runs++
				run = 0
			}
			if (++run > longest)
				longest = run
			last = pfn
		}
		END { print runs, longest }' $vp_dir/dump)
	same "$expected" "$(allocation d runs) $(allocation d longest_run)" "runs, the longest"
	same "$pages" "$(tr ' ' '\n' <$vp_dev | sed -n 's/^N[0-9]*=//p' | awk '{ n += $1 } END { print n }')" \
		"pages on all nodes"
	same "$(exec sh -c 'echo $PPID')" "$(allocation d pid)" "who allocated"
	[ "$(allocation d age_ms)" -lt 60000 ] || fail "$(allocation d age_ms) ms old already"
	refused 'No such file or directory' $vp_dev "dump nobody"
	ok $vp_dev "free d"
	same 0 "$(wc -l <$vp_dir/dump)" "lines after free"
}

classes()
{
	for class in kernel account nofs noio; do
		ok $vp_dev "alloc 32K gfp=$class name=$class"
	done
	if { put $vp_dev "alloc 32K gfp=dma32 name=dma32"; } 2>/dev/null; then
		ok $vp_dev "dump dma32"
		page=$(page_size)
		awk -v page="$page" '
			function number(hex,   i, value) {
				for (i = 3; i <= length(hex); i++)
					value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
				return value
			}
			NR > 1 && number($2) * page >= 4294967296 { exit 1 }' $vp_dir/dump ||
			fail "a page above 4 GiB with gfp=dma32"
	else
		say "gfp=dma32: $(cat $vp_dir/verdict)"
	fi
	refused "$inval" $vp_dev "alloc 32K gfp=atomic"
	refused 'Operation not permitted' $vp_dev "alloc 32K exec"
	ok $vp_dev "free all"
}

refused_sizes()
{
	before=$(own_areas)
	for size in '' 0 0x 10Q 8Mx -1 4K4 1.5M 'K' '0K'; do
		refused "$inval" $vp_dev "alloc $size"
	done
	for size in 16E 18446744073709551616 0x10000000000000000 99999999999999999999999999999999999; do
		refused "$erange" $vp_dev "alloc $size"
	done
	for size in 18446744073709551615 8E 1E 100T; do
		refused "$nomem" $vp_dev "alloc $size"
		refused "$nomem" $vp_dev "alloc $size align=1M"
	done
	refused "$nomem" $vp_dev "alloc 4K align=8E"
	for align in 3 0 5000 -1 4Q; do
		refused "$inval" $vp_dev "alloc 4K align=$align"
	done
	for node in 99 -1 x 4294967295 4294967296 1024; do
		refused "$inval" $vp_dev "alloc 4K node=$node"
	done
	same "$before" "$(own_areas)" "areas"
}

refused_words()
{
	for line in '' ' ' nothing 'alloc' 'alloc 4K 4K' 'alloc 4K huge huge' 'alloc 4K size=4K' \
		    'alloc 4K align=4K align=4K' 'alloc 4K align=0 node=0' 'free' 'free a b' 'dump' 'corrupt' 'corrupt a b' 'storm' \
		    'storm 0' 'storm 5 case=rain' 'storm x' 'check it' 'fill' 'fill 0' \
		    'fill 4K count=0' 'ALLOC 4K' 'alloc 4K a b c d e f g h i j k l m n o p'; do
		refused "$inval" $vp_dev "$line"
	done
	refused "$erange" $vp_dev 'storm 10000001'
	long=$(printf '%0300d' 0)
	refused "$inval" $vp_dev "alloc $long"
	if { printf 'alloc 4K\nalloc 4K\n' >$vp_dev; } 2>/dev/null; then
		fail "two lines in one write were taken"
	fi
	printf 'alloc 4K name=bare' >$vp_dev || fail "a command without a newline"
	ok $vp_dev "free bare"
	same 0 "$(allocations)" "allocations"
	mark_log
	ok $vp_dev help
	log_since | grep -q 'vmalloc_probe: alloc SIZE' || fail "help says nothing"
}

slots_run_out()
{
	i=0
	while [ $i -lt 1024 ]; do
		put $vp_dev "alloc 1" || fail "allocation $i: $(cat $vp_dir/verdict)"
		i=$((i + 1))
	done
	refused 'No space left on device' $vp_dev "alloc 1"
	same 1024 "$(allocations)" "allocations"
	ok $vp_dev "free $(sed -n 's/^allocation name=\([^ ]*\) .*/\1/p' $vp_dev | head -n 1)"
	ok $vp_dev "alloc 1"
	refused 'No space left on device' $vp_dev "alloc 1"
	ok $vp_dev "free all"
	same 0 "$(own_areas)" "areas"
}

fill_takes_addresses_only()
{
	free=$(meminfo MemFree)
	ok $vp_dev "fill 1M count=64 name=f"
	same 64 "$(allocation f areas)" "areas"
	same 64 "$(own_areas)" "areas of the module"
	areas_are_hidden || same $((64 * (1048576 + $(page_size)))) "$(allocation f range)" "their part of the range"
	[ $((free - $(meminfo MemFree))) -lt 16384 ] || fail "64 MiB of range cost more than 16 MiB of memory"
	refused "$inval" $vp_dev "corrupt f at=0"
	refused "$inval" $vp_dev "dump f"
	refused "$nomem" $vp_dev "fill 8E count=1"
	refused "$nomem" $vp_dev "fill 64M count=1000000"
	refused "$erange" $vp_dev "fill 4K count=1000001"
	ok $vp_dev "free f"
	same 0 "$(own_areas)" "areas after free"
	ok $vp_dev "fill 64K count=10 name=f"
	ok $vp_dev "corrupt f"
	refused 'Input/output error' $vp_dev "free f"
	grep -q "'f' did not contain" $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	same 0 "$(own_areas)" "areas after free, of which none was right"
}

group=/sys/fs/cgroup/kmemlab-vmalloc

# A group whose memory the kernel counts, for a case; nobody is in it yet.
make_group()
{
	mkdir -p /sys/fs/cgroup
	[ -e /sys/fs/cgroup/cgroup.controllers ] ||
		mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null ||
		skip "no cgroup2"
	grep -qw memory /sys/fs/cgroup/cgroup.controllers || skip "no memory controller"
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control || skip "memory is not delegated"
	mkdir $group || fail "mkdir $group"
}

# in_group COMMAND: give it to the device as a member of the group, and say only
# outside what came of it: a pipe takes pages, too, and there may be none left.
in_group()
{
	sh -c '
		# what a refusal takes of memory, outside: newer kernels give back
		# from a work item, and until then the group has none
		echo nothing >"$1" && said=taken || said=refused
		echo $$ >"$2/cgroup.procs"
		echo "$3" >"$1" && said=taken || said=refused
		echo max >"$2/memory.max"
		echo $$ >/sys/fs/cgroup/cgroup.procs
		echo $said' sh $vp_dev $group "$1" 2>/dev/null
}

# The kernel says of each page frame of which group its user is.
dump_has_the_frames()
{
	[ -r /proc/kpagecgroup ] || skip "no /proc/kpagecgroup"
	make_group
	taken=$(in_group "alloc 64K gfp=account name=counted")
	inode=$(stat -c %i $group)
	ok $vp_dev "dump counted"
	awk 'NR > 1 { print $2 }' $vp_dir/dump | while read -r frame; do
		dd if=/proc/kpagecgroup bs=8 skip=$((frame)) count=1 2>/dev/null
	done | od -An -v -t u8 | tr -s ' ' '\n' | grep . >/tmp/kmemlab-frames.$$
	ok $vp_dev "free counted"
	rmdir $group
	same taken "$taken" "an allocation in a group"
	same "$((65536 / $(page_size))) $inode" \
		"$(uniq -c /tmp/kmemlab-frames.$$ | awk '{ print $1, $2 }')" "page frames of the group"
	rm /tmp/kmemlab-frames.$$
}

pages_run_out_midway()
{
	make_group
	echo 4M >$group/memory.max
	before=$(vmalloc_used)
	came=$(in_group "alloc 16M gfp=account name=m")
	rmdir $group
	same refused "$came" "16M in a group of 4M"
	grep -q 'no memory, .*for 16777216 bytes' $vp_dir/verdict || fail "verdict: $(cat $vp_dir/verdict)"
	same 0 "$(allocations)" "allocations"
	no_own_areas
	after=$(vmalloc_used)
	[ $((after - before)) -lt 1024 ] || fail "VmallocUsed: $before before, $after after"
}

unload_gives_back()
{
	ok $vp_dev "alloc 1M name=a"
	ok $vp_dev "fill 64K count=50 name=b"
	unload vmalloc_probe || return 1
	vp_load
	same 0 "$(own_areas)" "areas of this module after a reload"
	same 0 "$(allocations)" "allocations after a reload"
	unload vmalloc_probe
}

run_cases \
	"sizes and guard:sizes_and_guard" \
	"alignment:alignment" \
	"names:names" \
	"the pattern is verified:pattern_is_verified" \
	"dump page by page:dump_page_by_page" \
	"the dump has the page frames:dump_has_the_frames" \
	"allocation classes:classes" \
	"sizes that are refused:refused_sizes" \
	"words that are refused:refused_words" \
	"slots run out:slots_run_out" \
	"a filling takes addresses only:fill_takes_addresses_only" \
	"the pages run out midway:pages_run_out_midway" \
	"unloading gives back:unload_gives_back"
