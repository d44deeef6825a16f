# SPDX-License-Identifier: GPL-2.0
#
# What every test script uses. A script sets `here`, sources this file, defines
# its cases as functions and ends with
#
#	run_cases "first case:function" "second case:function" …
#
# A case passes when its function returns 0 and is skipped when that returns
# $KSFT_SKIP; it says why with `say`. Each runs in a subshell: what it sets is
# gone afterwards, and `set -e` does not hold inside it.
#
# POSIX sh; busybox is enough.

. "$here/ktap.sh"

say() { ktap_print_msg "$*"; }

# The whole script has nothing to do on this kernel.
skip_all()
{
	ktap_print_header
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

# skip REASON: leave the case that calls it.
skip()
{
	say "skipped: $*"
	exit "$KSFT_SKIP"
}

# fail REASON: leave the case that calls it.
fail()
{
	say "failed: $*"
	exit 1
}

run_cases()
{
	ktap_print_header
	ktap_set_plan $#
	for case_entry; do
		case_name=${case_entry%:*}
		(${case_entry##*:})
		case $? in
		0) ktap_test_pass "$case_name" ;;
		"$KSFT_SKIP") ktap_test_skip "$case_name" ;;
		*) ktap_test_fail "$case_name" ;;
		esac
	done
	rm -f "$said_file"
	ktap_finished
}

# Where the modules are: beside the tests on a target that the harness made,
# one level up after a plain `make`, else where modprobe looks.
module_file()
{
	for module_dir in "${KMEMLAB_MODULES:-/kmemlab}" "$here/../$1"; do
		[ -r "$module_dir/$1.ko" ] || continue
		echo "$module_dir/$1.ko"
		return 0
	done
	return 1
}

# need_module NAME: the script tests NAME; without it there is nothing to do.
need_module()
{
	[ "$(id -u)" = 0 ] || skip_all "needs root"
	module_file "$1" >/dev/null || modinfo "$1" >/dev/null 2>&1 || {
		! loaded "$1" || skip_all "$1 is built into this kernel"
		skip_all "$1 is not built for this kernel"
	}
}

# load NAME [PARAMETER=VALUE…]
load()
{
	load_name=$1
	shift
	# what was written while there was no device has made a file
	[ ! -f "/dev/$load_name" ] || rm "/dev/$load_name"
	if load_file=$(module_file "$load_name"); then
		insmod "$load_file" "$@"
	else
		modprobe "$load_name" "$@"
	fi
}

loaded() { [ -d "/sys/module/$1" ]; }

# wait_for CONDITION: a command, tried until it succeeds, for ten seconds
wait_for()
{
	wait_tries=0
	until eval "$1"; do
		wait_tries=$((wait_tries + 1))
		[ $wait_tries -lt 100 ] || return 1
		usleep 100000 2>/dev/null || sleep 1
	done
}

# unload NAME: for as long as a reader's last reference may take to go
unload()
{
	unload_tries=0
	while ! rmmod "$1" 2>/dev/null; do
		unload_tries=$((unload_tries + 1))
		[ $unload_tries -lt 50 ] || { rmmod "$1"; return 1; }
		usleep 100000 2>/dev/null || sleep 1
	done
	! loaded "$1"
}

kmemleak=/sys/kernel/debug/kmemleak
have_kmemleak() { { echo scan >$kmemleak; } 2>/dev/null; }

# Objects are reported from their second scan on, when they are 5 s old.
scan_for_leaks()
{
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
}

# nothing_lost MODULE: kmemleak reports nothing of it, neither by name nor, once it
# is unloaded, by an address that has no name any more
nothing_lost()
{
	scan_for_leaks
	lost=$(awk -v name="[$1]" '
		/^unreferenced object/ { if (ours) printf "%s", text; text = ""; ours = 0 }
		{ text = text $0 "\n" }
		index($0, name) || /^ +(\[<[0-9a-f]+>\] )?0x[0-9a-f]+$/ { ours = 1 }
		END { if (ours) printf "%s", text }' $kmemleak)
	[ -z "$lost" ] || fail "something was lost: $lost"
}

# put DEVICE TEXT: write TEXT as one write(2) with a newline. echo, because
# busybox's printf does not say why a write failed.
put() { echo "$2" >"$1"; }

# What a write complained about; in a file, as a subshell costs far more time.
said_file=/tmp/kmemlab-said.$$

# ok DEVICE TEXT: the write must succeed.
ok()
{
	put "$1" "$2" 2>"$said_file" || fail "'$2' > $1: $(cat "$said_file")"
}

# refused ERRNO-TEXT DEVICE TEXT: the write must fail with just this errno,
# named as strerror() words it, e.g. refused 'Invalid argument' /dev/x 'alloc 0'.
refused()
{
	if put "$2" "$3" 2>"$said_file"; then
		fail "'$3' > $2 succeeded; expected: $1"
	fi
	read -r refused_said <"$said_file"
	case $refused_said in
	*"$1") ;;
	*) fail "'$3' > $2: $refused_said; expected: $1" ;;
	esac
}

# same EXPECTED ACTUAL WHAT
same() { [ "$1" = "$2" ] || fail "$3: expected '$1', found '$2'"; }

# meminfo FIELD: its value in KiB; empty where the kernel has no such field.
meminfo() { awk -v f="$1:" '$1 == f { print $2 }' /proc/meminfo; }

# Kernel log lines since mark_log; a marker line instead of clearing the log.
mark_log()
{
	log_marker="kmemlab-test-$$-$(awk '{ print $1 }' /proc/uptime)"
	echo "$log_marker" >/dev/kmsg
}
log_since() { dmesg | sed "1,/$log_marker/d"; }
