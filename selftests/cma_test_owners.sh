#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# Who holds what, and how long it took: owners, map and latency, for our own
# allocations and for those of a stock driver.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

# owner_of PFN: its record
owner_of() { grep " pfn=$1 " $cma_dir/owners; }

an_allocation_has_an_owner()
{
	cma_load
	ok $cma_dev 'alloc 1M name=mine'
	pfn=$(alloc_field mine pfn)
	pages=$(alloc_field mine pages)
	record=$(owner_of "$pfn")
	case $record in
	"area=$(default_area) pfn=$pfn pages=$pages age="*"ms pid="*" comm=sh stack="*cma_test*) ;;
	*) fail "the record is '$record'" ;;
	esac
	same "pages=$pages pid=$(exec sh -c 'echo $PPID')" "$(echo "$record" |
		awk '{ print $3, $5 }')" "pages and process"
	sleep 1
	age=$(owner_of "$pfn" | sed 's/.* age=\([0-9]*\)ms .*/\1/')
	case $age in
	9?? | ???? | ?????) ;;
	*) fail "it is $age ms old" ;;
	esac
	ok $cma_dev 'free mine'
	same '' "$(owner_of "$pfn")" "the record after the release"
}

# Its pages go back from the middle, from the start and from the end.
given_back_in_parts()
{
	load kmemlab_parts || fail "no kmemlab_parts"
	grep ' comm=insmod ' $cma_dir/owners | sed 's/ age=.*//' >/tmp/cma_parts
	while read -r line; do say "$line"; done </tmp/cma_parts
	{ read -r _ first first_pages; read -r _ second second_pages; } </tmp/cma_parts
	same 2 "$(wc -l </tmp/cma_parts)" "records of what is left"
	same 'pages=2 pages=6' "$first_pages $second_pages" "what is left"
	same 6 $((${second#pfn=} - ${first#pfn=})) "pages from one to the other"
	rm -f /tmp/cma_parts
	unload kmemlab_parts || fail "kmemlab_parts stays"
	same 0 "$(grep -c ' comm=insmod ' $cma_dir/owners)" "records at the end"
}

# Records come from a pool; many live ones must not be lost.
no_record_is_lost()
{
	i=0
	while [ $i -lt 700 ]; do
		echo "alloc 4K name=n$i" >$cma_dev || fail "allocation $i"
		i=$((i + 1))
	done
	same 700 "$(grep -c 'comm=sh' $cma_dir/owners)" "records of 700 allocations"
	grep -q '^# owners lost=0$' $cma_dir/owners || fail "$(head -n 1 $cma_dir/owners)"
	ok $cma_dev 'free all'
	same 0 "$(grep -c 'comm=sh' $cma_dir/owners)" "records after free all"
}

# What is there when the module comes is nobody's. A page that the system borrows
# this very moment looks so as well, until it is in one of its lists.
before_load_is_said()
{
	area=$(default_area)
	for _ in 1 2 3 4 5; do
		there=$(awk -v a="area=$area" '$1 == a && $4 == "age=before-load" {
				sub("pages=", "", $3); n += $3 } END { print n + 0 }' $cma_dir/owners)
		allocated=$(area_field "$area" allocated)
		[ "$allocated" != "$there" ] || break
		sleep 1
	done
	same "$allocated" "$there" "pages allocated before the module was loaded"
}

# Another driver's, of which the kernel says nothing.
anothers_are_said()
{
	unload cma_test || fail "cma_test does not unload"
	load cblock cma=default:4M || fail "cblock has no 4 MiB"
	cma_load
	[ "$(area_field "$(default_area)" allocated)" -ge $((4194304 / page_size)) ] ||
		fail "4 MiB are not allocated: $(cat $cma_dir/areas)"
	before_load_is_said
	unload cblock || fail "cblock does not unload"
}

# on_map CLASS: pages of all areas
on_map() { awk -v c="$1" '!/^#/ && $4 == c { n += $3 } END { print n + 0 }' $cma_dir/map; }

# in_areas COLUMN: the same from the other report
in_areas()
{
	sum=0
	for area in $(awk '!/^#/ { print $1 }' $cma_dir/areas); do
		sum=$((sum + $(area_field "$area" "$1")))
	done
	echo $sum
}

# Pages come and go meanwhile, by the per-CPU lists: what the kernel counts as free
# is about as much.
classes_are_told()
{
	ok $cma_dev 'alloc 3M name=three'
	ok $cma_dev 'pin 1M'
	for class in free borrowed allocated pinned; do
		for _ in 1 2 3 4 5; do
			map=$(on_map $class)
			areas=$(in_areas $class)
			[ "$map" != "$areas" ] || break
			sleep 1
		done
		same "$areas" "$map" "$class pages on the map"
	done
	off=$(($(on_map free) * page_size / 1024 - $(meminfo CmaFree)))
	[ ${off#-} -lt $(($(meminfo CmaTotal) / 10)) ] ||
		fail "free on the map: $(on_map free) pages, CmaFree: $(meminfo CmaFree) KiB"
	[ "$(on_map pinned)" -ge $((1048576 / page_size)) ] || fail "a MiB is pinned"
	ok $cma_dev unpin
	ok $cma_dev 'free three'
}

map_adds_up()
{
	ok $cma_dev 'alloc 3M name=three'
	for area in $(awk '!/^#/ { print $1 }' $cma_dir/areas); do
		awk -v a="$area" '!/^#/ && $1 == a {
				if ($2 != sprintf("0x%x", n) && !(n == 0 && $2 == "0") || $4 == class) exit 2
				class = $4
				n += $3 } END { print n }' $cma_dir/map >/tmp/cma_map ||
			fail "the map of $area has a gap, or two runs where there is one"
		same "$(area_field "$area" pages)" "$(cat /tmp/cma_map)" "pages in the map of $area"
		total=/sys/kernel/mm/cma/$area/total_pages
		[ ! -e "$total" ] || same "$(cat "$total")" "$(cat /tmp/cma_map)" "pages of $area"
	done
	rm -f /tmp/cma_map
	awk -v want="$(alloc_field three pages)" '$4 == "allocated" { n += $3 } END { exit n < want }' \
		$cma_dir/map || fail "three MiB are not on the map"
	ok $cma_dev 'free three'
}

latency_counts()
{
	ok $cma_dev reset
	# so many that the slowest few, at the begin, are not the tenth that is slowest
	for i in $(seq 20); do
		ok $cma_dev "alloc 64K name=l$i"
		ok $cma_dev "free l$i"
	done
	ok $cma_dev 'alloc 2M name=big'
	ok $cma_dev 'free big'
	area=$(default_area)
	line=$(grep "^area=$area op=alloc size=64K " $cma_dir/latency)
	case $line in
	*' count=20 failed=0 '*) ;;
	*) fail "twenty allocations of 64 KiB: '$line'" ;;
	esac
	grep -q "^area=$area op=alloc size=16M count=1 " $cma_dir/latency || fail "2 MiB are not counted"
	grep -q "^area=$area op=release size=any count=21 " $cma_dir/latency || fail "releases are not counted"
	# a percentile is the upper end of its bucket, or the longest of all
	awk '
		function upper(i,   end, p) {
			end = 2
			for (p = power[i]; p > 0; p--)
				end *= 2
			return end
		}
		function percentile(percent,   seen, i) {
			for (i = 1; i <= n; i++) {
				seen += number[i]
				if (seen * 100 >= v["count"] * percent)
					break
			}
			return upper(i) - 1 < v["max_ns"] + 0 ? upper(i) - 1 : v["max_ns"] + 0
		}
		/ op=/ {
			for (i = 4; i <= NF; i++) {
				split($i, kv, "=")
				v[kv[1]] = kv[2]
			}
			n = split(v["log2"], b, ",")
			sum = least = most = 0
			for (i = 1; i <= n; i++) {
				split(b[i], kv, ":")
				power[i] = kv[1]
				number[i] = kv[2]
				sum += kv[2]
				least += kv[2] * upper(i) / 2
				most += kv[2] * upper(i)
			}
			if (sum != v["count"])
				exit 1
			sum = v["search_ns"] + v["migrate_ns"] + v["other_ns"]
			if (sum < least || sum > most || int(sum / v["count"]) != v["mean_ns"])
				exit 1
			if (v["max_ns"] < upper(n) / 2 || v["max_ns"] >= upper(n))
				exit 1
			if (v["p50_ns"] != percentile(50) || v["p90_ns"] != percentile(90) ||
			    v["p99_ns"] != percentile(99))
				exit 1
		}' $cma_dir/latency || fail "$(cat $cma_dir/latency)"
	ok $cma_dev "alloc $(($(area_field "$area" largest_fit) * page_size)) name=whole"
	refused 'Cannot allocate memory' $cma_dev 'alloc 8M'
	ok $cma_dev 'free whole'
	grep -q "^area=$area op=alloc size=more count=1 " $cma_dir/latency || fail "the whole area is not counted"
	grep -q "^area=$area op=alloc size=16M .* failed=1 " $cma_dir/latency ||
		fail "a failure is not counted: $(cat $cma_dir/latency)"
	whole=$(area_field "$area" largest_fit)
	ok $cma_dev "pin $page_size"
	retries=0
	for _ in 1 2; do
		{ put $cma_dev "alloc $((whole * page_size))"; } 2>/dev/null && fail "more than all is had"
		retries=$((retries + $(verdict_field retries)))
	done
	say "$retries retries"
	grep -q "^area=$area op=alloc size=more count=3 failed=2 retries=$retries " $cma_dir/latency ||
		fail "not $retries retries: $(cat $cma_dir/latency)"
	ok $cma_dev unpin
	ok $cma_dev reset
	same 0 "$(grep -c ' op=' $cma_dir/latency)" "records after reset"
}

# vivid with videobuf2-dma-contig: a driver of the kernel's own, with no help.
a_real_driver()
{
	[ -e /dev/video0 ] || modprobe vivid allocators=1,1,1,1 n_devs=1 2>/dev/null ||
		skip "this kernel has no vivid"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e /dev/video0 ] && break
		sleep 1
	done
	ok $cma_dev reset
	mkfifo /tmp/cma_fifo
	"$here/cma_test_video" /dev/video0 4 </tmp/cma_fifo >/tmp/cma_video &
	exec 4>/tmp/cma_fifo
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -s /tmp/cma_video ] && break
		sleep 1
	done
	say "vivid: $(cat /tmp/cma_video)"
	records=$(grep 'videobuf2_dma_contig' $cma_dir/owners)
	held=$(echo "$records" | grep -c 'comm=cma_test_video')
	timed=$(awk '/ op=alloc / { sub("count=", "", $4); n += $4 } END { print n + 0 }' $cma_dir/latency)
	exec 4>&-
	wait
	rm -f /tmp/cma_fifo /tmp/cma_video
	say "$(echo "$records" | head -n 1)"
	[ "$held" -ge 4 ] || fail "4 buffers of vivid have $held records"
	# where the kernel says when an allocation begins
	if [ -e /sys/kernel/tracing/events/cma/cma_alloc_start ]; then
		[ "$timed" -ge 4 ] || fail "of 4 allocations $timed are timed"
	else
		same 0 "$timed" "allocations of which the begin is not known"
	fi
	same 0 "$(grep -c 'videobuf2_dma_contig' $cma_dir/owners)" "records after the stream"
}

# The driver's call may succeed all the same, with pages from elsewhere.
its_failure_is_judged()
{
	[ -e /dev/video0 ] || skip "this kernel has no vivid"
	for size in 32M 8M 2M 512K 128K 64K; do
		while echo "alloc $size" >$cma_dev; do :; done 2>/dev/null
	done
	"$here/cma_test_video" /dev/video0 2 1 2>/dev/null
	record=$(grep '^verdict .* by=other ' $cma_dir/verdict | tail -n 1)
	say "$record"
	case $record in
	*" comm=cma_test_video area=$(default_area) "*' class=exhausted '* | \
	*" comm=cma_test_video area=$(default_area) "*' class=fragmented '*) ;;
	*) fail "vivid's failed allocation has no verdict, or another one" ;;
	esac
	ok $cma_dev 'free all'
}

# The only place left for a buffer, as large and as aligned as that of the last
# failure, has a pinned page, which is let go of before the kernel's worker judges.
what_blocked_has_gone()
{
	[ -e /dev/video0 ] || skip "this kernel has no vivid"
	can_pin
	size=$(sed -n 's/^verdict .* by=other .* align_kib=\([0-9]*\) .*/\1/p' $cma_dir/verdict |
		tail -n 1)K
	ok $cma_dev "alloc $size align=$size name=hole"
	for pages in 8192 2048 512 128 32 8 2 1; do
		while echo "alloc $((pages * page_size))" >$cma_dev; do :; done 2>/dev/null
	done
	ok $cma_dev 'free hole'
	ok $cma_dev "pin $page_size"
	pfn=$(sed -n 's/.* pfn=\(0x[0-9a-f]*\) .*/\1/p' $cma_dir/pins)
	"$here/cma_test_video" /dev/video0 1 unpin 2>/dev/null || fail "the pin stays"
	record=$(grep '^verdict .* by=other .* comm=cma_test_video ' $cma_dir/verdict | tail -n 1)
	say "$record"
	case $record in
	*' class=racing '*) ;;
	*) fail "not taken for a race" ;;
	esac
	record=${record#verdict }
	grep "^page ${record%% *} " $cma_dir/verdict | grep -q " pfn=$pfn " ||
		fail "$(cat $cma_dir/verdict)"
	ok $cma_dev 'free all'
}

not_tracking_is_possible()
{
	cma_load track=0
	ok $cma_dev 'alloc 1M name=quiet'
	same 0 "$(grep -c 'comm=sh' $cma_dir/owners)" "records with track=0"
	same 0 "$(grep -c 'age=before-load' $cma_dir/owners)" "what is said to be older"
	awk -v want="$(alloc_field quiet pages)" '$4 == "age=unknown" {
			sub("pages=", "", $3); n += $3 } END { exit n < want }' $cma_dir/owners ||
		fail "a MiB is not said to be somebody's: $(cat $cma_dir/owners)"
	grep -q '^# owners lost=0$' $cma_dir/owners || fail "$(head -n 1 $cma_dir/owners)"
	ok $cma_dev 'free quiet'
	grep -q "^area=$(default_area) op=alloc size=1M count=1 " $cma_dir/latency ||
		fail "our own are not timed: $(cat $cma_dir/latency)"
	ok $cma_dev "alloc $(($(area_field "$(default_area)" largest_fit) * page_size)) name=whole"
	judged exhausted 'alloc 8M' 'Cannot allocate memory'
	ok $cma_dev 'free whole'
	cma_load
}

# A page that lies outside shows what a driver would not have known.
dma_says_where_it_came_from()
{
	ok $cma_dev 'alloc 2M name=two via=dma'
	same area "$(alloc_field two from)" "origin of 2 MiB"
	ok $cma_dev "alloc $page_size name=page via=dma"
	# 32-bit ARM has DMA operations of its own, which always ask CMA
	case $(uname -m) in
	arm*) same area "$(alloc_field page from)" "origin of a page" ;;
	*) same buddy "$(alloc_field page from)" "origin of a page" ;;
	esac
	ok $cma_dev 'free all'
}

# The area is full: the call succeeds from elsewhere, or fails.
dma_falls_back()
{
	pages=$(area_field "$(default_area)" largest_fit)
	ok $cma_dev "alloc $((pages * page_size)) name=whole"
	case $(uname -m) in
	arm*)
		refused 'Cannot allocate memory' $cma_dev 'alloc 1M name=more via=dma' ;;
	*)
		ok $cma_dev 'alloc 1M name=more via=dma'
		same buddy "$(alloc_field more from)" "origin of 1 MiB" ;;
	esac
	ok $cma_dev 'free all'
}

# The third way in which dma_alloc_coherent() misses CMA: the area lies above what
# the device can address. The pages are taken, found to be out of reach, given
# back, and the buddy allocator serves silently. On arm64 a device that reaches
# only a part of the memory is refused outright; on 32-bit ARM so it is on older
# kernels, while newer ones take the mask and allocate without looking at it.
dma_says_out_of_reach()
{
	case $(uname -m) in
	x86_64)
		[ $(($(area_field "$(default_area)" base) * page_size)) -ge $((1 << 28)) ] ||
			fail "the area lies in the lowest 256 MiB"
		ok $cma_dev 'alloc 1M name=narrow via=dma mask=28'
		same buddy "$(alloc_field narrow from)" "origin with a 28-bit mask"
		ok $cma_dev 'alloc 1M name=wide via=dma'
		same area "$(alloc_field wide from)" "origin with a 64-bit mask" ;;
	arm*)
		if { put $cma_dev 'alloc 1M name=narrow via=dma mask=28'; } 2>/dev/null; then
			same area "$(alloc_field narrow from)" "origin with a 28-bit mask"
		else
			refused 'Operation not supported' $cma_dev 'alloc 1M via=dma mask=28'
		fi ;;
	*)
		refused 'Operation not supported' $cma_dev 'alloc 1M via=dma mask=28' ;;
	esac
	ok $cma_dev 'free all'
}

run_cases \
	"an allocation has an owner until it is freed:an_allocation_has_an_owner" \
	"an allocation that is given back in parts:given_back_in_parts" \
	"no record is lost:no_record_is_lost" \
	"what was there before is shown as such:before_load_is_said" \
	"what another driver has had is, too:anothers_are_said" \
	"the map adds up:map_adds_up" \
	"the map tells the classes of pages:classes_are_told" \
	"latency is counted and reset:latency_counts" \
	"via=dma says where the memory came from:dma_says_where_it_came_from" \
	"via=dma says when it fell back:dma_falls_back" \
	"via=dma says when the area is out of reach:dma_says_out_of_reach" \
	"a real driver's buffers appear and vanish:a_real_driver" \
	"a real driver's failure is judged:its_failure_is_judged" \
	"what blocked it has gone when it is judged:what_blocked_has_gone" \
	"track=0 does not watch:not_tracking_is_possible"
