#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=64M
#
# scripts/kmemlab cma: what it says to people, and to programs.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load
if command -v kmemlab >/dev/null; then
	kmemlab=kmemlab
else
	kmemlab=$here/../scripts/kmemlab
	[ -x "$kmemlab" ] || skip_all "scripts/kmemlab is not here"
fi

for_people()
{
	ok $cma_dev 'alloc 3M name=three'
	echo 'alloc 65M' >$cma_dev 2>/dev/null
	"$kmemlab" cma map >/tmp/cma_said || fail "exit status $?"
	grep -q "^area $(default_area) (default): 64M, free " /tmp/cma_said || fail "$(cat /tmp/cma_said)"
	grep -q '^ *3M  sh\[[0-9]*\], ' /tmp/cma_said || fail "no owner: $(cat /tmp/cma_said)"
	grep -q 'asked area .* for 65M, .*: misconfigured' /tmp/cma_said || fail "no verdict: $(cat /tmp/cma_said)"
	grep -q 'advice: .*the whole area has' /tmp/cma_said || fail "no advice: $(cat /tmp/cma_said)"
	grep -q 'AAAAAA' /tmp/cma_said || fail "no picture: $(cat /tmp/cma_said)"
	grep -q 'a character: 128K; ' /tmp/cma_said || fail "no legend: $(cat /tmp/cma_said)"
	rm -f /tmp/cma_said
}

# A parser of our own: a target has none, and it must be read to the last brace.
for_programs()
{
	"$kmemlab" cma --json >/tmp/cma_json || fail "exit status $?"
	"$here/cma_test_json" </tmp/cma_json || fail "not valid: $(head -n 40 /tmp/cma_json)"
	grep -q '"class": "misconfigured"' /tmp/cma_json || fail "no verdict in it"
	grep -q '"area": "'"$(default_area)"'"' /tmp/cma_json || fail "no area in it"
	rm -f /tmp/cma_json
	ok $cma_dev 'free three'
}

as_svg()
{
	"$kmemlab" cma --svg /tmp/cma_svg >/dev/null || fail "exit status $?"
	head -n 1 /tmp/cma_svg | grep -q '^<svg ' || fail "$(head -n 3 /tmp/cma_svg)"
	tail -n 1 /tmp/cma_svg | grep -q '^</svg>$' || fail "no end"
	rm -f /tmp/cma_svg
}

wrong_use_is_refused()
{
	"$kmemlab" cma nonsense 2>/dev/null && fail "nonsense is taken"
	unload cma_test || fail "does not unload"
	"$kmemlab" cma 2>/tmp/cma_said && fail "works without the module"
	grep -q 'is cma_test loaded' /tmp/cma_said || fail "$(cat /tmp/cma_said)"
	rm -f /tmp/cma_said
}

run_cases \
	"areas, owners, verdict and a picture:for_people" \
	"valid JSON:for_programs" \
	"a picture as SVG:as_svg" \
	"wrong use is refused:wrong_use_is_refused"
