# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2034 # sourced: $here and bm_* are shared
#
# What the bootmem_probe_*.sh scripts share.

bm_dev=/dev/bootmem_probe
bm_dir=/sys/kernel/debug/bootmem_probe

bm_load()
{
	loaded bootmem_probe && { unload bootmem_probe || fail "bootmem_probe does not unload"; }
	load bootmem_probe || fail "bootmem_probe does not load"
}

# bm_field REPORT PATTERN KEY: key=value from the first record that matches
bm_field()
{
	awk -v p="$2" -v k="$3" '
		$0 ~ p { for (i = 1; i <= NF; i++)
				if (index($i, k "=") == 1) {
					print substr($i, length(k) + 2)
					exit
				} }' "$bm_dir/$1"
}

# bm_found KIND: the lint has such a finding, with evidence and a fix
bm_found()
{
	grep -q "^finding $1: ..*; fix: ..*" "$bm_dir/lint" && return
	say "$(cat "$bm_dir/lint")"
	fail "no finding '$1'"
}

# bm_effect PARAMETER VERDICT: of the last one, which counts
bm_effect()
{
	case $(awk -v p="$1" '$1 == "param" && $2 == p { last = $3 } END { print last }' "$bm_dir/parameters") in
	"$2:") ;;
	*)
		say "$(cat "$bm_dir/parameters")"
		fail "$1 is not $2"
		;;
	esac
}

# bm_refused ERRNO-TEXT COMMAND: and the model has not changed
bm_refused()
{
	bm_before=$(cat "$bm_dir/map")
	refused "$1" "$bm_dev" "$2"
	same "$bm_before" "$(cat "$bm_dir/map")" "the model after '$2'"
	grep -q . "$bm_dir/verdict" || fail "'$2' is refused without words"
}

# what debugfs prints, in our words; before 6.12 or so without flags
memblock_lines()
{
	awk -v name="$1" '{
		sub(/:/, "", $1)
		split($2, range, /\.\./)
		for (i = 1; i <= 2; i++) {
			sub(/^0x0*/, "", range[i])
			if (range[i] == "")
				range[i] = "0"
		}
		line = name " " $1 " 0x" range[1] "-0x" range[2]
		if (NF > 2 && $NF != "NONE")
			line = line " flags=" $NF
		print line
	}' "/sys/kernel/debug/memblock/$1"
}

# The arrays that the kernel kept are those that it shows in debugfs.
kept_memblock()
{
	same kept-by-the-kernel "$(bm_field memblock '^memblock' source)" source
	for array in memory reserved; do
		drop='s/ node=[0-9]*//'
		[ "$(awk 'END { print NF }' /sys/kernel/debug/memblock/$array)" -gt 2 ] ||
			drop='s/ node=[0-9]*//; s/ flags=.*//'
		same "$(memblock_lines $array)" \
			"$(sed -n "/^$array /{$drop;p}" "$bm_dir/memblock")" \
			"memblock's $array"
	done
}

# bm_kib SIZE: of a parameter
bm_kib()
{
	case $1 in
	*G) echo $((${1%G} << 20)) ;;
	*M) echo $((${1%M} << 10)) ;;
	*) echo "${1%K}" ;;
	esac
}

# bytes of a page
bm_page() { sed -n 's/^bootmem_probe page=\([0-9]*\).*/\1/p' $bm_dev; }

# The kernel counts its pageblocks by node, zone and type.
cma_by_zone()
{
	same "$(cma_blocks)" \
		"$(sed -n 's/^zone node=\(.*\) name=\(.*\) start=.* cma=\([1-9][0-9]*\) .*/\1 \2 \3/p' "$bm_dir/zones")" \
		"CMA by zone"
}

# node, zone and KiB
cma_blocks()
{
	awk -v kib=$(($(bm_page) / 1024)) '
		/^Pages per block:/ { block = $4 * kib }
		/^Free pages/ { column = 0 }
		/^Number of blocks type/ {
			for (i = 1; i <= NF; i++)
				if ($i == "CMA")
					column = i
			next
		}
		column && $1 == "Node" && $column { print $2 + 0, $4, $column * block }
	' /proc/pagetypeinfo
}

# Does the kernel say that it knows no such parameter?
unknown() { dmesg | grep 'Unknown kernel command line parameters' | grep -q "[ \"]$1="; }

is_x86() { [ "$(uname -m)" = x86_64 ]; }

# Was this boot made to contradict itself, by the header of a script?
provoked()
{
	grep -qE 'ramoops.mem_name=nosuch|hugetlb_cma=1:1G' /proc/cmdline ||
		[ -d /sys/firmware/devicetree/base/reserved-memory/scratch@5c000000 ]
}
