# SPDX-License-Identifier: GPL-2.0
#
# What the readers of reports share: sizes, strings, rows, and
# pictures of a range of addresses: cells that show what fills most of them.
# Numbers are bytes (or pages, or anything) from the start of the range.
#
#	draw_class("vmalloc", "v", "#4c78a8")	in the order of the legend
#	draw_begin(end, cells)
#	draw_add(from, to, "vmalloc", "a title to hover over, or none")
#	draw_chars(64)				rows of 64 cells, and the legend
#	draw_svg(file, title)

function human(bytes,   units, i)
{
	units = "BKMGTPE"
	for (i = 1; bytes >= 1024 && i < 7; i++)
		bytes /= 1024
	if (i == 1 || bytes == int(bytes))
		return sprintf("%d%s", bytes, substr(units, i, 1))
	return sprintf("%.1f%s", bytes, substr(units, i, 1))
}

# A string of JSON. "&&" doubles a backslash in every awk; "\\\\" only in busybox's.
function quoted(text)
{
	gsub(/\\/, "&&", text)
	gsub(/"/, "\\\"", text)
	gsub(/[\001-\037]/, " ", text)
	return "\"" text "\""
}

# A row of a table, whose last columns may be empty.
function row(text)
{
	sub(/ +$/, "", text)
	print text
}

function draw_class(name, char, color)
{
	draw_names[++draw_classes] = name
	draw_char[name] = char
	draw_color[name] = color
}

function draw_begin(end, cells)
{
	draw_end = end
	draw_cells = end < cells ? (end < 1 ? 1 : end) : cells
	draw_cell = end / draw_cells
}

function draw_add(from, to, name, title)
{
	draw_rects++
	draw_from[draw_rects] = from
	draw_to[draw_rects] = to
	draw_name[draw_rects] = name
	draw_title[draw_rects] = title
	draw_used[name] = 1
	draw_cover(from, to, name, 1)
}

# Count (or, with a sign of -1, uncount) a class in the cells of a range.
function draw_cover(from, to, name, sign,   cell, upto)
{
	while (from < to) {
		cell = int(from / draw_cell)
		if (cell >= draw_cells)
			break
		upto = (cell + 1) * draw_cell
		if (upto > to || upto <= from)
			upto = to
		draw_sum[cell, name] += sign * (upto - from)
		from = upto
	}
}

function draw_best(cell,   i, best)
{
	best = draw_names[1]
	for (i = 2; i <= draw_classes; i++)
		if (draw_sum[cell, draw_names[i]] > draw_sum[cell, best])
			best = draw_names[i]
	return best
}

function draw_chars(width,   cell, i, line)
{
	for (cell = 0; cell < draw_cells; cell++) {
		line = line draw_char[draw_best(cell)]
		if ((cell + 1) % width == 0 || cell + 1 == draw_cells) {
			print "  " line
			line = ""
		}
	}
	for (i = 1; i <= draw_classes; i++)
		if (draw_used[draw_names[i]])
			line = line sprintf(" %s %s ", draw_char[draw_names[i]], draw_names[i])
	printf "  a character: %s; %s\n", human(draw_cell), line
}

function draw_escape(text)
{
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

function draw_svg(file, title,   i, x, w, legend)
{
	title = draw_escape(title)
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"120\" font-family=\"sans-serif\" font-size=\"12\">" >file
	printf "<title>%s</title>\n", title >file
	printf "<text x=\"0\" y=\"14\">%s</text>\n", title >file
	printf "<rect x=\"0\" y=\"24\" width=\"1000\" height=\"60\" fill=\"%s\"/>\n", draw_color[draw_names[1]] >file
	for (i = 1; i <= draw_rects; i++) {
		x = draw_from[i] * 1000 / draw_end
		w = (draw_to[i] - draw_from[i]) * 1000 / draw_end
		# thinner than this nobody sees it
		printf "<rect x=\"%.3f\" y=\"24\" width=\"%.3f\" height=\"60\" fill=\"%s\"", \
			x, w < 0.2 ? 0.2 : w, draw_color[draw_name[i]] >file
		if (draw_title[i] == "")
			print "/>" >file
		else
			printf "><title>%s</title></rect>\n", draw_escape(draw_title[i]) >file
	}
	for (i = 1; i <= draw_classes; i++) {
		if (!draw_used[draw_names[i]])
			continue
		printf "<rect x=\"%d\" y=\"96\" width=\"12\" height=\"12\" fill=\"%s\" stroke=\"#888\"/>", \
			legend, draw_color[draw_names[i]] >file
		printf "<text x=\"%d\" y=\"107\">%s</text>\n", legend + 16, draw_names[i] >file
		legend += 110
	}
	print "</svg>" >file
	close(file)
}
