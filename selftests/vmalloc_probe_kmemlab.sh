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

# report [KEY=VALUE…]: of a range of 16 MiB: 4 are vmalloc, 3 free, 2 an ioremap,
# the rest free; with other values where given. One area was freed while another
# took its place.
report()
{
	awk -v change="$*" '
		BEGIN {
			changes = split(change, new, " ")
		}
		/^range/ {
			for (i = 1; i <= changes; i++) {
				key = new[i]
				sub("=.*", "", key)
				sub(" " key "=[^ ]*", " " new[i])
			}
		}
		{ print }
	' <<-EOT
	# a comment
	range start=0xf0000000 end=0xf1000000 size=16777216 used=6291456 free=10485760 areas=2 pages=1023 holes=2 largest_hole=7340032 largest_hole_at=9437184 fragmentation=0.300 lazy=hidden
	outside areas=1 bytes=8192 pages=1
	kind name=vmalloc areas=1 bytes=4194304 pages=1023
	kind name=ioremap areas=1 bytes=2097152 pages=0
	holes from=2097152 count=1 bytes=3145728
	holes from=4194304 count=1 bytes=7340032
	caller areas=1 bytes=4194304 pages=1023 symbol=who+0x1/0x2 [some]
	caller areas=1 bytes=2097152 pages=0 symbol=probe+0x3/0x4
	allocation name=mine size=4096 areas=1 range=8192 slack=0 guard=4096 pages=1 runs=1
	allocation name=yours size=1 areas=1 range=12288 slack=4096 guard=4096 pages=1 runs=1
	area at=-8192 size=8192 kind=module pages=1 order=0
	area at=0 size=4194304 kind=vmalloc pages=1023 order=0 caller=who+0x1/0x2 [some]
	area at=1048576 size=65536 kind=vmap pages=16 order=0
	area at=7340032 size=2097152 kind=ioremap pages=0 order=0 caller=probe+0x3/0x4
	area at=33554432 size=4096 kind=module pages=1 order=0
	EOT
}

# retold [map=yes] [json=yes] [svg=FILE]: the report on standard input
retold()
{
	scripts=$here/../scripts/kmemlab.d
	# shellcheck disable=SC2046 # words
	awk $(printf -- '-v %s ' "$@") -f "$scripts/draw.awk" -f "$scripts/output.awk" \
		-f "$scripts/vmalloc.awk"
}

# verdict EXPECTED [KEY=VALUE…]
verdict()
{
	verdict=$1
	shift
	same "$verdict" "$(report "$@" | retold json= | sed -n 2p)" "verdict on ${*:-a good report}"
}

verdicts()
{
	same 'vmalloc range: 16M, 6M used by 2 areas; largest of 2 holes 7M; lazily freed hidden' \
		"$(report | retold json= | head -n 1)" "first line"
	same ' 4K' "$(report lazy=4096 | retold json= | sed -n '1s/.* lazily freed//p')" "lazily freed"
	verdict 'nothing is wrong'
	# half of what is free is enough, on 64 bits whatever is
	verdict 'nothing is wrong' largest_hole=5242880
	verdict 'fragmented: 10M are free, but no hole is larger than 5.0M' largest_hole=5242879
	verdict 'nothing is wrong' size=4294967296 free=1073741824 largest_hole=4096
	# a tenth of the range is
	verdict 'nothing is wrong' free=1677722 largest_hole=1677722
	verdict 'nearly full: 1.6M of 16M are left; most is held by who+0x1/0x2 [some] (4M)' \
		free=1677721 largest_hole=1677721
	same 'vmalloc range: 16M this kernel hides its areas' "$(report used=hidden | retold json= | xargs)" \
		"text of hidden areas"
	if report | sed '/^range/d' | retold json= >/dev/null; then
		fail "no range, and no failure"
	fi
}

text_exactly()
{
	report | retold json= >"$work/text"
	same "$(cat <<-EOT
		vmalloc range: 16M, 6M used by 2 areas; largest of 2 holes 7M; lazily freed hidden
		nothing is wrong

		kind            areas      range      pages
		vmalloc             1         4M       1023
		ioremap             1         2M          0

		holes from     number   together
		2M                  1         3M
		4M                  1         7M

		   areas      range  caller
		       1         4M  who+0x1/0x2 [some]
		       1         2M  probe+0x3/0x4
	EOT
	)" "$(cat "$work/text")" text
}

json_exactly()
{
	same '{"range":{"size":16777216,"used":6291456,"free":10485760,"areas":2,"pages":1023,"holes":2,"largest_hole":7340032,"fragmentation":0.300,"lazy":null},"verdict":"nothing is wrong","kinds":[{"name":"vmalloc","areas":1,"bytes":4194304,"pages":1023},{"name":"ioremap","areas":1,"bytes":2097152,"pages":0}],"holes":[{"from":2097152,"count":1,"bytes":3145728},{"from":4194304,"count":1,"bytes":7340032}],"callers":[{"symbol":"who+0x1/0x2 [some]","areas":1,"bytes":4194304},{"symbol":"probe+0x3/0x4","areas":1,"bytes":2097152}],"allocations":[{"name":"mine","size":4096,"range":8192},{"name":"yours","size":1,"range":12288}]}' \
		"$(report | retold json=yes)" JSON
	same 1 "$(report | retold json=yes map=yes | wc -l)" "lines of JSON, whatever else is asked for"
	report lazy=4096 | retold json=yes | grep -q '"fragmentation":0.300,"lazy":4096}' || fail "lazy"
	report used=hidden | retold json=yes >"$work/hidden"
	grep -q '^{"range":{"size":16777216,"used":null},"verdict":"this kernel hides' "$work/hidden" ||
		fail "hidden: $(cat "$work/hidden")"
	"$here/json_valid" <"$work/hidden" || fail "not valid: $(cat "$work/hidden")"
	report | sed 's/ range=8192 / range=hidden /' | retold json=yes |
		grep -q '"name":"mine","size":4096,"range":null},' || fail "an allocation whose area is hidden"
}

pictures_exactly()
{
	report | retold map=yes >"$work/map"
	same '4 v 3 . 2 i 7 . ' \
		"$(sed -n 's/^  \([.vi]\)\1\{63\}$/\1/p' "$work/map" | uniq -c | awk '{ printf "%s %s ", $1, $2 }')" rows
	grep -q '^  a character: 16K; *\. hole *v vmalloc *i ioremap *$' "$work/map" ||
		fail "legend: $(tail -n 1 "$work/map")"
	# of a range that has far more than is used, holes are drawn shorter
	same 'v~i~' "$(report size=68719476736 | retold map=yes |
		sed -n 's/^  \([.~vi]*\)$/\1/p' | tr -d '\n' | sed 's/\(.\)\1*/\1/g')" "a large range"
	report | retold "svg=$work/known" >/dev/null
	same '0.000 250.000 #4c78a8 250.000 187.500 #eeeeee 437.500 125.000 #f58518 562.500 437.500 #eeeeee ' \
		"$(sed -n 's/^<rect x="\([0-9.]*\)" y="24" width="\([0-9]*\.[0-9]*\)" .*fill="\([^"]*\)".*/\1 \2 \3/p' \
			"$work/known" | tr '\n' ' ')" rectangles
	grep -q '^<title>vmalloc range: 16M, used 6M</title>$' "$work/known" || fail "no title"
	same '0 #eeeeee 16 hole 110 #4c78a8 126 vmalloc 220 #f58518 236 ioremap ' \
		"$(sed -n 's/^<rect x="\([0-9]*\)" y="96" .* fill="\([^"]*\)".*<text x="\([0-9]*\)" y="107">\(.*\)<.text>$/\1 \2 \3 \4/p' \
			"$work/known" | tr '\n' ' ')" legend
	same "$(cat "$work/known")" "$(report | retold svg=/dev/stdout)" "SVG on standard output, and nothing else"
	# what is too small to be seen is drawn a bit larger
	report | sed 's/ size=2097152 / size=1024 /' | retold "svg=$work/thin" >/dev/null
	grep -q ' width="0.200" .* fill="#f58518"' "$work/thin" || fail "1K of 16M is too thin"
	report size=68719476736 | retold "svg=$work/long" >/dev/null
	grep -q ' y="24" .* fill="#cccccc"/>$' "$work/long" || fail "no long hole"
}

kinds_are_told_apart()
{
	for expected in 'vmap p #72b7b2' 'vm_map_ram r #54a24b' 'dma d #e45756' \
			'module m #b279a2' 'other o #9d755d' 'lazy z #bab0ac'; do
		# shellcheck disable=SC2086 # three words
		set -- $expected
		report | sed "s/ kind=ioremap / kind=$1 /" | retold map=yes "svg=$work/kind" >"$work/map"
		same 2 "$(grep -c "^  $2\{64\}$" "$work/map")" "rows of $1"
		grep -q "^  a character: .* $2 $1 *$" "$work/map" || fail "$1 is not in the legend: $(tail -n 1 "$work/map")"
		grep -q " y=\"24\" width=\"125.000\" .* fill=\"$3\"/>$" "$work/kind" || fail "no rectangle of $1"
		grep -q " fill=\"$3\" .*>$1</text>$" "$work/kind" || fail "$1 is not in the legend of the SVG"
	done
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
	"verdicts on known reports:verdicts" \
	"text of a known report:text_exactly" \
	"JSON of a known report:json_exactly" \
	"pictures of a known report:pictures_exactly" \
	"kinds are told apart:kinds_are_told_apart" \
	"mistakes:mistakes"
