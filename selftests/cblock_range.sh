#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# Memory that the user names: taken only if it is proven to be nobody's.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"

base=$(($(carved_base)))
mib=1048576
# where it ends: a PC has more RAM behind it, the ARM board nothing
case $(uname -m) in
x86_64) end=$((base + 64 * mib)) ;;
*) end=$((base + 128 * mib)) ;;
esac

a_carved_range()
{
	cblock_load
	same range "$(region carved source)" "source"
	same $((64 * mib)) "$(region carved size)" "size"
	same "$base" "$(($(region carved base)))" "base"
	same no "$(region carved pages)" "pages"
	grep -q ': cblock' /proc/iomem || fail "it is not claimed"
	ok $cblock_dev "alloc 64M region=carved name=all"
	ok $cblock_dev "clear all"
	ok $cblock_dev "free all"
	cblock_unload || fail "does not unload"
	! grep -q ': cblock' /proc/iomem || fail "still claimed after unloading"
}

several_ranges()
{
	cblock_unload
	load cblock "region=one:16M@$base,two:0x1000000@$((base + 16 * mib))" || fail "refused"
	same "one two " "$(region_names | tail -n 2 | tr '\n' ' ')" "regions"
	# an allocation finds the next region when those before are full
	for name in $(region_names | grep -vx -e one -e two); do
		ok $cblock_dev "alloc $(region "$name" size) region=$name"
	done
	ok $cblock_dev "alloc 10M name=a"
	ok $cblock_dev "alloc 10M name=b"
	same one "$(block a region)" "region of a"
	same two "$(block b region)" "region of b"
}

memory_in_use()
{
	ram=$(awk -F'[-:]' '/System RAM/ { print $1 }' /proc/iomem | tail -1)
	declined "the system uses memory" "region=x:1M@0x$(echo $ram)"
	declined "the system uses memory" "region=x:2M@$((0x50000000 - ($(uname -m | grep -c x86) * 0x40000000)))"
}

pages_of_cma()
{
	case $(meminfo CmaTotal) in '' | 0) return 0 ;; esac
	cblock_unload
	load cblock cma=default:1M || fail "nothing of CMA: $(dmesg | tail -1)"
	# what the system lends out is System RAM
	area=$(region default base)
	declined "the system uses memory" "region=x:1M@$area"
}

what_is_no_memory()
{
	declined "nothing says" "region=x:1M@0xe8000000"
	declined "not a range" "region=x:1M@0"
	declined "not a range" "region=x:0@$base"
	declined "not a range" "region=x:0xfffffffffffff000@$base"
	# where addresses have 32 bits these are none
	wrapped="not a range"
	long="nothing says"
	case $(uname -m) in
	x86_64) long="the system uses memory" ;;
	arm*) wrapped="not a range\|beyond" long="nothing says\|not a range" ;;
	esac
	declined "$wrapped" "region=x:1M@0xfffffffffffff000"
	declined "$long" "region=x:8192G@$base"
}

half_outside()
{
	# what lies beside it differs: RAM, a region, what the kernel claims, nothing
	others="uses memory\|nothing says\|overlaps region\|is claimed\|manages page"
	declined "$others" "region=x:2M@$((end - mib))"
	declined "$others" "region=x:2M@$((base - mib))"
}

edges()
{
	declined "not whole pages" "region=x:1M@$((base + 512))"
	declined "not whole pages" "region=x:1000000@$base"
}

overlap()
{
	declined "is claimed" "region=a:16M@$base,b:16M@$((base + 15 * mib))"
	declined "is claimed" "region=a:16M@$base,a:16M@$base"
	declined "the name is taken" "region=a:16M@$base,a:16M@$((base + 32 * mib))"
}

claimed_by_another()
{
	cblock_unload
	load kmemlab_claim "start=$((base + mib))" "size=4096" || fail "no kmemlab_claim"
	declined "is claimed" "region=x:16M@$base"
	unload kmemlab_claim
	cblock_load
}

malformed()
{
	for text in x x: x:1M x:1M@ :1M@$base x:1Q@$base x:1M@4Q "x y:1M@$base" \
		"$(printf %040d 0):1M@$base"; do
		declined "not NAME:SIZE@ADDRESS" "region=\"$text\""
	done
}

reserve_mem()
{
	declined "reserves nothing of that name" reserve_mem=nothing
	declined "not a name" reserve_mem=no/name
	if ! reserve_mem_works; then
		declined "reserves nothing of that name" reserve_mem=spare
		return
	fi
	cblock_load
	same reserve_mem "$(region spare source)" "source"
	same $((16 * mib)) "$(region spare size)" "size"
	same yes "$(region spare pages)" "pages"
	ok $cblock_dev "alloc 16M region=spare name=all"
	ok $cblock_dev "clear all"
	ok $cblock_dev "free all"
	declined "the system uses memory" "region=x:1M@$(($(cblock_load; region spare base)))"
}

unharmed()
{
	cblock_unload
	mkdir -p /tmp/fill && mount -t tmpfs none /tmp/fill
	dd if=/dev/zero of=/tmp/fill/file bs=1M count=200 2>/dev/null
	sum=$(tr -d '\000' </tmp/fill/file | wc -c)
	umount /tmp/fill
	same 0 "$sum" "bytes of a file of zeroes that are not zero"
}

run_cases \
	"a carved range is a region:a_carved_range" \
	"several ranges, the next when one is full:several_ranges" \
	"memory in use is refused:memory_in_use" \
	"pages of a CMA area are refused:pages_of_cma" \
	"what is no memory is refused:what_is_no_memory" \
	"a range half outside is refused:half_outside" \
	"edges inside a page are refused:edges" \
	"overlapping regions and equal names are refused:overlap" \
	"a range that another driver claimed is refused:claimed_by_another" \
	"malformed parameters are refused:malformed" \
	"reserve_mem is a region where the kernel has it:reserve_mem" \
	"the machine is unharmed:unharmed"
