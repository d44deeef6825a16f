# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2034,SC2119,SC2120 # sourced: $here and cma_* are shared
#
# What the cma_test_*.sh scripts share.

cma_dev=/dev/cma_test
cma_dir=/sys/kernel/debug/cma_test

# The module, loaded anew with the given parameters; skipped only where the
# kernel has no CMA area at all.
cma_load()
{
	loaded cma_test && { unload cma_test || fail "cma_test does not unload"; }
	load cma_test "$@" || fail "cma_test does not load: $*"
	[ -c $cma_dev ] || fail "there is no $cma_dev"
}

need_cma()
{
	need_module cma_test
	cma_total=$(meminfo CmaTotal)
	[ "${cma_total:-0}" -gt 0 ] || skip_all "this kernel has no CMA area"
}

# The readers of short reports are of the shell's own: every test calls them, and
# a program to run costs a hundred times as much.

# area_field AREA COLUMN: from the areas report; columns by the header's names
area_field()
{
	while read -r field_area field_values; do
		case $field_area in
		'#') field_names=${field_values#area } ;;
		"$1") break ;;
		esac
	done <$cma_dir/areas
	[ "$field_area" = "$1" ] || return 0
	field_wanted=$2
	# shellcheck disable=SC2086 # words
	set -- $field_values
	for field_name in $field_names; do
		[ "$field_name" != "$field_wanted" ] || echo "$1"
		shift
	done
}

default_area()
{
	while read -r field_area field_values; do
		case $field_values in *' yes') echo "$field_area" ;; esac
	done <$cma_dir/areas
}

# default_kib: size of the default area
default_kib() { echo $(($(area_field "$(default_area)" pages) * page_size / 1024)); }

# alloc_field NAME KEY: from the allocations report
alloc_field()
{
	while read -r field_name field_values; do
		[ "$field_name" = "$1" ] || continue
		for field_value in $field_values; do
			case $field_value in "$2="*) echo "${field_value#*=}" ;; esac
		done
		break
	done <$cma_dir/allocations
}

# allocations: how many
allocations()
{
	field_count=0
	while read -r field_name _; do
		[ "$field_name" = '#' ] || field_count=$((field_count + 1))
	done <$cma_dir/allocations
	echo $field_count
}

page_size=$(getconf PAGESIZE 2>/dev/null || awk '/KernelPageSize/ { print $2 * 1024; exit }' /proc/self/smaps)

# CmaFree in KiB, in cma_free, after the commands given have been carried out.
# Freed pages linger in per-CPU lists, where any process may pick them up: an
# allocation of 64 KiB drains the lists, and no process is started between it
# and the commands. It is kept, and counted in, until cma_undrain.
cma_drains=0
cma_free_after()
{
	for cma_command; do
		echo "$cma_command" >$cma_dev || fail "$cma_command"
	done
	cma_drains=$((cma_drains + 1))
	echo "alloc 64K name=drain$cma_drains" >$cma_dev || fail "cannot drain"
	cat /proc/sys/vm/stat_refresh >/dev/null 2>&1
	cma_free=$(($(meminfo CmaFree) + 64 * cma_drains))
}

cma_undrain()
{
	while [ $cma_drains -gt 0 ]; do
		ok $cma_dev "free drain$cma_drains"
		cma_drains=$((cma_drains - 1))
	done
}

# The newest verdict: all of its records.
last_verdict()
{
	awk '$1 == "verdict" { keep = "" }
	     $1 == "verdict" || $1 == "page" || $1 == "advice" { keep = keep $0 "\n" }
	     END { printf "%s", keep }' $cma_dir/verdict
}

verdicts() { grep -c '^verdict ' $cma_dir/verdict; }

# verdict_field KEY: from the newest verdict's first record
verdict_field()
{
	awk -v k="$1=" '$1 == "verdict" { last = $0 }
		END { n = split(last, word)
			for (i = 2; i <= n; i++)
				if (index(word[i], k) == 1)
					print substr(word[i], length(k) + 1) }' $cma_dir/verdict
}

# verdict_id: of the newest verdict, 0 if there is none
verdict_id() { cma_id=$(verdict_field id); echo "${cma_id:-0}"; }

# judged CLASS COMMAND ERRNO: the command fails, and for just this reason
judged()
{
	judged_before=$(verdict_id)
	read -r judged_since _ </proc/uptime
	refused "$3" $cma_dev "$2"
	same $((judged_before + 1)) "$(verdict_id)" "number of verdicts after '$2'"
	same "$1" "$(verdict_field class)" "class of '$2' ($(last_verdict))"
	last_verdict | grep -q "^advice id=$(verdict_id) ." || fail "no advice"
	same "$(exec sh -c 'echo $PPID') sh" "$(verdict_field pid) $(verdict_field comm)" "who asked"
	awk -v t="$(verdict_field time_ms)" -v since="$judged_since" '{
		exit !(t >= since * 1000 - 20 && t <= $1 * 1000 + 20)
	}' /proc/uptime || fail "it was at $(verdict_field time_ms) ms"
	last_verdict | sed 's/^/# /'
}

# can_pin: leaves the case where cma_alloc() cannot be called
can_pin()
{
	grep -q -e ' exports ' -e ' resolved ' $cma_dir/areas ||
		skip "cma_alloc() cannot be called on this kernel"
}
