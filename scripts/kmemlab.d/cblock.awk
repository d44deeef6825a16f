# SPDX-License-Identifier: GPL-2.0
#
# The report of cblock, retold. Together with draw.awk.

BEGIN {
	draw_class("free", ".", "#eeeeee")
	draw_class("named", "N", "#4c78a8")
	draw_class("buffer", "b", "#f58518")
	draw_class("driver", "d", "#54a24b")
}

/^# cblock / { seen = 1 }

$1 == "verdict" { last = substr($0, 9); next }

{
	delete value
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		if (at)
			value[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
}

$1 == "region" {
	regions++
	name[regions] = value["name"]
	source[regions] = value["source"]
	size[regions] = value["size"] + 0
	free[regions] = value["free"] + 0
	largest[regions] = value["largest"] + 0
	failed[regions] = value["failed"] + 0
	dirty[regions] = value["dirty"] + 0
	pages[regions] = value["pages"]
	first[regions] = blocks + 1
	holes[regions] = 0
	end = 0
}

$1 == "block" {
	blocks++
	block[blocks] = value["name"]
	offset[blocks] = value["offset"] + 0
	bytes[blocks] = value["size"] + 0
	age[blocks] = value["age"]
	pid[blocks] = value["pid"]
	owner[blocks] = value["owner"]
	caller[blocks] = $0
	sub(/.* caller=/, "", caller[blocks])
	where[blocks] = regions
	last_block[regions] = blocks
	if (offset[blocks] > end)
		holes[regions]++
	end = offset[blocks] + bytes[blocks]
}

# What kind of owner a block has.
function kind(b)
{
	if (block[b] != "-")
		return "named"
	return caller[b] ~ /^(ioctl_alloc|heap_ioctl)\+/ ? "buffer" : "driver"
}

# Holes of a region: those before blocks, and the one at its end.
function count_holes(r,   b)
{
	b = last_block[r]
	return holes[r] + (b ? offset[b] + bytes[b] < size[r] : 1)
}

function verdict(   r, text)
{
	if (!regions)
		return "there is no region: set memory aside, see Documentation/cblock.rst"
	for (r = 1; r <= regions; r++) {
		if (!failed[r])
			continue
		text = sprintf("region %s had no room %d times", name[r], failed[r])
		if (free[r] < size[r] / 10)
			return text ": it is nearly full"
		if (largest[r] < free[r] / 2)
			return text ": it is fragmented, no hole is larger than " human(largest[r])
		return text (last == "" ? "" : "; last: " last)
	}
	return "nothing is wrong"
}

# Blocks by size, the largest first.
function sort_blocks(   i, j, b)
{
	for (i = 1; i <= blocks; i++) {
		for (j = i - 1; j && bytes[order[j]] < bytes[i]; j--)
			order[j + 1] = order[j]
		order[j + 1] = i
	}
}

function as_json(   r, b)
{
	printf "{\"verdict\":%s,\"regions\":[", quoted(verdict())
	for (r = 1; r <= regions; r++) {
		printf "%s{\"name\":%s,\"source\":%s,\"size\":%.0f,\"free\":%.0f,\"largest\":%.0f", \
			(r > 1 ? "," : ""), quoted(name[r]), quoted(source[r]), size[r], free[r], largest[r]
		printf ",\"holes\":%d,\"failed\":%.0f,\"dirty\":%.0f,\"pages\":%s,\"blocks\":[", \
			count_holes(r), failed[r], dirty[r], pages[r] == "yes" ? "true" : "false"
		for (b = first[r]; b <= last_block[r]; b++)
			printf "%s{\"name\":%s,\"offset\":%.0f,\"size\":%.0f,\"age\":%s,\"pid\":%s,\"owner\":%s,\"caller\":%s}", \
				(b > first[r] ? "," : ""), block[b] == "-" ? "null" : quoted(block[b]), \
				offset[b], bytes[b], age[b], pid[b], \
				owner[b] == "-" ? "null" : quoted(owner[b]), quoted(caller[b])
		printf "]}"
	}
	print "]}"
}

# The bar of a region; a map has more cells.
function bar(r, cells,   b)
{
	delete draw_sum
	delete draw_used
	draw_rects = 0
	draw_begin(size[r], cells)
	draw_add(0, size[r], "free")
	for (b = first[r]; b <= last_block[r]; b++) {
		draw_add(offset[b], offset[b] + bytes[b], kind(b))
		# what covers something is not free
		draw_cover(offset[b], offset[b] + bytes[b], "free", -1)
	}
	draw_chars(64)
}

function as_text(   r, b, i)
{
	for (r = 1; r <= regions; r++) {
		printf "%s: %s from %s, %s free in %d holes, the largest %s%s%s\n", \
			name[r], human(size[r]), source[r], human(free[r]), count_holes(r), \
			human(largest[r]), dirty[r] ? ", " human(dirty[r]) " in use or not clean yet" : "", \
			pages[r] == "yes" ? "" : ", no struct pages"
		bar(r, map ? 1024 : 64)
	}
	print verdict()
	if (!blocks)
		return
	printf "\n%10s %10s %7s %7s  %-16s %-16s %-12s %s\n", \
		"size", "offset", "age", "pid", "owner", "name", "region", "caller"
	sort_blocks()
	for (i = 1; i <= blocks; i++) {
		b = order[i]
		printf "%10s %10s %6ss %7s  %-16s %-16s %-12s %s\n", human(bytes[b]), \
			human(offset[b]), age[b], pid[b], owner[b], block[b], name[where[b]], caller[b]
	}
}

# All regions side by side.
function as_svg(   r, b, total, at, title)
{
	for (r = 1; r <= regions; r++)
		total += size[r]
	draw_rects = 0
	draw_begin(total ? total : 1, 1)
	for (r = 1; r <= regions; r++) {
		draw_add(at, at + size[r], "free", "region " name[r] ": " human(free[r]) " free")
		for (b = first[r]; b <= last_block[r]; b++) {
			title = name[r] " " block[b] " " human(bytes[b]) " " owner[b]
			draw_add(at + offset[b], at + offset[b] + bytes[b], kind(b), title)
		}
		at += size[r]
	}
	draw_svg(svg, regions " regions: " human(total))
}

END {
	if (!seen)
		exit 1
	if (json)
		as_json()
	else if (svg != "/dev/stdout")
		as_text()
	if (svg)
		as_svg()
}
