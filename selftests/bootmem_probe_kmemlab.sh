#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# kmemlab bootmem: words, a picture in characters, SVG, JSON.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
kmemlab=$here/../scripts/kmemlab
[ -r "$kmemlab" ] || skip_all "needs scripts/kmemlab"
bm_load
out=/tmp/bm.kmemlab.$$
trap 'rm -f "$out" "$out.svg"' EXIT

words()
{
	sh "$kmemlab" bootmem >$out || fail "fails"
	grep -q '^memory: .* present, .* managed' $out || fail "$(cat $out)"
	provoked || grep -q '^nothing is wrong$' $out || fail "$(cat $out)"
	grep -q '^kernel  *[0-9.]*M  ' $out || fail "$(cat $out)"
}

picture()
{
	sh "$kmemlab" bootmem map >$out || fail "fails"
	say "$(tail -n 20 $out)"
	tail -n 17 $out | grep -q '^  [ .a-z]*k[ .a-z]*$' || fail "no kernel in the picture"
	tail -n 1 $out | grep -q 'a character: .* k kernel' || fail "no legend"
}

# one rectangle a range, each with a title; tags that match
svg()
{
	sh "$kmemlab" bootmem --svg $out.svg >/dev/null || fail "fails"
	ranges=$(grep -c '^layout ' "$bm_dir/layout")
	same "$ranges" "$(grep -c '<rect .*<title>.*</title></rect>' $out.svg)" "rectangles with titles"
	head -n 1 $out.svg | grep -q '^<svg xmlns=' || fail "not SVG"
	same '</svg>' "$(tail -n 1 $out.svg)" "its end"
	awk '{
		open += gsub(/<rect/, "&") + gsub(/<text/, "&") + gsub(/<svg/, "&") + gsub(/<title/, "&")
		shut += gsub(/\/>/, "&") + gsub(/<\/[a-z]*>/, "&")
	} END { exit open != shut }' $out.svg || fail "tags do not match"
	# to scale: the widths of what is not cut follow the sizes
	grep -q 'fill="#e45756"><title>kernel code: 0x' $out.svg || fail "no title for the kernel's code"
}

json()
{
	sh "$kmemlab" bootmem --json >$out || fail "fails"
	grep -q '^{"kib":{"present":[0-9]*,"managed":[0-9]*,' $out || fail "$(cat $out)"
	"$here/json_valid" <$out || fail "not valid: $(cat $out)"
	same 1 "$(wc -l <$out)" "lines"
	sh "$kmemlab" bootmem --nonsense 2>/dev/null && fail "takes anything"
	return 0
}

run_cases "words:words" "a picture in characters:picture" "SVG:svg" "JSON:json"
