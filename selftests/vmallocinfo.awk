# SPDX-License-Identifier: GPL-2.0
#
# awk -v start=0x… -v end=0x… -f vmallocinfo.awk /proc/vmallocinfo
#
# The vmalloc range counted from what the kernel itself prints, by nothing that
# vmalloc_probe has a part in. Addresses are read in units of 4096, of which a
# double holds 2^52 exactly.

function number(hex,   i, value)
{
	sub(/^0x/, "", hex)
	for (i = 1; i <= length(hex) - 3; i++)
		value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
	return value
}

BEGIN {
	start = number(start)
	end = number(end)
}

{
	split($1, ends, "-")
	from = number(ends[1])
	to = number(ends[2])
	if (/ unpurged vm_area/) {
		lazy += to - from
		next
	}
	for (i = 3; i <= NF; i++)
		if ($i ~ /^pages=/)
			pages += substr($i, 7)
	# modules have a range of their own, and use this one too
	inside = from >= start && from < end
	for_module = !inside || $3 ~ /^(module_alloc|execmem_|load_module|move_module|bpf_jit_)/
	module += for_module
	if (!for_module)
		for (i = 3; i <= NF; i++)
			kind[$i]++
	if (!inside) {
		outside++
		next
	}
	areas++
	used += to - from
	first[areas] = from
	last[areas] = to
}

END {
	# Shell's sort: busybox awk has none
	for (gap = int(areas / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= areas; i++) {
			f = first[i]
			l = last[i]
			for (j = i; j > gap && first[j - gap] > f; j -= gap) {
				first[j] = first[j - gap]
				last[j] = last[j - gap]
			}
			first[j] = f
			last[j] = l
		}
	at = start
	first[areas + 1] = end
	last[areas + 1] = end
	for (i = 1; i <= areas + 1; i++) {
		hole = first[i] - at
		if (hole > 0) {
			holes++
			for (class = 1; class * 2 <= hole; class *= 2)
				;
			classes[class]++
			if (hole > largest) {
				largest = hole
				largest_at = at - start
			}
		}
		at = last[i]
	}
	printf "areas=%d used=%.0f holes=%d largest_hole=%.0f largest_hole_at=%.0f pages=%d outside=%d lazy=%.0f", \
		areas, used * 4096, holes, largest * 4096, largest_at * 4096, pages, outside, lazy * 4096
	for (class in classes)
		printf " from%.0f=%d", class * 4096, classes[class]
	printf " vmalloc=%d vmap=%d ioremap=%d vm_map_ram=%d dma=%d module=%d\n", kind["vmalloc"], \
		kind["vmap"], kind["ioremap"], kind["vm_map_ram"], kind["dma-coherent"], module
}
