# SPDX-License-Identifier: GPL-2.0
#
# The reports of vmalloc_probe, retold. Together with draw.awk.

BEGIN {
	draw_class("hole", ".", "#eeeeee")
	draw_class("long hole", "~", "#cccccc")
	draw_class("vmalloc", "v", "#4c78a8")
	draw_class("vmap", "p", "#72b7b2")
	draw_class("ioremap", "i", "#f58518")
	draw_class("vm_map_ram", "r", "#54a24b")
	draw_class("dma", "d", "#e45756")
	draw_class("module", "m", "#b279a2")
	draw_class("other", "o", "#9d755d")
	draw_class("lazy", "z", "#bab0ac")
}

{
	delete value
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		if (at)
			value[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
}

$1 == "range" {
	for (key in value)
		range[key] = value[key]
}

$1 == "kind" {
	kinds++
	kind[kinds] = value["name"]
	kind_areas[kinds] = value["areas"]
	kind_bytes[kinds] = value["bytes"]
	kind_pages[kinds] = value["pages"]
}

$1 == "holes" {
	classes++
	class_from[classes] = value["from"]
	class_count[classes] = value["count"]
	class_bytes[classes] = value["bytes"]
}

$1 == "caller" {
	callers++
	sub(/.* symbol=/, "")
	caller[callers] = $0
	caller_areas[callers] = value["areas"]
	caller_bytes[callers] = value["bytes"]
	next
}

$1 == "allocation" {
	allocations++
	allocation[allocations] = value["name"]
	allocation_size[allocations] = value["size"]
	allocation_range[allocations] = value["range"]
}

# The picture's areas: those in the range, by address as they come.
$1 == "area" && value["at"] >= 0 && value["at"] + 0 < range["size"] + 0 {
	areas++
	area_at[areas] = value["at"] + 0
	area_end[areas] = value["at"] + value["size"]
	area_kind[areas] = value["kind"]
}

# What is wrong with the range, in one line.
function verdict(   free, size, largest)
{
	if (range["used"] == "hidden")
		return "this kernel hides its areas"
	free = range["free"] + 0
	size = range["size"] + 0
	largest = range["largest_hole"] + 0
	if (free < size / 10)
		return sprintf("nearly full: %s of %s are left; most is held by %s (%s)", \
			human(free), human(size), caller[1], human(caller_bytes[1]))
	if (size < 4294967296 && largest < free / 2)
		return sprintf("fragmented: %s are free, but no hole is larger than %s", \
			human(free), human(largest))
	return "nothing is wrong"
}

function as_json(   i)
{
	printf "{\"range\":{\"size\":%s,\"used\":%s", range["size"], \
		range["used"] == "hidden" ? "null" : range["used"]
	if (range["used"] != "hidden")
		printf ",\"free\":%s,\"areas\":%s,\"pages\":%s,\"holes\":%s,\"largest_hole\":%s,\"fragmentation\":%s,\"lazy\":%s", \
			range["free"], range["areas"], range["pages"], range["holes"], \
			range["largest_hole"], range["fragmentation"], \
			range["lazy"] == "hidden" ? "null" : range["lazy"]
	printf "},\"verdict\":%s,\"kinds\":[", quoted(verdict())
	for (i = 1; i <= kinds; i++)
		printf "%s{\"name\":%s,\"areas\":%s,\"bytes\":%s,\"pages\":%s}", (i > 1 ? "," : ""), \
			quoted(kind[i]), kind_areas[i], kind_bytes[i], kind_pages[i]
	printf "],\"holes\":["
	for (i = 1; i <= classes; i++)
		printf "%s{\"from\":%s,\"count\":%s,\"bytes\":%s}", (i > 1 ? "," : ""), \
			class_from[i], class_count[i], class_bytes[i]
	printf "],\"callers\":["
	for (i = 1; i <= callers; i++)
		printf "%s{\"symbol\":%s,\"areas\":%s,\"bytes\":%s}", (i > 1 ? "," : ""), \
			quoted(caller[i]), caller_areas[i], caller_bytes[i]
	printf "],\"allocations\":["
	for (i = 1; i <= allocations; i++)
		printf "%s{\"name\":%s,\"size\":%s,\"range\":%s}", (i > 1 ? "," : ""), \
			quoted(allocation[i]), allocation_size[i], \
			allocation_range[i] == "hidden" ? "null" : allocation_range[i]
	print "]}"
}

function as_text(   i)
{
	if (range["used"] == "hidden") {
		printf "vmalloc range: %s\n%s\n", human(range["size"]), verdict()
		return
	}
	printf "vmalloc range: %s, %s used by %d areas; largest of %d holes %s; lazily freed %s\n", \
		human(range["size"]), human(range["used"]), range["areas"], range["holes"], \
		human(range["largest_hole"]), \
		range["lazy"] == "hidden" ? "hidden" : human(range["lazy"])
	print verdict()
	printf "\n%-12s %8s %10s %10s\n", "kind", "areas", "range", "pages"
	for (i = 1; i <= kinds; i++)
		printf "%-12s %8d %10s %10d\n", kind[i], kind_areas[i], human(kind_bytes[i]), kind_pages[i]
	printf "\n%-12s %8s %10s\n", "holes from", "number", "together"
	for (i = 1; i <= classes; i++)
		printf "%-12s %8d %10s\n", human(class_from[i]), class_count[i], human(class_bytes[i])
	printf "\n%8s %10s  %s\n", "areas", "range", "caller"
	for (i = 1; i <= callers; i++)
		printf "%8d %10s  %s\n", caller_areas[i], human(caller_bytes[i]), caller[i]
}

# A hole that is longer than all that is in use would leave nothing else to see:
# it is drawn as long as @limit.
function place_areas(limit,   i, at, to, pos, shown)
{
	for (i = 1; i <= areas + 1; i++) {
		at = i <= areas ? area_at[i] : range["size"] + 0
		if (at > pos) {
			shown_from[++shapes] = shown
			shown += at - pos > limit ? limit : at - pos
			shown_to[shapes] = shown
			shown_kind[shapes] = at - pos > limit ? "long hole" : "hole"
			pos = at
		}
		if (i > areas || area_end[i] <= pos)
			continue
		shown_from[++shapes] = shown
		shown += area_end[i] - pos
		shown_to[shapes] = shown
		shown_kind[shapes] = area_kind[i]
		pos = area_end[i]
	}
	return shown
}

function picture(   limit, end, i)
{
	limit = range["size"] + 0
	if (limit > 4294967296)
		limit = range["used"] / 16
	end = place_areas(limit)
	draw_begin(end, 1024)
	for (i = 1; i <= shapes; i++)
		draw_add(shown_from[i], shown_to[i], shown_kind[i])
}

END {
	if (!range["size"])
		exit 1
	if (map || svg)
		picture()
	output("vmalloc range: " human(range["size"]) ", used " human(range["used"]))
}
