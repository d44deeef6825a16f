#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kmemlab vmalloc says what the reports say: as text, JSON and SVG.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
kmemlab=$here/../scripts/kmemlab
[ -r "$kmemlab" ] || skip_all "no scripts/kmemlab here"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

kmemlab() { sh "$kmemlab" "$@"; }

text()
{
	vp_load
	ok $vp_dev "fill 64K count=200 name=many"
	kmemlab vmalloc >"$work/text" || fail "status $?"
	while read -r line; do say "$line"; done <"$work/text"
	grep -q "^vmalloc range: .* used by [0-9]* areas; largest of [0-9]* holes" "$work/text" ||
		fail "no first line"
	grep -q "^nothing is wrong$\|^fragmented: \|^nearly full: " "$work/text" || fail "no verdict"
	grep -q "^ *200 .*\[vmalloc_probe\]$" "$work/text" || fail "our 200 areas are not there"
}

map_in_characters()
{
	kmemlab vmalloc map >"$work/map" || fail "status $?"
	same 16 "$(grep -c '^  [.~vpirdmoz]\{64\}$' "$work/map")" "rows of 64"
	grep -q '^  a character: ' "$work/map" || fail "no legend"
	grep -q '^  [.~vpirdmoz]*pp' "$work/map" || fail "200 vmaps of 64K are not to be seen"
}

json()
{
	kmemlab vmalloc --json >"$work/json" || fail "status $?"
	same 1 "$(wc -l <"$work/json")" lines
	size=$(sed -n 's/^{"range":{"size":\([0-9]*\),.*/\1/p' "$work/json")
	same "$(field range size)" "$size" size
	"$here/json_valid" <"$work/json" || fail "not valid: $(cat "$work/json")"
	grep -q '"allocations":\[{"name":"many","size":65536,"range":[0-9]*}\]}' "$work/json" ||
		fail "no allocation 'many'"
}

svg()
{
	kmemlab vmalloc --svg "$work/svg" >/dev/null || fail "status $?"
	head -n 1 "$work/svg" | grep -q '^<svg xmlns=' || fail "does not start as SVG"
	same '</svg>' "$(tail -n 1 "$work/svg")" "last line"
	[ "$(grep -c '<rect' "$work/svg")" -gt 200 ] || fail "fewer rectangles than areas"
	kmemlab vmalloc --svg - | grep -q '</svg>' || fail "--svg - prints none"
}

mistakes()
{
	for arguments in '' nothing 'vmalloc what' 'vmalloc --svg' '../vmalloc'; do
		# shellcheck disable=SC2086 # words
		if kmemlab $arguments >/dev/null 2>&1; then
			fail "'kmemlab $arguments' succeeds"
		fi
	done
	kmemlab --help | grep -q '^usage: kmemlab ' || fail "no help"
	unload vmalloc_probe || return 1
	if said=$(kmemlab vmalloc 2>&1); then
		fail "succeeds without the module"
	fi
	case $said in
	*'is vmalloc_probe loaded'*) ;;
	*) fail "$said" ;;
	esac
}

run_cases \
	"text:text" \
	"a map in characters:map_in_characters" \
	"JSON:json" \
	"SVG:svg" \
	"mistakes:mistakes"
