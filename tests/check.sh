#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check judges: what must make it fail does so and is named. On a copy of
# the tree with boards and selftests made for this, and with a cache of its own
# that shares the default board's kernel.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

tree=$scratch/tree
output=$scratch/output
shared=${XDG_CACHE_HOME:-$HOME/.cache}/kmemlab
private=$scratch/cache/kmemlab

# selftest FILE: an executable test of the copy, from standard input
selftest()
{
	cat >"$tree/selftests/$1"
	chmod +x "$tree/selftests/$1"
}

copy_project()
{
	[ ! -e "$tree" ] || return 0
	"$top/scripts/kernel" path arm64-6.1 >"$scratch/kernel" 2>"$scratch/log" ||
		fail "scripts/kernel path arm64-6.1: $(tail -n 1 "$scratch/log")"
	mkdir -p "$private/boards"
	for part in kernels roots busybox initramfs; do
		ln -s "$shared/$part" "$private/$part"
	done
	ln -s "$(cat "$scratch/kernel")" "$private/boards/judge"
	touch "$private/boards/judge.resolved"

	copy_tree "$tree"
	(cd "$tree" && git init -q 2>/dev/null)
	for script in "$tree"/selftests/*.sh; do
		case ${script##*/} in
		functions.sh | ktap.sh | run.sh) ;;
		*) rm "$script" ;;
		esac
	done
	cat "$tree/scripts/boards/arm64-6.1" - >"$tree/scripts/boards/judge" <<-'EOF'
		SKIPS="
		outcomes.sh: listed
		"
	EOF
	sed 's/^SUITES=.*/SUITES=no-such-suite/' "$tree/scripts/boards/arm64-6.1" \
		>"$tree/scripts/boards/nowhere"
	sed '/^SUITES=/s/.*/SUITES=no-such-suite/' "$tree/scripts/boards/debug-7" \
		>"$tree/scripts/boards/source"
}

# check STATUS ARGUMENT…: scripts/check of the copy ends with STATUS
check()
{
	expected=$1
	shift
	XDG_CACHE_HOME=$scratch/cache "$tree/scripts/check" "$@" >"$output" 2>&1
	status=$?
	[ $status = "$expected" ] || {
		sed 's/^/# /' "$output"
		fail "check $*: exit status $status, not $expected"
	}
}

says() { grep -qe "$1" "$output" || { sed 's/^/# /' "$output"; fail "check does not say '$1'"; }; }

judges()
{
	copy_project
	selftest outcomes.sh <<-'EOF'
		here=$(cd "$(dirname "$0")" && pwd)
		. "$here/functions.sh"
		passes() { :; }
		fails() { fail "on purpose"; }
		skips() { skip "on purpose"; }
		run_cases good:passes bad:fails listed:skips unlisted:skips
	EOF
	selftest dies.sh <<-'EOF'
		# kmemlab-vm: --append kmemlab.die=1
		echo c >/proc/sysrq-trigger
	EOF
	selftest mute.sh <<-'EOF'
		exit 0
	EOF
	# What these leave running ends with them.
	selftest leaves.sh <<-'EOF'
		here=$(cd "$(dirname "$0")" && pwd)
		. "$here/functions.sh"
		passes() { sleep 6000 & }
		run_cases good:passes
	EOF
	selftest waits.sh <<-'EOF'
		! pidof sleep || exit
		sleep 6000 &
		wait
	EOF
	echo timeout=20 >"$tree/selftests/settings"
	check 1 --no-host judge nowhere
	says 'failed: outcomes.sh|bad|$'
	says 'failed: outcomes.sh|unlisted|skipped here: on purpose'
	says 'failed: mute.sh|everything|0 of 0 cases ran'
	says 'failed: waits.sh|everything|no end after 20 s'
	says 'failed: boot 2 (--append kmemlab.die=1)|exit status 125'
	says '^judge  *6\.1\.[^ ]*  *2  *5  *1  *[1-9][0-9]*$'
	says '^nowhere  *unavailable: .*no-such-suite'
	same '2 passed, 5 failed, 1 skipped' "$(tail -n 1 "$output")" "the last line"

	# What the first build leaves behind is no change of the tree.
	grep -q 'building the modules' "$private"/results/*/judge.1.log ||
		fail "the first boot has built nothing"
	! grep 'building the modules' "$private"/results/*/judge.2.log ||
		fail "nothing has changed, but the modules are built again"
}

nothing_ran()
{
	copy_project
	check 1 --no-host nowhere
	says '^nothing ran$'
	same '0 passed, 1 failed, 0 skipped' "$(tail -n 1 "$output")" "the last line"
}

# A board begins only while there is time, and a kernel that must be built first
# takes more of it.
left_out()
{
	copy_project
	check 1 --no-host --minutes 0
	for name in arm64-new armhf-new x86_64-new arm64-5.10 debug-7; do
		says "^$name  *left out: no time was left"
	done
	same 5 "$(grep -c 'left out: no time was left' "$output")" "boards of make check"
	check 1 --no-host --all --minutes 0
	for file in "$tree"/scripts/boards/*; do
		case $file in */arch | *.config) continue ;; esac
		says "^${file##*/}  *left out: no time was left"
	done
	check 1 --no-host --minutes 20 source
	says '^source  *left out: no time was left'
	check 1 --no-host --minutes 60 source
	says '^source  *unavailable: .*no-such-suite'
}

# So it is with the boots of a board that has begun.
boots_left_out()
{
	copy_project
	find "$tree/selftests" -name '*.sh' -perm -100 ! -name run.sh -delete
	selftest first.sh <<-'EOF'
		# kmemlab-vm: --append kmemlab.first=1
		here=$(cd "$(dirname "$0")" && pwd)
		. "$here/functions.sh"
		passes() { sleep 15; }
		run_cases good:passes
	EOF
	selftest second.sh <<-'EOF'
		# kmemlab-vm: --append kmemlab.second=1
		exit 1
	EOF
	# bash counts on from here
	export SECONDS=45
	check 0 --no-host --minutes 1 judge
	says '^judge .* 1  *0  *0  *[1-9][0-9]*  from boot 2 on left out: no time was left$'
	same '1 passed, 0 failed, 0 skipped' "$(tail -n 1 "$output")" "the last line"
}

# A boot without a word is a failure.
nothing_reported()
{
	copy_project
	find "$tree/selftests" -name '*.sh' -perm -100 ! -name run.sh -delete
	check 1 --no-host judge
	says 'failed: boot 1|nothing ran|'
	says '^\[ *[0-9]*s\] judge (1 of 1)$'
}

# The host's tests count like those of a board.
host_tests()
{
	copy_project
	rm -rf "$tree"/tests/*
	cp "$top"/tests/run "$top/tests/common.sh" "$tree/tests/"
	cat >"$tree/tests/outcomes.sh" <<-'EOF'
		#!/bin/sh
		top=$(cd "$(dirname "$0")/.." && pwd)
		. "$top/tests/common.sh"
		passes() { :; }
		fails() { fail "on purpose"; }
		skips() { skip "on purpose"; }
		run_cases one:passes two:passes bad:fails skipped:skips
	EOF
	printf '#!/bin/sh\nexit 7\n' >"$tree/tests/dies.sh"
	chmod +x "$tree"/tests/*.sh
	check 1 nowhere
	says 'not ok 3 bad$'
	same '2 passed, 2 failed, 1 skipped' "$(tail -n 1 "$output")" "the last line"
}

# Nothing runs on when scripts/check is told to end.
killed()
{
	copy_project
	find "$tree/selftests" -name '*.sh' -perm -100 ! -name run.sh -delete
	echo 'sleep 600' | selftest sleeps.sh
	XDG_CACHE_HOME=$scratch/cache TMPDIR=$scratch \
		"$tree/scripts/check" --no-host judge >"$output" 2>&1 &
	check=$!
	tries=0
	until pgrep -f "^qemu.*$scratch/kmemlab-vm" >/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 120 ] || fail "no guest"
		sleep 1
	done
	kill $check
	sleep 3
	! pgrep -f "^qemu.*$scratch/kmemlab-vm" >/dev/null || {
		pkill -f "^qemu.*$scratch/kmemlab-vm"
		fail "the guest runs on"
	}
	! pgrep -f "$tree/scripts" >/dev/null || fail "a script runs on"
}

# What has no guest to end with, as a compiler has not.
killed_before_a_guest()
{
	copy_project
	rm -r "$tree"/tests/*/
	find "$tree/tests" -name '*.sh' ! -name common.sh -delete
	printf '#!/bin/sh\nmake -f - <<-EOF\n\tall:; sleep 6543\nEOF\n' >"$tree/tests/builds.sh"
	chmod +x "$tree/tests/builds.sh"
	XDG_CACHE_HOME=$scratch/cache "$tree/scripts/check" nowhere >"$output" 2>&1 &
	check=$!
	tries=0
	until pgrep -x -f 'sleep 6543' >/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 60 ] || fail "no host test: $(tail -n 1 "$output")"
		sleep 1
	done
	kill $check
	sleep 3
	! pkill -x -f 'sleep 6543' || fail "what it began runs on"
}

run_cases \
	"without a result it fails:nothing_ran" \
	"what no time is left for is named:left_out" \
	"failures, unlisted skips, dead guests, boards that cannot be had:judges" \
	"and so are boots:boots_left_out" \
	"a boot in which nothing ran is a failure:nothing_reported" \
	"tests of the host count:host_tests" \
	"a guest ends with scripts/check:killed" \
	"so does what is no guest:killed_before_a_guest"
