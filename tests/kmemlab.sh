#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What scripts/kmemlab prints does not depend on whose awk it is: the selftests run
# busybox's, this the host's.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

json_strings()
{
	echo '{ print quoted($0) }' >"$scratch/quote.awk"
	same '"a\\040b of \"C:\\\" "' "$(printf 'a\\040b of "C:\\"\t\n' |
		awk -f "$top/scripts/kmemlab.d/draw.awk" -f "$scratch/quote.awk")" "a string"
}

run_cases "strings of JSON:json_strings"
