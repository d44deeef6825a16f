# SPDX-License-Identifier: GPL-2.0
#
# What was asked for, once all is read: the part's as_json() or as_text(), and
# the picture that it has filled.
function output(title)
{
	if (json)
		as_json()
	else if (svg != "/dev/stdout")
		as_text()
	if (map && !json) {
		print ""
		draw_chars(64)
	}
	if (svg)
		draw_svg(svg, title)
}
