# SPDX-License-Identifier: GPL-2.0
#
# The reports of cma_test, retold. Together with draw.awk. Every line begins
# with the name of its report.

BEGIN {
	draw_class("free", ".", "#eeeeee")
	draw_class("borrowed", "b", "#72b7b2")
	draw_class("allocated", "A", "#4c78a8")
	draw_class("pinned", "P", "#e45756")
}

function pages(n) { return human(n * page) }

function ms(ns) { return sprintf("%.3f", ns / 1000000) }

function json_value(text)
{
	return text ~ /^-?(0|[1-9][0-9]*)$/ ? text : quoted(text)
}

# The key=value words of a record from word @from on; what follows stack= is
# part of it, blanks and all.
function read_record(from,   i, at)
{
	split("", value)
	json_record = ""
	for (i = from; i <= NF; i++) {
		at = index($i, "=")
		if (at < 2)
			continue
		key = substr($i, 1, at - 1)
		value[key] = substr($i, at + 1)
		if (key == "stack") {
			value[key] = substr($0, index($0, " stack=") + 7)
			i = NF
		}
		json_record = json_record (json_record ? ", " : "") quoted(key) ": " json_value(value[key])
	}
	json_record = "{" json_record "}"
}

function json_add(list, text)
{
	json_list[list] = json_list[list] (json_list[list] ? ",\n    " : "") text
}

$1 == "areas" && $2 == "#" {
	for (i = 3; i <= NF; i++)
		column[i - 1] = $i
	next
}

$1 == "areas" {
	areas++
	text = ""
	for (i = 2; i <= NF; i++) {
		area[areas, column[i]] = $i
		text = text (text ? ", " : "") quoted(column[i]) ": " json_value($i)
	}
	json_add("areas", "{" text "}")
	next
}

$1 == "owners" && $2 == "#" {
	sub(/^lost=/, "", $4)
	lost = $4 + 0
	next
}

$1 == "owners" {
	read_record(2)
	json_add("owners", json_record)
	owners++
	owner_area[owners] = value["area"]
	owner_pages[owners] = value["pages"] + 0
	owner_text[owners] = value["age"] == "before-load" ? "(since before cma_test was loaded)" : \
		value["age"] == "unknown" ? "(by nobody who was seen)" : \
		value["comm"] "[" value["pid"] "], " age(value["age"]) ", " calls(value["stack"])
	next
}

function age(text)
{
	sub(/ms$/, "", text)
	return sprintf("%.1f s ago", text / 1000)
}

# The first two callers that are not CMA or DMA plumbing.
function calls(stack,   frame, n, i, text, found)
{
	n = split(stack, frame, "<")
	for (i = 1; i <= n && found < 2; i++) {
		if (frame[i] ~ /^_*(cma_|dma_|alloc_)/)
			continue
		sub(/\+0x.*\/0x[0-9a-f]*/, "", frame[i])
		text = text (found++ ? " < " : "") frame[i]
	}
	return text
}

$1 == "verdict" && $2 == "verdict" {
	read_record(3)
	json_add("verdicts", json_record)
	last_verdict = sprintf("%s[%s] asked area %s for %s, aligned to %s: %s\n    free %s, borrowed %s, allocated %s, pinned %s, largest piece that would do %s; %s attempts", \
		value["comm"], value["pid"], value["area"], human(value["kib"] * 1024), \
		human(value["align_kib"] * 1024), value["class"], \
		human(value["free_kib"] * 1024), human(value["borrowed_kib"] * 1024), \
		human(value["allocated_kib"] * 1024), human(value["pinned_kib"] * 1024), \
		human(value["largest_kib"] * 1024), value["attempts"])
	if (value["page_owner"] == "log")
		last_verdict = last_verdict "\n    the kernel log says who allocated the blocking page"
	verdicts++
	next
}

$1 == "verdict" && $2 == "page" {
	read_record(3)
	json_add("pages", json_record)
	last_verdict = last_verdict sprintf("\n    blocked by pfn %s: %s, %s references, %s mappings", \
		value["pfn"], value["kind"], value["refs"], value["maps"])
	next
}

$1 == "verdict" && $2 == "advice" {
	id = $3
	sub(/^id=/, "", id)
	text = $0
	sub(/^verdict advice id=[0-9]* /, "", text)
	json_add("advice", "{\"id\": " id ", \"text\": " quoted(text) "}")
	last_verdict = last_verdict "\n    advice: " text
	advice = text
	next
}

$1 == "latency" && $2 != "#" {
	read_record(2)
	json_add("latency", json_record)
	latencies++
	latency[latencies] = sprintf("  %-20s %-8s %-5s %7d %7d %9s %9s %9s %9s", value["area"], value["op"], \
		value["size"], value["count"], value["failed"], ms(value["p50_ns"]), \
		ms(value["p90_ns"]), ms(value["p99_ns"]), ms(value["max_ns"]))
	next
}

$1 == "pins" && $2 != "#" {
	read_record(2)
	json_add("pins", json_record)
	next
}

$1 == "map" && $2 != "#" {
	runs++
	run_area[runs] = $2
	run_offset[runs] = sum[$2]
	sum[$2] += $4
	run_pages[runs] = $4
	run_class[runs] = $5
	json_add("map", sprintf("{\"area\": %s, \"offset\": %d, \"pages\": %d, \"class\": %s}", \
		quoted($2), run_offset[runs], $4, quoted($5)))
}

function json_print(   n, name, i)
{
	n = split("areas owners verdicts pages advice latency pins map", name, " ")
	printf "{\n  \"page_size\": %d,\n  \"lost\": %d", page, lost
	for (i = 1; i <= n; i++)
		printf ",\n  \"%s\": [%s%s%s]", name[i], \
			json_list[name[i]] ? "\n    " : "", json_list[name[i]], \
			json_list[name[i]] ? "\n  " : ""
	print "\n}"
}

function draw_area(n,   i, name)
{
	for (i in draw_sum)
		delete draw_sum[i]
	for (i in draw_used)
		delete draw_used[i]
	draw_rects = 0
	name = area[n, "area"]
	draw_begin(area[n, "pages"] * page, 512)
	for (i = 1; i <= runs; i++)
		if (run_area[i] == name)
			draw_add(run_offset[i] * page, (run_offset[i] + run_pages[i]) * page, run_class[i])
}

# The owners of an area, the largest first.
function owners_print(name,   i, n, best, shown)
{
	for (n = 0; n < 10; n++) {
		best = 0
		for (i = 1; i <= owners; i++)
			if (owner_area[i] == name && !shown[i] && (!best || owner_pages[i] > owner_pages[best]))
				best = i
		if (!best)
			return
		shown[best] = 1
		printf "    %8s  %s\n", pages(owner_pages[best]), owner_text[best]
	}
	n = 0
	for (i = 1; i <= owners; i++)
		n += owner_area[i] == name && !shown[i]
	if (n)
		printf "    and %d more\n", n
}

END {
	if (json) {
		json_print()
		exit
	}
	for (n = 1; n <= areas; n++) {
		printf "area %s%s: %s, free %s, borrowed %s, allocated %s, pinned %s, largest piece %s (reached by %s)\n", \
			area[n, "area"], area[n, "default"] == "yes" ? " (default)" : "", \
			pages(area[n, "pages"]), pages(area[n, "free"]), pages(area[n, "borrowed"]), \
			pages(area[n, "allocated"]), pages(area[n, "pinned"]), \
			pages(area[n, "largest_fit"]), area[n, "route"]
		owners_print(area[n, "area"])
		if (!area[n, "pages"] || !(map || svg))
			continue
		draw_area(n)
		if (map)
			draw_chars(64)
		if (svg && area[n, "default"] == "yes")
			draw_svg(svg, "CMA area " area[n, "area"] ", " pages(area[n, "pages"]))
	}
	if (latencies) {
		printf "latency, ms\n  %-20s %-8s %-5s %7s %7s %9s %9s %9s %9s\n", "area", "", "size", \
			"count", "failed", "p50", "p90", "p99", "max"
		for (n = 1; n <= latencies; n++)
			print latency[n]
	}
	if (lost)
		printf "%d records were lost\n", lost
	if (verdicts)
		printf "last of %d failures: %s\n", verdicts, last_verdict
	else
		print "no allocation has failed"
}
