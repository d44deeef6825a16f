#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# scripts/kmemlab cma: what it says to people, and to programs.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load
if command -v kmemlab >/dev/null; then
	kmemlab=kmemlab
else
	kmemlab=$here/../scripts/kmemlab
	[ -x "$kmemlab" ] || skip_all "scripts/kmemlab is not here"
fi

for_people()
{
	ok $cma_dev 'alloc 3M name=three'
	mib=$(($(default_kib) / 1024))
	echo "alloc $((mib + 1))M" >$cma_dev 2>/dev/null
	"$kmemlab" cma map >/tmp/cma_said || fail "exit status $?"
	grep -q "^area $(default_area) (default): ${mib}M, free " /tmp/cma_said || fail "$(cat /tmp/cma_said)"
	grep -q '^ *3M  sh\[[0-9]*\], ' /tmp/cma_said || fail "no owner: $(cat /tmp/cma_said)"
	grep -q "asked area .* for $((mib + 1))M, .*: misconfigured" /tmp/cma_said || fail "no verdict: $(cat /tmp/cma_said)"
	grep -q 'advice: .*the whole area has' /tmp/cma_said || fail "no advice: $(cat /tmp/cma_said)"
	grep -q 'records were lost' /tmp/cma_said && fail "says that records were lost: $(cat /tmp/cma_said)"
	grep -q "^  $(default_area)  *alloc " /tmp/cma_said || fail "no latency: $(cat /tmp/cma_said)"
	grep -q 'AAAAAA' /tmp/cma_said || fail "no picture: $(cat /tmp/cma_said)"
	grep -q 'a character: [0-9]*K; ' /tmp/cma_said || fail "no legend: $(cat /tmp/cma_said)"
	rm -f /tmp/cma_said
}

# A parser of our own: a target has none, and it must be read to the last brace.
for_programs()
{
	ok $cma_dev reset
	ok $cma_dev 'alloc 64K name=timed'
	ok $cma_dev 'free timed'
	can_pin
	ok $cma_dev 'pin 64K'
	"$kmemlab" cma --json >/tmp/cma_json || fail "exit status $?"
	"$here/json_valid" </tmp/cma_json || fail "not valid: $(head -n 40 /tmp/cma_json)"
	grep -q '"class": "misconfigured"' /tmp/cma_json || fail "no verdict in it"
	grep -q '"area": "'"$(default_area)"'"' /tmp/cma_json || fail "no area in it"
	for list in areas owners verdicts advice latency pins map; do
		grep -q "^  \"$list\": \[$" /tmp/cma_json || fail "nothing in $list"
	done
	rm -f /tmp/cma_json
	ok $cma_dev unpin
	ok $cma_dev 'free three'
}

# report: of three areas with pages of 4 KiB; in one a process holds much, in one
# a dozen hold little; a process may have any name
report()
{
	cat <<-'EOT'
	areas # area base pages free borrowed allocated pinned largest_free largest_fit route bounds default
	areas reserved 0x1000 512 256 64 184 8 184 320 exports getters yes
	areas cam@5 0x0 0 0 0 0 0 0 0 device-tree unknown no
	areas disp 0x2000 64 32 32 0 0 32 64 resolved getters no
	owners # owners lost=3
	owners area=reserved pfn=0x1000 pages=56 age=1500ms pid=7 comm=a\040b stack=cma_alloc+0x1/0x2<dma_alloc_attrs+0x1/0x2<who+0x3/0x4 [some]<probe+0x5/0x6<init+0x7/0x8
	owners area=reserved pfn=0x1080 pages=128 age=before-load pid=- comm=- stack=-
	owners area=disp pfn=0x2000 pages=8 age=unknown pid=- comm=- stack=-
	verdict # verdict
	verdict all 10 slots are full
	verdict verdict id=1 time_ms=5 by=cma_test pid=7 comm=sh area=cam@5 kib=64 align_kib=4 errno=- class=exhausted free_kib=0 borrowed_kib=0 allocated_kib=384 pinned_kib=0 largest_kib=0 fits=no attempts=0 retries=0 parallel=no page_owner=-
	verdict advice id=1 give it more
	verdict verdict id=2 time_ms=6 by=other pid=8 comm=cat area=reserved kib=2048 align_kib=64 errno=-16 class=pinned free_kib=1024 borrowed_kib=256 allocated_kib=736 pinned_kib=32 largest_kib=1280 fits=no attempts=9 retries=8 parallel=no page_owner=log
	verdict page id=2 pfn=0x1140 kind=anon refs=1025 maps=1 flags=uptodate|lru
	verdict advice id=2 release the "page" of C:\
	latency # latency
	latency area=reserved op=alloc size=64K count=5 failed=2 retries=8 mean_ns=2500000 p50_ns=1000000 p90_ns=2000000 p99_ns=3000000 max_ns=4000000 search_ns=1 migrate_ns=2 other_ns=3 log2=20:5
	pins # pins
	pins area=reserved pfn=0x1140 refs=1
	map # area offset pages class
	map reserved 0x0 56 allocated
	map reserved 0x38 72 free
	map reserved 0x80 128 allocated
	map reserved 0x100 64 borrowed
	map reserved 0x140 8 pinned
	map reserved 0x148 184 free
	map disp 0x0 16 free
	map disp 0x10 32 borrowed
	map disp 0x30 16 free
	EOT
	for pages in 1 2 3 4 5 6 7 8 9 10 11 12; do
		echo "owners area=cam@5 pfn=0x5000 pages=$pages age=${pages}000ms pid=$pages comm=sh stack=get+0x1/0x2"
	done
	printf 'pins area=reserved pfn=0x1141 refs=1 comm=a\001b\n'
	echo 'pins area=reserved pfn=0x1142 refs=1 comm=007'
}

# retold [map=yes] [json=yes]: that report
retold()
{
	scripts=$here/../scripts/kmemlab.d
	# shellcheck disable=SC2046 # words
	report | awk -v page=4096 $(printf -- '-v %s ' "$@") -f "$scripts/draw.awk" -f "$scripts/cma.awk"
}

text_exactly()
{
	retold map=yes | sed 's/ *$//' >/tmp/cma_said
	diff - /tmp/cma_said <<-'EOT' || fail "that is not the text"
	area reserved (default): 2M, free 1M, borrowed 256K, allocated 736K, pinned 32K, largest piece 1.2M (reached by exports)
	        512K  (since before cma_test was loaded)
	        224K  a\040b[7], 1.5 s ago, who [some] < probe
	  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA........
	  ................................................................
	  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
	  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
	  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
	  PPPPPPPP........................................................
	  ................................................................
	  ................................................................
	  a character: 4K;  . free  b borrowed  A allocated  P pinned
	area cam@5: 0B, free 0B, borrowed 0B, allocated 0B, pinned 0B, largest piece 0B (reached by device-tree)
	         48K  sh[12], 12.0 s ago, get
	         44K  sh[11], 11.0 s ago, get
	         40K  sh[10], 10.0 s ago, get
	         36K  sh[9], 9.0 s ago, get
	         32K  sh[8], 8.0 s ago, get
	         28K  sh[7], 7.0 s ago, get
	         24K  sh[6], 6.0 s ago, get
	         20K  sh[5], 5.0 s ago, get
	         16K  sh[4], 4.0 s ago, get
	         12K  sh[3], 3.0 s ago, get
	    and 2 more
	area disp: 256K, free 128K, borrowed 128K, allocated 0B, pinned 0B, largest piece 256K (reached by resolved)
	         32K  (by nobody who was seen)
	  ................................................................
	  ................................................................
	  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
	  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
	  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
	  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
	  ................................................................
	  ................................................................
	  a character: 512B;  . free  b borrowed
	latency, ms
	  area                          size    count  failed       p50       p90       p99       max
	  reserved             alloc    64K         5       2     1.000     2.000     3.000     4.000
	3 records were lost
	last of 2 failures: cat[8] asked area reserved for 2M, aligned to 64K: pinned
	    free 1M, borrowed 256K, allocated 736K, pinned 32K, largest piece that would do 1.2M; 9 attempts
	    the kernel log says who allocated the blocking page
	    blocked by pfn 0x1140: anon, 1025 references, 1 mappings
	    advice: release the "page" of C:\
	EOT
	rm -f /tmp/cma_said
}

# Numbers as numbers, all else as strings, every record and key of every report.
json_exactly()
{
	retold json=yes >/tmp/cma_json
	"$here/json_valid" </tmp/cma_json || fail "not valid: $(cat /tmp/cma_json)"
	while read -r line; do
		grep -qF "$line" /tmp/cma_json || fail "there is no $line"
	done <<-'EOT'
	"page_size": 4096,
	"lost": 3,
	{"area": "reserved", "base": "0x1000", "pages": 512, "free": 256, "borrowed": 64, "allocated": 184, "pinned": 8, "largest_free": 184, "largest_fit": 320, "route": "exports", "bounds": "getters", "default": "yes"},
	{"area": "reserved", "pfn": "0x1000", "pages": 56, "age": "1500ms", "pid": 7, "comm": "a\\040b", "stack": "cma_alloc+0x1/0x2<dma_alloc_attrs+0x1/0x2<who+0x3/0x4 [some]<probe+0x5/0x6<init+0x7/0x8"},
	{"area": "reserved", "pfn": "0x1080", "pages": 128, "age": "before-load", "pid": "-", "comm": "-", "stack": "-"},
	{"id": 2, "time_ms": 6, "by": "other", "pid": 8, "comm": "cat", "area": "reserved", "kib": 2048, "align_kib": 64, "errno": -16, "class": "pinned", "free_kib": 1024, "borrowed_kib": 256, "allocated_kib": 736, "pinned_kib": 32, "largest_kib": 1280, "fits": "no", "attempts": 9, "retries": 8, "parallel": "no", "page_owner": "log"}
	{"id": 2, "pfn": "0x1140", "kind": "anon", "refs": 1025, "maps": 1, "flags": "uptodate|lru"}
	{"id": 2, "text": "release the \"page\" of C:\\"}
	{"area": "reserved", "op": "alloc", "size": "64K", "count": 5, "failed": 2, "retries": 8, "mean_ns": 2500000, "p50_ns": 1000000, "p90_ns": 2000000, "p99_ns": 3000000, "max_ns": 4000000, "search_ns": 1, "migrate_ns": 2, "other_ns": 3, "log2": "20:5"}
	{"area": "reserved", "pfn": "0x1140", "refs": 1},
	{"area": "reserved", "pfn": "0x1141", "refs": 1, "comm": "a b"},
	{"area": "reserved", "pfn": "0x1142", "refs": 1, "comm": "007"}
	{"area": "reserved", "offset": 320, "pages": 8, "class": "pinned"},
	{"area": "disp", "offset": 16, "pages": 32, "class": "borrowed"},
	EOT
	same '3 15 2 9' "$(awk '/"base"/ { a++ } /"stack"/ { o++ } /"time_ms"/ { v++ } /"offset"/ { m++ }
		END { print a, o, v, m }' /tmp/cma_json)" "areas, owners, verdicts and runs"
	rm -f /tmp/cma_json
}

as_svg()
{
	"$kmemlab" cma --svg /tmp/cma_svg >/dev/null || fail "exit status $?"
	head -n 1 /tmp/cma_svg | grep -q '^<svg ' || fail "$(head -n 3 /tmp/cma_svg)"
	tail -n 1 /tmp/cma_svg | grep -q '^</svg>$' || fail "no end"
	rm -f /tmp/cma_svg
}

# outside: KiB that are free, and not in CMA
outside() { echo $(($(meminfo MemFree) - $(meminfo CmaFree))); }

# In several pieces, it is announced when all of them are there.
announced_when_it_is_held()
{
	mib=$(($(meminfo MemAvailable) / 2048))
	for kind in anon file; do
		field=AnonPages
		[ $kind = anon ] || field=Cached
		before=$(meminfo $field)
		mkfifo /tmp/cma_fifo
		"$kmemlab" pressure $kind $mib 120 >/tmp/cma_fifo &
		read -r said </tmp/cma_fifo
		grown=$((($(meminfo $field) - before) / 1024))
		rm -f /tmp/cma_fifo
		kill $!
		wait $!
		say "$said; $field has grown by $grown MiB"
		[ "${said#"$mib MiB $kind: "}" != "$said" ] || fail "it says '$said'"
		[ $grown -ge $((mib * 7 / 8)) ] || fail "it is not held yet"
	done
	# what it fills memory with does not come
	mkfifo /tmp/cma_fifo
	mount -o bind /tmp/cma_fifo /dev/zero || fail "/dev/zero cannot be held back"
	"$kmemlab" pressure anon 64 5 >/tmp/cma_said 2>/dev/null &
	sleep 2
	said=$(cat /tmp/cma_said)
	umount -l /dev/zero
	# neither way waits for the other end
	: <>/tmp/cma_fifo
	wait $!
	rm -f /tmp/cma_fifo /tmp/cma_said
	same '' "$said" "what it says before anything is held"
	# shellcheck disable=SC3045 # busybox and dash have it
	said=$(ulimit -v 40000; "$kmemlab" pressure anon 64 1 2>&1) && fail "64 MiB of 40: $said"
	same 'kmemlab: 64 MiB cannot be held' "$said" "what it says when there is no memory"
}

# press KIND: hold memory, a little more each time, until an eighth of the area
# is borrowed. The kernel begins to when less is free outside than inside. What
# lies inside has to fit outside later: a third of the area's size stays free.
press()
{
	want=$(($(area_field "$area" pages) / 8))
	spare=$((area_kib / 3))
	mib=$((($(outside) - area_kib * 3 / 4) / 1024))
	while :; do
		[ $mib -ge 8 ] || mib=8
		[ $(($(outside) - mib * 1024)) -ge $spare ] ||
			fail "$1: only $borrowed pages of the area are borrowed, and no more memory is to spare"
		: >/tmp/cma_said
		"$kmemlab" pressure "$1" $mib 120 /tmp/cma_files >/tmp/cma_said &
		pressures="$pressures $!"
		until [ -s /tmp/cma_said ]; do
			kill -0 $! || fail "$1: $mib MiB are not held"
			sleep 1
		done
		say "$(cat /tmp/cma_said)"
		borrowed=$(area_field "$area" borrowed)
		[ "$borrowed" -lt $want ] || return 0
		mib=8
	done
}

# shellcheck disable=SC2086 # a list
release_pressure()
{
	[ -z "$pressures" ] || kill $pressures
	[ -z "$pressures" ] || wait $pressures
	pressures=''
}

# What would have to move for a part of what fits, says fit, and as the map shows it.
# Others may borrow a page or give one back, but no process is started between.
# Does the part end $within borrowed pages?
fit_is_exact()
{
	echo "fit $((part * page_size)) align=$((64 * page_size))" >$cma_dev
	{ read -r _; read -r _ answer _ first _ said; } <$cma_dir/verdict
	[ "$answer" = 'yes;' ] || return 1
	first=$((${first#pfn=} - base)) end=$((first + part)) moves=0 within=0
	while read -r name from count class; do
		[ "$name $class" = "$area borrowed" ] || continue
		to=$((from + count))
		[ $((from)) -ge $end ] || [ $to -le $end ] || within=1
		[ $((from)) -gt $first ] || from=$first
		[ $to -lt $end ] || to=$end
		[ $to -le $((from)) ] || moves=$((moves + to - from))
	done <$cma_dir/map
	[ "$said" = "borrowed=$moves" ]
}

# Seven parts, and more until one ends within borrowed pages.
fits_are_exact()
{
	ends=0 parts=0
	while [ $parts -lt 7 ] || [ $ends = 0 ]; do
		parts=$((parts + 1))
		[ $parts -lt 64 ] || fail "no part ends within borrowed pages"
		part=$((pages * (parts * 23 % 64) / 64))
		wait_for fit_is_exact || fail "$(sed -n 2p $cma_dir/verdict); on the map it is $moves"
		ends=$((ends + within))
	done
	say "$ends of $parts parts end within borrowed pages"
}

# Memory that programs and files use borrows the area, and moves when it must.
pressure_is_moved()
{
	area=$(default_area)
	area_kib=$(default_kib)
	base=$(($(area_field "$area" base)))
	pressures=''
	mkdir -p /tmp/cma_files
	mount -t tmpfs -o size=100% none /tmp/cma_files || fail "no tmpfs"
	mkfifo /tmp/cma_hold
	# most of the memory is filled with what needs no time
	"$here/cma_test_memory" outside $((area_kib * 5 / 4)) </tmp/cma_hold >/tmp/cma_said &
	exec 4>/tmp/cma_hold
	# the kernel may keep more for itself than is left outside
	read -r kept </proc/sys/vm/min_free_kbytes
	echo 4096 >/proc/sys/vm/min_free_kbytes
	trap 'echo "$kept" >/proc/sys/vm/min_free_kbytes; exec 4>&-; release_pressure; umount /tmp/cma_files; rmdir /tmp/cma_files; rm -f /tmp/cma_said /tmp/cma_hold' EXIT
	until [ -s /tmp/cma_said ]; do
		kill -0 $! || fail "the memory outside is not filled"
		sleep 1
	done
	say "$(cat /tmp/cma_said)"
	for kind in anon file; do
		press $kind
		pages=$(area_field "$area" largest_fit)
		ok $cma_dev "fit $((pages * page_size))"
		say "$(sed -n 2p $cma_dir/verdict)"
		grep -q '^fit: yes; .* borrowed=[1-9]' $cma_dir/verdict || fail "$(sed -n 2p $cma_dir/verdict)"
		fits_are_exact
		# a page in somebody's hands is busy for a moment
		for _ in 1 2 3 4 5; do
			echo "alloc $((pages * page_size)) name=moved" >$cma_dev && break
		done 2>/dev/null
		same "$pages" "$(alloc_field moved pages)" "pages in place of what was borrowed ($(last_verdict))"
		ok $cma_dev 'free moved'
		release_pressure
	done
}

# More at once than there is room for: whoever waits for CMA's lock is under way.
what_is_lost_is_counted()
{
	ok $cma_dev reset
	for round in 1 2 3 4 5 6 7 8 9 10; do
		"$here/cma_test_io" $cma_dev herd 100 'alloc 256K' || fail "somebody was treated wrongly"
		ok $cma_dev 'free all'
		lost=$(sed -n '1s/^# owners lost=//p' $cma_dir/owners)
		[ "$lost" = 0 ] || break
	done
	say "$lost of $((round * 100)) are lost"
	[ "$lost" -gt 0 ] || fail "a hundred allocations at once are all followed"
	"$kmemlab" cma | grep -q "^$lost records were lost$" || fail "kmemlab cma does not say so"
	"$kmemlab" cma --json | grep -q "\"lost\": $lost," || fail "kmemlab cma --json does not say so"
	ok $cma_dev reset
	same '# owners lost=0' "$(head -n 1 $cma_dir/owners)" "what is lost after reset"
}

wrong_use_is_refused()
{
	"$kmemlab" pressure nonsense 5 2>/dev/null && fail "nonsense is pressed"
	"$kmemlab" pressure anon 999999999 2>/dev/null && fail "more than all memory is pressed"
	"$kmemlab" cma nonsense 2>/dev/null && fail "nonsense is taken"
	unload cma_test || fail "does not unload"
	"$kmemlab" cma 2>/tmp/cma_said && fail "works without the module"
	grep -q 'is cma_test loaded' /tmp/cma_said || fail "$(cat /tmp/cma_said)"
	rm -f /tmp/cma_said
}

run_cases \
	"areas, owners, verdict and a picture:for_people" \
	"valid JSON:for_programs" \
	"a known report as text, with a picture:text_exactly" \
	"a known report as JSON:json_exactly" \
	"a picture as SVG:as_svg" \
	"pressure is announced when it is held:announced_when_it_is_held" \
	"pressure borrows the area and moves away:pressure_is_moved" \
	"what is lost is counted and shown:what_is_lost_is_counted" \
	"wrong use is refused:wrong_use_is_refused"
