#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What reaches the kernel's allocator, as the kernel's own tracer sees it: what is
# asked of an allocation is passed on, and what check says of an item was tried.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
tracing=/sys/kernel/tracing
[ -e $tracing/kprobe_events ] || skip_all "no events of kprobes in this kernel"

end_events()
{
	echo >$tracing/set_event_pid
	echo >$tracing/kprobe_events
	rm -r "$work"
}

# Of (size, align, start, end, gfp, prot, flags, node, caller); the largest size,
# and how many bytes a pointer has
largest=-1
pointer=8
case $(uname -m) in
x86_64) arguments="size=%di align=%si gfp=%r8:x32 flags=\$stack1:x32 node=\$stack2:s32" ;;
aarch64) arguments="size=%x0 align=%x1 gfp=%x4:x32 flags=%x6:x32 node=%x7:s32" ;;
*)
	flags=2 node=3
	# with LPAE, which knows no sections, prot has 64 bits and is aligned to them
	grep -q ' do_sect_fault$' /proc/kallsyms || flags=4 node=5
	arguments="size=%r0 align=%r1 gfp=\$stack0:x32 flags=\$stack$flags:x32 node=\$stack$node:s32"
	largest=0xffffffff
	pointer=4 ;;
esac
function=$(awk '$3 ~ /^__vmalloc_node_range(_noprof)?$/ { print $3; exit }' /proc/kallsyms)
first=${arguments%% *}
cat >$tracing/kprobe_events <<-EOT || skip_all "no kprobes on $function"
	p:kmemlab/asked $function $arguments
	r:kmemlab/given $function at=\$retval
	p:kmemlab/area get_vm_area_caller $first
	p:kmemlab/area_in __get_vm_area_caller $first
	p:kmemlab/purge vm_unmap_aliases
EOT
work=$(mktemp -d)
trap end_events EXIT

vp_load
page=$(page_size)

# trace COMMAND…: run it; its calls, one a line, in $work/calls:
# "size=… align=… gfp=… flags=… node=… at=…", "area size=…" and "purge"
trace()
{
	sh -c 'echo $PPID' >$tracing/set_event_pid
	echo >$tracing/trace
	echo 1 >$tracing/events/kmemlab/enable
	"$@" 2>/dev/null
	traced=$?
	echo 0 >$tracing/events/kmemlab/enable
	awk '
		/ asked: / { sub(".* size=", "size="); asked[++depth] = $0 }
		/ given: / { sub(".* at=", "at="); print asked[depth--], $0 }
		/ area(_in)?: / { sub(".* size=", "area size="); print }
		/ purge: / { print "purge" }
	' $tracing/trace >"$work/calls"
	return $traced
}

# first_call KEY: of the first call
first_call() { sed -n "s/.* $1=\([-0-9a-fx]*\) .*/\1/p" "$work/calls" | head -n 1; }

bits() { first_call gfp; }

# calls SIZE [REST]: how many asked for that many bytes, with REST in its line
calls() { grep -c "^size=$(printf '0x%x' "$1") .*${2-}" "$work/calls"; }

# Compilers make copies of a function for its callers, and then nothing calls it.
trace put $vp_dev 'alloc 4K name=second'
[ -s "$work/calls" ] || skip_all "$function is in its callers"
ok $vp_dev 'free all'

# Bits of gfp_t, the same on all kernels
dma32=0x04
io=0x40
fs=0x80

# class NAME BITS: an allocation of this class asks with just these of them
class()
{
	trace put $vp_dev "alloc 4K gfp=$1 name=$1" || fail "gfp=$1: $(cat $vp_dir/verdict)"
	same "$2" $(($(bits) & (dma32 | io | fs))) "bits of gfp=$1"
	ok $vp_dev "free $1"
}

classes_are_passed_on()
{
	class kernel $((io | fs))
	kernel=$(bits)
	class account $((io | fs))
	[ $(($(bits) & ~kernel)) != 0 ] || fail "gfp=account asks for nothing more"
	class nofs $((io))
	class noio 0
	if grep -q 'zone *DMA32$' /proc/zoneinfo; then
		class dma32 $((io | fs | dma32))
	else
		refused 'Operation not supported' $vp_dev 'alloc 4K gfp=dma32'
	fi
}

# VM_ALLOW_HUGE_VMAP, since there are functions that ask for it
huge=0x400

# together WORDS BITS NODE: passed on, all of it, or refused
together()
{
	case $1 in
	*huge*) expected="$2 $3 $((huge))" ;;
	*) expected="$2 $3 0" ;;
	esac
	if trace put $vp_dev "alloc 64K $1 name=t"; then
		same "$expected" "$(($(bits) & (dma32 | io | fs))) $(first_call node) $(($(first_call flags) & huge))" \
			"bits, node and flags of $1"
		ok $vp_dev "free t"
	else
		grep -q 'exports no vmalloc with this combination\|no zone for' $vp_dir/verdict ||
			fail "$1: $(cat $vp_dir/verdict)"
		same '' "$(cat "$work/calls")" "calls for what was refused"
		say "$1 is refused"
	fi
}

combinations_are_passed_on_or_refused()
{
	all=$((io | fs))
	together '' $all -1
	together node=0 $all 0
	together 'node=0 gfp=nofs' $((io)) 0
	together 'align=1M gfp=noio' 0 -1
	together 'align=1M node=0 gfp=nofs' $((io)) 0
	together 'huge gfp=nofs' $((io)) -1
	together 'huge node=0' $all 0
	together 'huge align=1M' $all -1
	together 'gfp=dma32 node=0' $((all | dma32)) 0
	together 'gfp=dma32 huge' $((all | dma32)) -1
}

# tried ITEM SIZE [REST]: calls that show it were made, unless it is hidden
tried()
{
	[ "$(finding "$1")" = hidden ] || [ "$(calls "$2" "${3-}")" -gt 0 ] ||
		fail "$1: $(seen "$1"); but nobody asked for $2 bytes"
}

# gave_null ITEM SIZE [REST]: the same, and it holds if all of them gave NULL
gave_null()
{
	tried "$@"
	[ "$(finding "$1")" = hidden ] ||
		same "$(finding "$1")" "$([ "$(calls "$2" "${3-}")" = "$(calls "$2" "${3-}.* at=0x0$")" ] && echo holds || echo differs)" \
			"$1, of which the trace says more"
}

check_tries_what_it_says()
{
	trace check_zero || fail "$(cat $vp_dir/verdict)"
	while read -r line; do say "$line"; done <"$work/calls"
	gave_null zero 0
	gave_null too_large $((($(meminfo MemTotal) * 1024 / page + 1) * page))
	gave_null wraps $largest
	tried rounding $((page + 1))
	# for the caller, the range and the guard page
	[ "$(calls "$page" 'align=0x1 ')" -ge 3 ] || fail "single pages asked for: $(calls "$page" 'align=0x1 ')"
	# for the size with the guard, and what is freed lazily; where no list shows
	# that, another allocation has to
	triples=3
	[ "$(field range lazy)" != hidden ] || triples=5
	[ "$(calls $((3 * page)))" -ge $triples ] || fail "three pages asked for: $(calls $((3 * page)))"
	[ "$(grep -c purge "$work/calls")" -ge 2 ] || fail "nothing was purged"
	align=$page
	while [ "$align" -le 4194304 ]; do
		tried alignment "$page" "align=$(printf '0x%x' "$align") "
		align=$((align * 2))
	done
	grep -q "^area size=$(printf '0x%x' $((32768 + page)))" "$work/calls" || fail "nothing was ioremapped"
	for node in /sys/devices/system/node/node[0-9]*; do
		tried node $((64 * page)) " node=${node##*node} "
	done
	tried array $((page * page / pointer))
	tried array $(((page / pointer + 1) * page))
	# as large as the fullest array of a page makes it, once more
	[ "$(finding huge)" = hidden ] || [ "$(calls $((page * page / pointer)))" -ge 2 ] ||
		fail "huge: $(seen huge); but nobody asked for them"
	dma=$(awk '/^Node/ { here = $2 == "0," && $4 == "DMA" }
		here && $1 == "managed" { print $2 + 1 }' /proc/zoneinfo)
	gave_null midway $((dma * page))
	tried mapping $((32 * page))
}

# storm_calls EVENT CASE OPERATIONS PATTERN: in $found, calls of the storm's threads
# that match
storm_calls()
{
	event=$tracing/events/$1
	echo 'comm ~ "vmalloc_storm*"' >"$event/filter" || fail "no filter of $1"
	echo >$tracing/set_event_pid
	echo >$tracing/trace
	echo 1 >"$event/enable"
	ok $vp_dev "storm $3 case=$2"
	echo 0 >"$event/enable"
	echo 0 >"$event/filter"
	found=$(grep -c "$4" $tracing/trace)
}

# Of the cases whose areas are gone before anybody sees them.
storms_ask_for_what_they_say()
{
	threads=$(grep -c ^processor /proc/cpuinfo)
	storm_calls kmemlab/asked fix_size 20 " asked: .* size=$(printf '0x%x' "$page") "
	same $((20 * threads)) "$found" "single pages asked for by fix_size"
	storm_calls percpu/percpu_alloc_percpu pcpu 20 ' percpu_alloc_percpu: '
	same $((20 * threads)) "$found" "per-CPU allocations of pcpu"
}

unloads() { unload vmalloc_probe; }

run_cases \
	"gfp classes are passed on:classes_are_passed_on" \
	"combinations are passed on or refused:combinations_are_passed_on_or_refused" \
	"check tries what it says:check_tries_what_it_says" \
	"storms ask for what they say:storms_ask_for_what_they_say" \
	"unloads:unloads"
