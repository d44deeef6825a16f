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

is_x86() { [ "$(uname -m)" = x86_64 ]; }

# Was this boot made to contradict itself, by the header of a script?
provoked()
{
	grep -qE 'ramoops.mem_name=nosuch|hugetlb_cma=1:1G' /proc/cmdline ||
		[ -d /sys/firmware/devicetree/base/reserved-memory/scratch@5c000000 ]
}
