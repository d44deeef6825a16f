# SPDX-License-Identifier: GPL-2.0
#
# KTAP output. In a kernel tree the tree's own helpers are used; on a bare
# target, where there is only busybox, these few functions say the same.

# shellcheck disable=SC1091 # there only in a kernel tree
if [ -r "$here/../kselftest/ktap_helpers.sh" ]; then
	. "$here/../kselftest/ktap_helpers.sh"
else
	KSFT_PASS=0
	KSFT_FAIL=1
	KSFT_SKIP=4
	ktap_number=0
	ktap_passed=0
	ktap_failed=0
	ktap_skipped=0

	ktap_print_header() { echo "TAP version 13"; }
	ktap_set_plan() { ktap_plan=$1; echo "1..$1"; }
	ktap_print_msg() { echo "# $*"; }
	ktap_skip_all() { echo "1..0 # SKIP $*"; }

	ktap_line()
	{
		ktap_number=$((ktap_number + 1))
		echo "$1 $ktap_number $2"
	}
	ktap_test_pass() { ktap_passed=$((ktap_passed + 1)); ktap_line ok "$1"; }
	ktap_test_fail() { ktap_failed=$((ktap_failed + 1)); ktap_line "not ok" "$1"; }
	ktap_test_skip() { ktap_skipped=$((ktap_skipped + 1)); ktap_line ok "$1 # SKIP"; }

	ktap_finished()
	{
		echo "# Totals: pass:$ktap_passed fail:$ktap_failed xfail:0" \
			"xpass:0 skip:$ktap_skipped error:0"
		[ $((ktap_passed + ktap_skipped)) -eq "$ktap_plan" ] && exit "$KSFT_PASS"
		exit "$KSFT_FAIL"
	}
fi
