#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# bootmem_probe's report against the kernel's own word.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
bm_load

memtotal()
{
	same "$(meminfo MemTotal)" "$(bm_field zones '^total' managed)" MemTotal
	same "$(bm_field zones '^total' managed)" \
		"$(awk -F'managed=' '/^zone/ { sum += $2 } END { print sum }' "$bm_dir/zones")" \
		"the sum of the zones"
}

# /proc/zoneinfo counts pages, and has zones without pages, too
zoneinfo()
{
	same "$(awk -v kib=$(($(bm_page) / 1024)) '
		$1 == "Node" { node = $2 + 0; zone = $4 }
		$1 ~ /^(spanned|present|managed)$/ { v[$1] = $2 * kib }
		$1 == "managed" && v["spanned"] {
			print node, zone, v["spanned"], v["present"], v["managed"]
		}' /proc/zoneinfo)" \
		"$(sed -n 's/^zone node=\(.*\) name=\(.*\) start=.* spanned=\(.*\) present=\(.*\) managed=\(.*\) cma=.*/\1 \2 \3 \4 \5/p' "$bm_dir/zones")" \
		/proc/zoneinfo
}

cmatotal()
{
	total=$(meminfo CmaTotal)
	same "${total:-0}" "$(bm_field zones '^total' cma)" CmaTotal
	cma_by_zone
}

# the last cma= counts; where it is all that there is, it was heard
cma_asked()
{
	asked=$(tr ' ' '\n' </proc/cmdline | grep '^cma=' | tail -n 1)
	[ "$asked" ] || return 0
	total=$(meminfo CmaTotal)
	case $(sed -n "s/^param $asked //p" "$bm_dir/parameters" | tail -n 1) in
	"as-asked: CMA has $total KiB") [ "$total" = "$(bm_kib "${asked#cma=}")" ] ;;
	"as-asked: part of "*) [ "$total" -gt "$(bm_kib "${asked#cma=}")" ] ;;
	"differently: CMA has $total KiB, rounded up "*) [ "$total" -gt "$(bm_kib "${asked#cma=}")" ] ;;
	*) false ;;
	esac || fail "$asked, and CmaTotal is $total: $(cat "$bm_dir/parameters")"
}

# every range of RAM is one that the firmware's map has, in whole
in_firmware_map()
{
	[ -d /sys/firmware/memmap ] || return 0
	for entry in /sys/firmware/memmap/*; do
		[ "$(cat "$entry/type")" != "System RAM" ] ||
			echo "$(($(cat "$entry/start"))) $(($(cat "$entry/end")))"
	done >/tmp/bm.map.$$
	sed -n 's/^memory [0-9]* \([^-]*\)-\([^ ]*\).*/\1 \2/p' "$bm_dir/memblock" |
		while read -r start last; do
			awk -v s=$((start)) -v l=$((last)) '
				$1 <= s && s <= $2 && $1 <= l && l <= $2 { found = 1 }
				END { exit !found }' /tmp/bm.map.$$ || echo "$start-$last"
		done >/tmp/bm.odd.$$
	odd=$(cat /tmp/bm.odd.$$)
	rm /tmp/bm.map.$$ /tmp/bm.odd.$$
	same '' "$odd" "RAM that the firmware's map does not have"
}

# is_reserved START-LAST: one of the ranges has it all
is_reserved()
{
	for range in $(sed -n 's/^reserved [0-9]* \([^ ]*\).*/\1/p' "$bm_dir/memblock"); do
		[ $((${range%-*})) -gt $((${1%-*})) ] || [ $((${range#*-})) -lt $((${1#*-})) ] || return 0
	done
	return 1
}

memblock()
{
	if [ ! -e /sys/kernel/debug/memblock/memory ]; then
		same rebuilt-from-iomem-and-page-state "$(bm_field memblock '^memblock' source)" source
		same "$(grep -c ' : System RAM$' /proc/iomem)" \
			"$(grep -c '^memory ' "$bm_dir/memblock")" "ranges of RAM"
		in_firmware_map
		# memory is what is present, and reserved of it what is not managed
		for pair in memory:present reserved:reserved; do
			awk -v array=${pair%:*} -v kib="$(bm_field zones '^total' ${pair#*:})" '
				function number(hex,   i, value) {
					for (i = 3; i <= length(hex); i++)
						value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
					return value
				}
				$1 == array {
					split($3, r, "-")
					kib -= (number(r[2]) + 1 - number(r[1])) / 1024
				}
				END { exit !(kib > -1024 && kib < 1024) }
			' "$bm_dir/memblock" || fail "${pair%:*}: $(cat "$bm_dir/memblock")"
		done
		is_reserved "$(sed -n 's/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : Kernel code$/0x\1-0x\2/p' /proc/iomem)" ||
			fail "the kernel's code is not reserved: $(cat "$bm_dir/memblock")"
	else
		kept_memblock
	fi
}

# /proc/iomem indents five levels at most
iomem()
{
	same "$(sed 's/\( : .\{47\}\).*/\1/' /proc/iomem)" "$(awk '
		function pad(hex) {
			sub(/^0x/, "", hex)
			while (length(hex) < 8)
				hex = "0" hex
			return hex
		}
		{
			split($2, range, "-")
			depth = substr($3, 7) + 0
			name = $0
			sub(/.* name=/, "", name)
			indent = ""
			for (i = 0; i < depth && i < 5; i++)
				indent = indent "  "
			print indent pad(range[1]) "-" pad(range[2]) " : " name
		}' "$bm_dir/iomem")" /proc/iomem
}

adds_up()
{
	say "$(cat "$bm_dir/used")"
	awk '
		$1 != "used" { next }
		{ for (i = 1; i <= NF; i++)
			if ($i ~ /^kib=/)
				kib = substr($i, 5) + 0 }
		$2 == "total" { total = kib; next }
		$2 == "rest" { rest = kib }
		$2 == "kernel" { kernel += kib }
		{ sum += kib }
		END { exit !(kernel > 4096 && sum >= total - NR && sum <= total + NR) }
	' "$bm_dir/used" || fail "the lines do not add up"
	same "$(bm_field zones '^total' reserved)" "$(bm_field used '^used total' kib)" reserved
	awk -v ram="$(bm_field zones '^total' present)" '
		$2 == "rest" { rest = substr($3, 5) + 0; seen = 1 }
		END { exit !(seen && rest < ram / 50 && rest > -ram / 500) }
	' "$bm_dir/used" || fail "the rest is 2 % of RAM or more, or less than nothing"
}

# What firmware has is in the layout, and what a PC's BIOS keeps of the first MiB
# is a use of its own.
firmware()
{
	sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : \(Reserved\|ACPI .*\)$/\1 \2/p' /proc/iomem |
		while read -r start last; do
			[ "$start" != "$last" ] || continue
			grep -q "^layout $(printf '0x%x-0x%x' $((0x$start)) $((0x$last))) use=firmware kib=" "$bm_dir/layout" ||
				echo "$start-$last"
		done >/tmp/bm.firmware.$$
	missing=$(cat /tmp/bm.firmware.$$)
	rm /tmp/bm.firmware.$$
	same '' "$missing" "firmware's ranges that the layout lacks"
	! is_x86 || awk '
		$1 == "used" && $2 == "firmware" && $3 == "name=first-mib" { kib = substr($4, 5) + 0 }
		END { exit !(kib >= 64 && kib <= 1024) }
	' "$bm_dir/used" || fail "nothing is kept of the first MiB: $(cat "$bm_dir/used")"
}

# a page struct has 32 bytes at least; newer kernels count their pages, together
# with those of what extends them
shares()
{
	said=$(awk -v ram="$(bm_field zones '^total' present)" -v page=$(($(bm_page) / 1024)) '
		$1 != "used" || $2 == "total" { next }
		{ for (i = 1; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		} }
		{
			off = value["kib"] * 100 / ram - value["percent"]
			if (off > 0.2 || off < -0.2) {
				print "percent: " $0
				exit 1
			}
		}
		$2 == "page-structs" && value["kib"] >= ram / page * 32 / 1024 { structs = 1 }
		END { if (!structs) print "page structs are missing"; exit !structs }
	' "$bm_dir/used") || fail "$said"
	structs=$(sed -n 's/^nr_memmap_boot\(_pages\)\{0,1\} //p' /proc/vmstat)
	[ -z "$structs" ] ||
		[ "$(bm_field used '^used page-structs' kib)" -le $((structs * $(bm_page) / 1024)) ] ||
		fail "more page structs than the $structs pages that the kernel has for them"
}

# the whole of memory is in the layout, once
layout()
{
	awk '
		FILENAME ~ /zones$/ { if ($1 == "total") present = substr($2, 9) + 0; next }
		$1 == "layout" && $3 != "use=firmware" { sum += substr($4, 5) + 0 }
		/name=first MiB/ { sum += substr($4, 5) + 0 }
		END { d = sum - present; exit !(present && d > -256 && d < 256) }
	' "$bm_dir/zones" "$bm_dir/layout" ||
		fail "the layout does not cover what is present: $(cat "$bm_dir/layout")"
	total=$(meminfo CmaTotal)
	same "${total:-0}" "$(awk '$3 == "use=cma" { sum += substr($4, 5) } END { print sum + 0 }' "$bm_dir/layout")" \
		"CMA in the layout"
	# what is reserved for a use is laid out for it
	for use in kernel initrd device-tree region crash-kernel reserve_mem; do
		awk -v use=$use '
			$1 == "used" && $2 == use {
				for (i = 1; i <= NF; i++)
					if ($i ~ /^kib=/)
						sum += substr($i, 5)
			}
			$1 == "layout" && $3 == "use=" use { sum -= substr($4, 5) }
			END { exit !(sum > -64 && sum < 64) }
		' "$bm_dir/used" "$bm_dir/layout" || fail "$use: $(cat "$bm_dir/used" "$bm_dir/layout")"
	done
	for use in kernel:code kernel:data device-tree:unflattened device-tree:blob; do
		case $use in device-tree:*) [ -e /sys/firmware/fdt ] || continue ;; esac
		grep -q "^used ${use%:*} name=${use#*:} kib=[1-9]" "$bm_dir/used" || fail "no size of $use"
		grep -q "^layout .* use=${use%:*} .*name=${use#*:}" "$bm_dir/layout" || fail "no place of $use"
	done
}

regions()
{
	same "$(find /sys/firmware/devicetree/base/reserved-memory -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l)" \
		"$(grep -c '^region ' "$bm_dir/regions")" "nodes of /reserved-memory"
}

clean()
{
	! provoked || skip "this boot contradicts itself on purpose"
	grep -q 'cma=' /proc/cmdline && [ -z "$(meminfo CmaTotal)" ] &&
		fail "this board asks for CMA, which its kernel lacks"
	same "lint findings=0" "$(cat "$bm_dir/lint")" "the lint of a clean machine"
}

parts()
{
	cat $bm_dev >/tmp/bm.$$ || fail "cannot read $bm_dev"
	for part in zones used memblock regions parameters lint map; do
		cat "$bm_dir/$part" >/tmp/bm.part.$$ || fail "cannot read $part"
		awk 'NR == FNR { seen[$0]; next } !($0 in seen) { exit 1 }' \
			/tmp/bm.$$ /tmp/bm.part.$$ || fail "$part is not part of the report"
	done
	rm /tmp/bm.$$ /tmp/bm.part.$$
	same $bm_dev "$(find $bm_dev -perm 600)" "the device with mode 0600"
}

# one byte at a time, and stopping half-way
small_reads()
{
	dd if=$bm_dev bs=1 count=40 2>/dev/null | grep -q '^bootmem_probe page=' ||
		fail "the header does not come byte by byte"
	head -n 1 $bm_dev | grep -q . || fail "nothing to read"
}

in_use()
{
	exec 3<$bm_dev
	rmmod bootmem_probe 2>/dev/null && fail "unloads while open"
	exec 3<&-
	unload bootmem_probe || fail "does not unload"
	[ ! -e $bm_dir ] || fail "$bm_dir stays behind"
	[ ! -e $bm_dev ] || fail "$bm_dev stays behind"
	bm_load
}

run_cases "managed pages sum to MemTotal:memtotal" \
	"zones are those of /proc/zoneinfo:zoneinfo" \
	"CMA is CmaTotal, and what each zone has of it:cmatotal" \
	"cma= has its effect:cma_asked" \
	"memblock's arrays are those of debugfs, or said to be rebuilt:memblock" \
	"the iomem tree is /proc/iomem:iomem" \
	"what is reserved adds up, the rest below 2 %:adds_up" \
	"each share is of all memory, page structs have one:shares" \
	"the layout covers all memory:layout" \
	"what firmware has is shown:firmware" \
	"every reserved-memory node is there:regions" \
	"a clean machine gives no finding:clean" \
	"the device's report is the sum of its parts:parts" \
	"reads of any size:small_reads" \
	"unloads, but not while it is read:in_use"
