#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: run.sh [-t SECONDS] [SCRIPT…]
#
# Run the selftests on this machine: all that need no boot of their own, or
# those named. Honours `settings` as kselftest's runner does, -t overriding its
# timeout. Each result also goes to $KMEMLAB_REPORT, a line each: OUTCOME|SCRIPT|CASE|REASON.
# POSIX sh; busybox is enough.

here=$(cd "$(dirname "$0")" && pwd)
cd "$here" || exit 1
limit=$(sed -n 's/^timeout=//p' settings)
if [ "${1:-}" = -t ]; then
	limit=$2
	shift 2
fi
report=${KMEMLAB_REPORT:-/dev/null}
log=$(mktemp /tmp/kmemlab-run.XXXXXX) || exit 1

# What a script leaves running holds its output open, and perhaps a device; each
# script is a process group.
end_group()
{
	[ ! -s "$log.group" ] || kill -9 -- "-$(cat "$log.group")" 2>/dev/null
	rm -f "$log.group"
}

trap 'end_group; rm -f "$log" "$log.status" "$log.group"' EXIT
trap 'exit 1' HUP INT TERM

if [ $# = 0 ]; then
	for script in *.sh; do
		case $script in
		run.sh | bench_* | builtin.sh) continue ;;
		esac
		# What is not executable is there to be sourced.
		[ -x "$script" ] && ! grep -q '^# kmemlab-vm' "$script" &&
			set -- "$@" "$script"
	done
fi
[ $# -gt 0 ] || { echo "no selftests in $here"; exit 1; }

# What a script's KTAP and exit status amount to.
outcomes()
{
	awk -v script="$1" -v status="$2" -v limit="$limit" '
		function say(outcome, name, reason) {
			print outcome "|" script "|" name "|" reason
		}
		/^1\.\.0 # SKIP/ { sub(/^1\.\.0 # SKIP */, ""); all = $0; next }
		/^1\.\.[0-9]+/ { plan = substr($1, 4) }
		/^# skipped: / { reason = substr($0, 12); next }
		/^(not )?ok [0-9]+ / {
			outcome = $1 == "not" ? "fail" : "pass"
			name = $0
			sub(/^(not )?ok [0-9]+ /, "", name)
			if (sub(/ # SKIP.*/, "", name))
				outcome = "skip"
			say(outcome, name, outcome == "skip" ? reason : "")
			reason = ""
			seen++
			bad += outcome == "fail"
		}
		END {
			if (status == 4 && !seen)
				say("skip", "everything", all ? all : "no reason given")
			else if (status == 124 || status == 143)
				say("fail", "everything", "no end after " limit " s")
			else if (!seen || seen != plan)
				say("fail", "everything", seen + 0 " of " plan + 0 \
				    " cases ran; exit status " status)
			else if ((status != 0) != (bad > 0))
				say("fail", "everything", "exit status " status \
				    " with " bad + 0 " failed cases")
		}' "$log"
}

echo "TAP version 13"
echo "1..$#"
number=0
failed=0
for script; do
	number=$((number + 1))
	echo "# selftests: kmemlab: $script"
	{
		setsid sh -c 'echo $$ >"$0"; exec timeout "$@"' "$log.group" \
			"$limit" sh "./$script" 2>&1
		echo $? >"$log.status"
		end_group
	} | tee "$log" | sed 's/^/# /'
	status=$(cat "$log.status")
	outcomes "$script" "$status" >"$log.status"
	cat "$log.status" >>"$report"
	if grep -q '^fail|' "$log.status"; then
		failed=$((failed + 1))
		echo "not ok $number selftests: kmemlab: $script # exit=$status"
	elif [ "$status" = 4 ]; then
		echo "ok $number selftests: kmemlab: $script # SKIP"
	else
		echo "ok $number selftests: kmemlab: $script"
	fi
done
[ $failed = 0 ]
