#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --mem 1G --dts bootmem_probe_dt.dts
#
# A device tree full of contradictions, each of which is found; and regions
# that are released, or refused.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
base=/sys/firmware/devicetree/base/reserved-memory
[ -d "$base/scratch@5c000000" ] || skip_all "needs a boot with bootmem_probe_dt.dts"
bm_load

fate() { awk -v n="$1" '$1 == "region" && $2 == n { print $3 }' "$bm_dir/regions"; }

# names, reg and properties as the kernel's own tree has them
tree()
{
	for node in "$base"/*/; do
		name=$(basename "$node")
		reg=''
		[ ! -e "$node/reg" ] || reg=$(od -An -v -tx1 "$node/reg" | tr -d ' \n' |
			sed 's/\(................\)\(................\)/\1 \2/')
		line=$(grep "^region $name " "$bm_dir/regions") || fail "$name is missing"
		if [ "$reg" ]; then
			start=$(printf '%#x' $((0x${reg% *})))
			last=$(printf '%#x' $((0x${reg% *} + 0x${reg#* } - 1)))
			case "$line " in
			*" reg=$start-$last "*) ;;
			*) fail "$name: $line; reg is $start-$last" ;;
			esac
		fi
		for property in no-map reusable; do
			case "$line " in *" $property "*) has=yes ;; *) has=no ;; esac
			[ -e "$node/$property" ] && want=yes || want=no
			same "$want" "$has" "$property of $name"
		done
	done
	same "$(find "$base" -mindepth 1 -maxdepth 1 -type d | wc -l)" "$(grep -c '^region ' "$bm_dir/regions")" nodes
}

fates()
{
	say "$(cat "$bm_dir/regions")"
	for pair in outside@e800000:outside-ram both@50000000:no-map \
		left@51000000:reserved scratch@5c000000:reserved \
		first@54000000:cma off@5b000000:disabled keep@60000000:reserved \
		dynamic:reserved unmapped@60200000:no-map toolarge:refused \
		straddles@7fff0000:partly-reserved \
		oninitrd@48100000:in-buddy; do
		same "${pair#*:}" "$(fate "${pair%:*}")" "the fate of ${pair%:*}"
	done
	same "$(meminfo CmaTotal)" "$(bm_field zones '^total' cma)" CmaTotal
	grep -q '^used region name=scratch@5c000000 kib=65536 ' "$bm_dir/used" ||
		fail "scratch is not 64 MiB of what is reserved"
}

# with ranges that are not mapped, which have a flag
arrays()
{
	[ ! -e /sys/kernel/debug/memblock/memory ] || kept_memblock
	cma_by_zone
}

contradictions()
{
	for kind in outside-memory region-on-kernel region-on-initrd \
		no-map-reusable regions-overlap cma-granule cma-default-twice \
		region-on-cma; do
		bm_found $kind
	done
	# each with its evidence, once; of sizes, by address and before there is one
	while read -r text; do
		same 1 "$(grep -c "^finding $text" "$bm_dir/lint")" "findings '$text' ($(cat "$bm_dir/lint"))"
	done <<-EOF
		outside-memory: outside@e800000 reserves 0xe800000-0xe80ffff, of which the memory nodes hold 0 KiB of 64;
		outside-memory: straddles@7fff0000 reserves 0x7fff0000-0x8000ffff, of which the memory nodes hold 64 KiB of 128;
		region-on-kernel: onkernel@40a00000 reserves 0x40a00000-0x40a0ffff, and the kernel's [a-z]* is at 0x40
		region-on-initrd: oninitrd@48100000 reserves 0x48100000-0x4810ffff, and the RAM disk is at 0x4[0-9a-f]*-0x4
		no-map-reusable: both@50000000 has
		regions-overlap: left@51000000 is at 0x51000000-0x510fffff and right@51080000 at 0x51080000-0x5117ffff;
		cma-granule: odd@52000000 is 0x310000 bytes at 0x52000000, but .* blocks of 0x
		cma-granule: oddsize asks for 0x310000 bytes, but .* blocks of 0x
		cma-default-twice: first@54000000 and second@58000000 both
		region-on-cma: first@54000000 is at 0x54000000-0x55ffffff and oncma@54100000 at 0x54100000-0x5410ffff, the default area of CMA;
	EOF
	same 8 "$(awk '$1 == "finding" && !seen[$2]++ { n++ } END { print n }' "$bm_dir/lint")" "kinds of findings"
	# nothing is said of what is right, or disabled
	for node in off@ scratch@ keep@ unmapped@ held@ twin@ dynamic; do
		grep "$node" "$bm_dir/lint" && fail "a finding about $node"
	done
	return 0
}

# How many of the released pages are on an LRU list, says the kernel: bit 5 of
# their 64 bits in /proc/kpageflags.
in_use()
{
	dd if=/proc/kpageflags bs=32768 skip=$((0x5c000000 / 4096 / page)) \
		count=$((67108864 / 4096 / page)) 2>/dev/null |
		od -An -v -tx4 | awk '
			{ for (i = 1; i <= NF; i += 2)
				if ($i ~ /[2367abef].$/)
					n++ }
			END { print n + 0 }'
}

# fill FILE MIB: memory, but for so much of it. In halves, each of what is left by
# then: others take and give back meanwhile, and nobody is to be killed for it.
fill()
{
	while room=$(($(meminfo MemAvailable) / 1024 - $2)) && [ $room -gt 0 ]; do
		dd if=/dev/zero bs=1M count=$(((room + 1) / 2)) >>"/tmp/bm.fill/$1" 2>/dev/null ||
			fail "memory cannot be filled"
	done
}

# Memory is filled but for some MiB, then 64 MiB are released: what is filled
# next can come from nowhere else.
release()
{
	page=$(bm_page)
	[ -r /proc/kpageflags ] || fail "no /proc/kpageflags"
	# compaction may have a block in its hands: 32 MiB with 16 KiB pages
	block=$(($(sed -n 's/^Pages per block: *//p' /proc/pagetypeinfo) * page / 1048576))
	mkdir -p /tmp/bm.fill
	mount -t tmpfs -o size=100% none /tmp/bm.fill || fail "no tmpfs"
	# huge pages want more kept free than is filled here, and what lies in
	# the per-CPU lists, up to an eighth of memory, is free to no one else
	kept=$(cat /proc/sys/vm/min_free_kbytes)
	echo 4096 >/proc/sys/vm/min_free_kbytes
	lists=/proc/sys/vm/percpu_pagelist_high_fraction
	[ ! -e $lists ] || echo 1000 >$lists
	trap 'umount /tmp/bm.fill; echo $kept >/proc/sys/vm/min_free_kbytes
		[ ! -e $lists ] || echo 0 >$lists' EXIT
	fill before $((block + 22))
	before=$(meminfo MemTotal)
	ok $bm_dev "release scratch"
	same $((before + 65536)) "$(meminfo MemTotal)" "MemTotal after the release of 64 MiB"
	same released "$(fate scratch@5c000000)" "the fate of scratch"
	same "$(meminfo MemTotal)" "$(bm_field zones '^total' managed)" "managed"
	bm_refused 'Device or resource busy' "release scratch"
	grep -q 'scratch is in the buddy already' "$bm_dir/verdict" || fail "$(cat "$bm_dir/verdict")"
	bm_refused 'Device or resource busy' "release scratch@5c000000"
	same $((before + 65536)) "$(meminfo MemTotal)" "MemTotal after two refusals"

	# What others gave back meanwhile is used, too: until there is no more.
	want=$(((64 - block) * 524288 / page))
	for left in 22 18 14 10; do
		fill after.$left $((block + left))
		found=$(in_use)
		[ "$found" -lt $want ] || break
	done
	say "$found of $((67108864 / page)) released pages are in use"
	[ "$found" -ge $want ] ||
		fail "the released memory is not used; $(meminfo MemAvailable) KiB available"
}

release_others()
{
	before=$(meminfo MemTotal)
	ok $bm_dev "release dynamic"
	same $((before + 1024)) "$(meminfo MemTotal)" "MemTotal after 1 MiB more"
	ok $bm_dev "release twin@60a00000"
	same $((before + 1024 + 64)) "$(meminfo MemTotal)" "MemTotal after 64 KiB more"
}

refusals()
{
	before=$(meminfo MemTotal)
	while IFS=: read -r name errno words; do
		bm_refused "$errno" "release $name"
		grep -q "$words" "$bm_dir/verdict" || fail "$name: $(cat "$bm_dir/verdict")"
	done <<-EOF
		nosuch:No such file or directory:no reserved-memory region 'nosuch'
		scrat:No such file or directory:no reserved-memory region 'scrat'
		scratch@:No such file or directory:no reserved-memory region 'scratch@'
		keep:Operation not permitted:not declared kmemlab,releasable
		off:Invalid argument:boot did not reserve off
		toolarge:Invalid argument:boot did not reserve toolarge
		unmapped:Invalid argument:unmapped is no-map
		first:Invalid argument:first is reusable
		uneven:Invalid argument:not made of whole pages
		twin:Invalid argument:several regions are called 'twin'
		outside:Numerical result out of range:no page struct at 0xe800000
		straddles:Numerical result out of range:no page struct at 0x80000000
		left:Device or resource busy:overlaps right@
		onkernel:Device or resource busy:'Kernel [a-z]*' claims
		held:Device or resource busy:pcie@10000000 holds held
		spoken:Device or resource busy:pcie@10000000/function holds spoken
		crowd:Device or resource busy:/crowd[1-9] holds crowd
	EOF
	same "$before" "$(meminfo MemTotal)" "MemTotal after refusals"
}

# A page of it that somebody refers to, whom no device tree knows.
referred()
{
	before=$(meminfo MemTotal)
	load kmemlab_claim start=0x60804000 || fail "no kmemlab_claim"
	bm_refused 'Device or resource busy' "release twin@60800000"
	grep -q 'somebody uses twin@60800000 at 0x60804000' "$bm_dir/verdict" ||
		fail "$(cat "$bm_dir/verdict")"
	same "$before" "$(meminfo MemTotal)" "MemTotal while it is used"
	unload kmemlab_claim || fail "kmemlab_claim does not unload"
	ok $bm_dev "release twin@60800000"
	same $((before + 64)) "$(meminfo MemTotal)" "MemTotal afterwards"
}

# A driver that binds to anything, to a device that wants the region.
unbound()
{
	device=/sys/bus/platform/devices/borrower
	driver=/sys/bus/platform/drivers/alarmtimer
	[ -e $device ] || fail "no device to bind"
	[ -e $driver ] || fail "no driver to bind"
	before=$(meminfo MemTotal)
	echo alarmtimer >$device/driver_override
	echo borrower >$driver/bind || fail "does not bind"
	bm_refused 'Device or resource busy' "release lent"
	same "$before" "$(meminfo MemTotal)" "MemTotal while it is bound"
	echo borrower >$driver/unbind || fail "does not unbind"
	ok $bm_dev "release lent"
	same $((before + 1024)) "$(meminfo MemTotal)" "MemTotal afterwards"
}

by_cblock()
{
	before=$(meminfo MemTotal)
	load cblock || fail "cblock does not load"
	bm_refused 'Device or resource busy' "release block"
	grep -q 'block is taken by a driver' "$bm_dir/verdict" || fail "$(cat "$bm_dir/verdict")"
	unload cblock || fail "cblock does not unload"
	ok $bm_dev "release block"
	same $((before + 256)) "$(meminfo MemTotal)" "MemTotal once cblock is gone"
	# and now it is too late for cblock
	load cblock || fail "cblock does not load again"
	grep -q 60680000 /dev/cblock && fail "cblock took a released region"
	unload cblock
}

set --
module_file cblock >/dev/null && set -- "cblock holds its region while it is loaded:by_cblock"
run_cases "$@" "the nodes are those of /sys/firmware/devicetree:tree" \
	"what became of each node:fates" \
	"memblock's arrays and CMA by zone:arrays" \
	"every contradiction is found:contradictions" \
	"release raises MemTotal by the size, once, and the pages are used:release" \
	"dynamic regions and one of two namesakes:release_others" \
	"what cannot be released:refusals" \
	"a page that somebody refers to:referred" \
	"a platform device holds its region while it is bound:unbound"
