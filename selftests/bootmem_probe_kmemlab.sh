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
	# as much of it as there is, less what holes and firmware take
	said=$(awk '
		$1 == "layout" {
			if ($3 == "use=firmware")
				next
			kib = substr($4, 5)
			all += kib
			if ($3 == "use=buddy")
				buddy += kib
			next
		}
		/^  a character:/ { next }
		/^  [ .a-z]*$/ && length($0) == 66 {
			cells += gsub(/[.]/, "&")
			rows++
		}
		END {
			want = buddy / all * 1024
			if (rows != 16 || cells < want * 0.5 || cells > want * 1.05)
				print cells " cells in " rows " rows, " want " are the buddy'"'"'s"
		}' "$bm_dir/layout" $out)
	same '' "$said" "the picture"
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
	grep -q 'fill="#e45756"><title>kernel code: 0x' $out.svg || fail "no title for the kernel's code"
	# To scale and in order, but for what firmware keeps and what would be too
	# thin to see; each in the colour of its use in the legend, and named.
	said=$(awk '
		function attribute(name,   text) {
			text = substr($0, index($0, " " name "=\"") + length(name) + 3)
			return substr(text, 1, index(text, "\"") - 1)
		}
		$1 == "layout" {
			n++
			range[n] = $2
			use[n] = substr($3, 5)
			kib[n] = substr($4, 5) + 0
			next
		}
		/ y="96"/ {
			name = $0
			sub(/<\/text>$/, "", name)
			sub(/.*>/, "", name)
			legend[name] = attribute("fill")
		}
		/<rect .*<title>/ {
			i++
			fill[i] = attribute("fill")
			x = attribute("x")
			width = attribute("width")
			if (index($0, ": " range[i] ", ") == 0)
				print "no title " range[i] ": " $0
			if (x < end - 0.25)
				print "on top of another: " $0
			end = x + width
			if (use[i] == "firmware" || width < 5)
				next
			if (!scale)
				scale = width / kib[i]
			if (width / kib[i] > scale * 1.001 || width / kib[i] < scale * 0.999)
				print "not to scale: " $0
		}
		END {
			for (i = 1; i <= n; i++)
				if (legend[use[i]] != fill[i])
					print use[i] " is " fill[i] ", says the legend " legend[use[i]]
			if (!scale || end > 1000.25)
				print "ends at " end
		}' "$bm_dir/layout" $out.svg)
	same '' "$said" "what is wrong with the picture"
}

json()
{
	sh "$kmemlab" bootmem --json >$out || fail "fails"
	grep -q '^{"kib":{"present":[0-9]*,"managed":[0-9]*,' $out || fail "$(cat $out)"
	"$here/json_valid" <$out || fail "not valid: $(cat $out)"
	same 1 "$(wc -l <$out)" "lines"
	# every record of the reports, and their figures
	for field in present managed cma reserved; do
		grep -q "[{,]\"$field\":$(bm_field zones '^total' $field)[,}]" $out || fail "$field: $(cat $out)"
	done
	grep -q "{\"use\":\"kernel\",\"name\":\"code\",\"kib\":$(bm_field used '^used kernel name=code' kib)}" $out ||
		fail "the kernel's code: $(cat $out)"
	for pair in use:used fate:regions effect:parameters; do
		same "$(grep -c -E '^(used [^t]|region |param )' "$bm_dir/${pair#*:}")" \
			"$(grep -o "\"${pair%:*}\":" $out | wc -l)" "records of ${pair#*:}"
	done
	sh "$kmemlab" bootmem --nonsense 2>/dev/null && fail "takes anything"
	return 0
}

run_cases "words:words" "a picture in characters:picture" "SVG:svg" "JSON:json"
