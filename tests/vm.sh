#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The contract of scripts/vm: each way in which a guest can end, on the default
# board, and the deterministic clock.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

board=arm64-6.1
output=$scratch/output

# guest STATUS TEXT [OPTION…]: a script of TEXT makes scripts/vm exit with STATUS
# on $board
guest()
{
	expected=$1
	printf '%s\n' "$2" >"$scratch/script.sh"
	shift 2
	"$top/scripts/vm" --timeout 120 "$@" $board "$scratch/script.sh" >"$output" 2>&1
	status=$?
	[ $status = 3 ] && skip "$(tail -n 1 "$output")"
	[ $status = "$expected" ] && return
	tail -n 20 "$output" | sed 's/^/# /'
	fail "exit status $status, not $expected"
}

says() { grep -q "$1" "$output" || fail "does not say '$1': $(tail -n 1 "$output")"; }

splat() { guest 125 "insmod /kmemlab/kmemlab_splat.ko what=$1; echo it goes on; exit 0"; }
ends_there() { ! grep -q 'it goes on' "$output" || fail "the guest goes on"; }

success() { guest 0 'exit 0'; }
own_status() { guest 7 'exit 7'; }

oops() { splat oops; says 'vm: .*complained'; ends_there; }
warning() { splat warn; says 'vm: .*complained'; ends_there; }
report_only() { splat report; says 'vm: .*complained.*circular'; says 'it goes on'; }

# What a module forgot is found, also when it has gone and nothing has its name.
leak()
{
	board=debug-7
	guest 125 'insmod /kmemlab/kmemlab_splat.ko what=leak && rmmod kmemlab_splat' \
		--timeout 600
	says 'vm: .*kmemleak'
	says 'comm "insmod"'
}

# kmemleak STATUS LINE: a guest whose kmemleak reports an object, with LINE in its
# backtrace, ends with STATUS. The kernel has none: a pipe takes two scans and
# gives the report twice, as init asks for it.
kmemleak()
{
	guest "$1" "mount -t tmpfs tmpfs /sys/kernel/debug
		mkfifo /sys/kernel/debug/kmemleak
		cat >/tmp/report <<-EOF
		unreferenced object 0xffff0000c1234500 (size 64):
		  comm \"insmod\", pid 99, jiffies 4294893600
		  backtrace:
		    kmalloc_trace+0x40/0x100
		    $2
		EOF
		{
			cat /sys/kernel/debug/kmemleak /sys/kernel/debug/kmemleak
			cat /tmp/report >/sys/kernel/debug/kmemleak
			sleep 1
			cat /tmp/report >/sys/kernel/debug/kmemleak
		} >/dev/null &
		exit 0"
}

ours_leaked()
{
	for line in 'cb_open+0x20/0x80 [cblock]' '[<0000000012345678>] 0xffff800001234567' \
			'0xffff800001234567'; do
		kmemleak 125 "$line"
		says 'vm: .*kmemleak'
		says '^unreferenced object'
	done
}

others_leaked() { kmemleak 0 'vivid_create+0x20/0x80 [vivid]'; }

hang() { guest 125 'while :; do :; done' --timeout 15; says 'vm: .*hung: no end after 15 s'; }
early_end() { guest 125 'poweroff -f; sleep 60'; says 'vm: .*without reporting'; }

# shellcheck disable=SC2016 # the guest's variables
# The port goes away under init's feet: it cannot say a word.
silent_channel()
{
	guest 125 'for port in /sys/bus/pci/drivers/serial/0*; do
			echo 1 >"$port/remove"
		done
		exit 0'
	says 'vm: .*without reporting'
}

# Nothing runs on when scripts/vm is killed.
killed()
{
	printf 'sleep 600\n' >"$scratch/script.sh"
	"$top/scripts/vm" $board "$scratch/script.sh" \
		>"$output" 2>&1 &
	vm=$!
	tries=0
	until guest=$(pgrep -P "$(pgrep -P $vm -x timeout || echo 0)" -f qemu); do
		tries=$((tries + 1))
		[ $tries -lt 120 ] || fail "no guest"
		sleep 1
	done
	kill -9 $vm
	sleep 3
	! kill -0 "$guest" 2>/dev/null || { kill "$guest"; fail "the guest runs on"; }
}

# A number on the console is not a status.
console_is_not_status() { guest 125 'echo "exit 0"; poweroff -f; sleep 60'; }

# What a script prints is no kernel message.
words_are_no_splat() { guest 0 'echo "Kernel panic - not syncing: BUG: WARNING: only words"'; }

options()
{
	echo content >"$scratch/added"
	cat >"$scratch/script.sh" <<-'EOF'
		set -e
		test "$1" = "two words" -a "$2" = "it's"
		test "$(cat /root/added)" = content -a "$(cat /etc/placed)" = content
		test -e /kmemlab/selftests/functions.sh
		for fs in proc sysfs debugfs tracefs devtmpfs; do grep -q " $fs " /proc/mounts; done
		modprobe vivid
		grep -q "^vivid " /proc/modules
		grep -q kmemlab.marker=1 /proc/cmdline
		test "$(nproc)" = 1
		awk '/MemTotal/ { exit !($2 < 600000) }' /proc/meminfo
		test -e /proc/device-tree/kmemlab-marker
		echo word >$KMEMLAB_REPORT
	EOF
	printf '/dts-v1/;\n/ { kmemlab-marker { }; };\n' >"$scratch/marker.dts"
	"$top/scripts/vm" --timeout 120 --append kmemlab.marker=1 --mem 512M --smp 1 \
		--add "$scratch/added" --add "$scratch/added:/etc/placed" \
		--dts "$scratch/marker.dts" --log "$scratch/log" --report "$scratch/report" \
		$board "$scratch/script.sh" 'two words' "it's" >"$output" 2>&1 ||
		fail "exit status $?: $(tail -n 3 "$output")"
	same word "$(cat "$scratch/report")" "what the script reported"
	grep -q 'reboot: Power down' "$scratch/log" || fail "--log has no console"
}

# shellcheck disable=SC2016 # the guest's variables
# "now at N nsecs": the kernel's own clock, read twice around a fixed loop
loop='echo "begun: $(cut -d " " -f 1 /proc/uptime)"
	now() { awk "/^now at/ { print \$3 }" /proc/timer_list; }
	a=$(now); i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; b=$(now)
	echo "loop: $((b - a))"'
clock()
{
	guest 0 "$loop" --icount
	first=$(sed -n 's/^loop: //p' "$output")
	guest 0 "$loop" --icount
	second=$(sed -n 's/^loop: //p' "$output")
	say "20,000 rounds of a loop in ash: $first and $second instructions"
	awk -v a="$first" -v b="$second" \
		'BEGIN { exit !(a > 0 && (a - b) ^ 2 <= (0.005 * a) ^ 2) }' ||
		fail "they differ by more than 0.5 %"
	# a shell is there in seconds: a host does some 10^9 instructions in one
	begun=$(sed -n 's/^begun: //p' "$output")
	say "a script begins after $begun * 10^9 instructions"
	awk -v t="$begun" 'BEGIN { exit !(t > 0 && t < 10) }' || fail "that is too many"
}

usage_errors()
{
	for arguments in '' '--timeout' '--no-such-option arm64-6.1' 'no-such-board' \
			'arm64-6.1 /nonexistent' '../arm64-6.1' '--timeout soon arm64-6.1' \
			'--icount --smp 2 arm64-6.1' '--accel magic arm64-6.1'; do
		# shellcheck disable=SC2086 # words
		"$top/scripts/vm" $arguments >"$output" 2>&1 </dev/null
		same 2 $? "status of: vm $arguments"
	done
}

# A shell on the console, for people: commands come from standard input.
shell()
{
	(sleep 20; echo 'test -e /kmemlab/cma_test.ko && lsmod'; echo 'exit 6'; sleep 20) |
		"$top/scripts/vm" --insmod --timeout 120 $board >"$output" 2>&1
	same 6 $? "the shell's exit status"
	grep -q '^cma_test ' "$output" || fail "--insmod does not load cma_test"
}

# What a newcomer types first: a command in it that fails, fails it.
tour()
{
	"$top/scripts/tour" >"$output" 2>&1
	status=$?
	[ $status = 3 ] && skip "$(tail -n 1 "$output")"
	same 0 $status "exit status, $(grep -B 3 -m 1 '^\[exit status' "$output")"
	! grep -B 3 -m 1 '^\[exit status' "$output" || fail "a command fails"
	for module in cma_test cblock bootmem_probe vmalloc_probe; do
		says "^\\$ insmod /kmemlab/$module.ko"
		says "^\\$ rmmod $module"
	done
	says '^slot 0: freed 1024 KiB'
	says '^slot 1: freed 2048 KiB'
	# before, with 11 MiB allocated, with 64 KiB; others may borrow some, too
	sed -n 's/^CmaFree: *\([0-9]*\) kB$/\1/p' "$output" | paste -sd ' ' |
		awk '{ exit !(NF >= 3 && $1 - $2 > 10000 && $1 - $3 < 5000) }' ||
		fail "CmaFree does not fall and come back: $(grep CmaFree "$output" | paste -sd ' ')"
}

list()
{
	"$top/scripts/vm" --list >"$output" || fail "exit status $?"
	while read -r name arch version flavour; do
		grep -qE "^$name +$arch +$version\.[0-9x].* $flavour\$" "$output" ||
			fail "no board $name of $arch, kernel $version, flavour $flavour"
	done <<-EOF
		x86_64-5.10 x86_64 5.10 amd64
		x86_64-6.1 x86_64 6.1 amd64
		x86_64-6.12 x86_64 6.12 amd64
		x86_64-new x86_64 7 amd64
		x86_64-rt x86_64 7 rt-amd64
		arm64-5.10 arm64 5.10 arm64
		arm64-6.1 arm64 6.1 arm64
		arm64-6.12 arm64 6.12 arm64
		arm64-new arm64 7 arm64
		arm64-16k arm64 7 arm64-16k
		armhf-5.10 armhf 5.10 armmp
		armhf-6.1 armhf 6.1 armmp
		armhf-6.12 armhf 6.12 armmp
		armhf-new armhf 7 armmp
		armhf-lpae armhf 7 armmp-lpae
		debug-6 x86_64 6.12 debug
		debug-7 x86_64 7 debug
		debug-builtin x86_64 7 debug, built in
	EOF
}

run_cases \
	"a script that succeeds is 0:success" \
	"a script's own status is passed on:own_status" \
	"an oops is 125:oops" \
	"a WARN is 125:warning" \
	"a checker's report that stops nothing is 125:report_only" \
	"memory that a module leaked is 125:leak" \
	"so is what kmemleak says of ours:ours_leaked" \
	"what it says of others is not:others_leaked" \
	"a hang is 125:hang" \
	"a guest that powers off early is 125:early_end" \
	"a status channel that closes without a word is 125:silent_channel" \
	"a guest ends with scripts/vm:killed" \
	"a status on the console is none:console_is_not_status" \
	"a splat in a script's words is none:words_are_no_splat" \
	"options and the guest's contents:options" \
	"the instruction clock repeats within 0.5 %:clock" \
	"without a script there is a shell; --insmod loads the modules:shell" \
	"mistakes on the command line are 2:usage_errors" \
	"the contract's boards are listed:list" \
	"make run shows all modules at work, and none fails:tour"
