# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2034 # sourced: $here and cblock_* are shared
#
# What the tests of cblock share; sourced after functions.sh.

# shellcheck disable=SC2034 # used by the scripts
cblock_dev=/dev/cblock
cblock_io=$here/cblock_io
cblock_verdict=/sys/kernel/debug/cblock/verdict

need_cblock()
{
	need_module cblock
	trap 'cblock_unload >/dev/null 2>&1' EXIT
}

cmdline_has() { grep -qwF -- "$1" /proc/cmdline; }

# The ranges that --append 'memmap=64M$0x28000000 mem=896M' keeps from the
# kernel: a PC heeds the first, ARM, whose RAM begins at 1 GiB, the second.
carved_base()
{
	case $(uname -m) in
	x86_64) echo 0x28000000 ;;
	*) echo 0x78000000 ;;
	esac
}

# cblock_load [PARAMETER=VALUE…]: with the regions that this boot provides, all
# from the device tree, or what the command line sets aside
cblock_load()
{
	cblock_unload 2>/dev/null
	if cmdline_has mem=896M; then
		set -- "region=carved:64M@$(carved_base)" "$@"
		! reserve_mem_works || set -- reserve_mem=spare "$@"
	fi
	load cblock "$@" || fail "cblock does not load"
}

# declined REASON PARAMETER…: loading fails, for that reason, with no trace
declined()
{
	declined_reason=$1
	shift
	cblock_unload
	declined_iomem=$(cat /proc/iomem)
	mark_log
	! load cblock "$@" 2>/dev/null || fail "$* is accepted"
	! loaded cblock || fail "$*: still loaded"
	# the last word: nodes of the device tree were refused before
	log_since | grep 'cblock: ' | tail -n 1 | grep -q "$declined_reason" ||
		fail "$*: not for the reason '$declined_reason': $(log_since | tail -1)"
	same "$declined_iomem" "$(cat /proc/iomem)" "/proc/iomem after $*"
}

# linux_at_least MAJOR MINOR
linux_at_least()
{
	release=$(uname -r)
	major=${release%%.*}
	minor=${release#*.}
	minor=${minor%%[!0-9]*}
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

reserve_mem_works() { cmdline_has reserve_mem=16M:2M:spare && linux_at_least 6 12; }

# Free what text commands hold, then unload.
cblock_unload()
{
	loaded cblock || return 0
	if [ -c $cblock_dev ]; then
		for cblock_name in $(awk '$1 == "block" && $2 != "name=-" {
					sub("name=", "", $2); print $2 }' $cblock_dev); do
			put $cblock_dev "free $cblock_name" 2>/dev/null
		done
	fi
	unload cblock
}

# record KIND NAME KEY: the value of KEY in the record of that name
record()
{
	awk -v kind="$1" -v name="name=$2" -v key="$3=" '
		$1 == kind && $2 == name {
			for (i = 3; i <= NF; i++)
				if (index($i, key) == 1)
					print substr($i, length(key) + 1)
		}' $cblock_dev
}
region() { record region "$1" "$2"; }
block() { record block "$1" "$2"; }
region_names() { awk '$1 == "region" { sub("name=", "", $2); print $2 }' $cblock_dev; }

# Every region as it was when nothing was allocated.
all_free()
{
	for all_region in $(region_names); do
		same "$(region "$all_region" size)" "$(region "$all_region" free)" \
			"free bytes of $all_region"
		same "$(region "$all_region" size)" "$(region "$all_region" largest)" \
			"largest hole of $all_region"
		same 0 "$(region "$all_region" blocks)" "blocks in $all_region"
	done
}

# helper PROGRAM TEST [ARG…]: run it; what it says is why the case fails
helper()
{
	[ -x "$1" ] || fail "${1##*/} is not built"
	io_said=$("$@" 2>&1) || fail "$2: $io_said"
}
io() { helper "$cblock_io" "$@"; }
getconf_page() { "$cblock_io" page; }

# Does the kernel copy what a device does not reach? It has slots for that.
copies()
{
	slots=$(cat /sys/kernel/debug/swiotlb/io_tlb_nslabs 2>/dev/null)
	[ "${slots:-0}" -gt 0 ]
}

# Linux 6.12 and newer, with huge pages of 2 MiB, lets a module map one at once.
maps_2_mib()
{
	case $(uname -m) in x86_64 | aarch64) ;; *) return 1 ;; esac
	[ -d /sys/kernel/mm/transparent_hugepage ] &&
		[ "$(getconf_page)" = 4096 ] && linux_at_least 6 12
}
