# SPDX-License-Identifier: GPL-2.0
#
# The reports of bootmem_probe, retold. Together with draw.awk.

BEGIN {
	draw_class("hole", " ", "#ffffff")
	draw_class("buddy", ".", "#e8e8e8")
	draw_class("cma", "c", "#4c78a8")
	draw_class("boot", "b", "#f58518")
	draw_class("kernel", "k", "#e45756")
	draw_class("initrd", "i", "#b279a2")
	draw_class("device-tree", "d", "#9d755d")
	draw_class("region", "r", "#54a24b")
	draw_class("crash-kernel", "x", "#ff9da6")
	draw_class("reserve_mem", "n", "#72b7b2")
	draw_class("firmware", "f", "#79706e")
}

# The text behind KEY= to the end of the line, or of the word.
function rest(key)
{
	return index($0, key "=") ? substr($0, index($0, key "=") + length(key) + 1) : ""
}

function word(key,   text)
{
	text = rest(key)
	sub(/ .*/, "", text)
	return text
}

function number(hex,   i, value)
{
	sub(/^0x/, "", hex)
	for (i = 1; i <= length(hex); i++)
		value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
	return value
}

$1 == "zone" { zone[++zones] = $0 }

$1 == "total" {
	present = word("present")
	managed = word("managed")
	cma = word("cma")
	reserved = word("reserved")
}

$1 == "used" && $2 != "total" {
	used[++uses] = $2
	used_kib[uses] = word("kib")
	used_name[uses] = rest("name")
	sub(/ kib=.*/, "", used_name[uses])
}

$1 == "memblock" { source = word("source") }

$1 == "region" {
	region[++regions] = $2
	region_fate[regions] = $3
	region_at[regions] = word("at")
}

$1 == "param" {
	param[++params] = $2
	sub(/^param [^ ]* /, "")
	effect[params] = $0
}

$1 == "finding" {
	sub(/^finding /, "")
	finding[++findings] = $0
}

$1 == "layout" {
	split($2, range, "-")
	ranges++
	range_text[ranges] = $2
	range_from[ranges] = number(range[1])
	range_to[ranges] = number(range[2]) + 1
	range_use[ranges] = word("use")
	range_kib[ranges] = word("kib")
	range_name[ranges] = rest("name")
}

function verdict()
{
	if (findings == 1)
		return "one contradiction"
	return findings ? findings " contradictions" : "nothing is wrong"
}

function as_json(   i)
{
	printf "{\"kib\":{\"present\":%s,\"managed\":%s,\"cma\":%s,\"reserved\":%s},\"source\":%s,\"verdict\":%s,\"used\":[", \
		present, managed, cma, reserved, quoted(source), quoted(verdict())
	for (i = 1; i <= uses; i++)
		printf "%s{\"use\":%s,\"name\":%s,\"kib\":%s}", (i > 1 ? "," : ""), \
			quoted(used[i]), quoted(used_name[i]), used_kib[i]
	printf "],\"regions\":["
	for (i = 1; i <= regions; i++)
		printf "%s{\"name\":%s,\"fate\":%s,\"at\":%s}", (i > 1 ? "," : ""), \
			quoted(region[i]), quoted(region_fate[i]), quoted(region_at[i])
	printf "],\"parameters\":["
	for (i = 1; i <= params; i++)
		printf "%s{\"parameter\":%s,\"effect\":%s}", (i > 1 ? "," : ""), \
			quoted(param[i]), quoted(effect[i])
	printf "],\"findings\":["
	for (i = 1; i <= findings; i++)
		printf "%s%s", (i > 1 ? "," : ""), quoted(finding[i])
	print "]}"
}

function as_text(   i)
{
	printf "memory: %s present, %s managed (%s of it CMA's), %s reserved at boot\n", \
		human(present * 1024), human(managed * 1024), \
		human(cma * 1024), human(reserved * 1024)
	print verdict()
	for (i = 1; i <= findings; i++)
		print "  " finding[i]
	printf "\n%-14s %10s  %s\n", "reserved for", "size", "name"
	for (i = 1; i <= uses; i++)
		row(sprintf("%-14s %10s  %s", used[i], human(used_kib[i] * 1024), used_name[i]))
	if (regions)
		printf "\n%-28s %-16s %s\n", "reserved-memory node", "became", "at"
	for (i = 1; i <= regions; i++)
		row(sprintf("%-28s %-16s %s", region[i], region_fate[i], region_at[i]))
	if (params)
		printf "\n%-28s %s\n", "parameter", "took effect"
	for (i = 1; i <= params; i++)
		printf "%-28s %s\n", param[i], effect[i]
}

# Holes, and what lies outside RAM and is larger than a fifth of it, are cut:
# they would leave nothing else to see.
function place(draw,   i, at, pos, size, limit)
{
	limit = present * 1024 / 32
	for (i = 1; i <= ranges; i++) {
		size = range_from[i] - pos
		if (i > 1 && size > 0)
			at += size > limit ? limit : size
		size = range_to[i] - range_from[i]
		if (range_use[i] == "firmware" && size > present * 1024 / 5)
			size = limit
		if (draw)
			draw_add(at, at + size, range_use[i], \
				range_use[i] (range_name[i] == "" ? "" : " " range_name[i]) \
				": " range_text[i] ", " human(range_kib[i] * 1024))
		at += size
		pos = range_to[i]
	}
	return at
}

END {
	if (present == "")
		exit 1
	if (map || svg) {
		draw_begin(place(0), 1024)
		place(1)
	}
	output("where the memory went: " human(present * 1024) " present, " \
		human(managed * 1024) " managed, " human(reserved * 1024) \
		" reserved at boot")
}
