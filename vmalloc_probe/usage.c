// SPDX-License-Identifier: GPL-2.0
/* What a snapshot amounts to: sums by kind, and the holes between the areas. */
#include <linux/log2.h>
#include <linux/math64.h>

#include "vp.h"

static void tally(struct vp_tally *to, u64 bytes, u64 pages)
{
	to->areas++;
	to->bytes += bytes;
	to->pages += pages;
}

static void add_hole(struct vp_usage *usage, unsigned long start,
		     unsigned long end)
{
	unsigned long size = end - start;

	usage->holes++;
	usage->hole_bytes += size;
	tally(&usage->classes[ilog2(size)], size, 0);
	if (size > usage->largest) {
		usage->largest = size;
		usage->largest_at = start;
	}
}

/**
 * vp_usage_count - count a snapshot
 * @snapshot: the snapshot
 * @usage: the sums
 *
 * What is lazily freed counts as hole: vmalloc() purges it before it fails.
 */
void vp_usage_count(const struct vp_snapshot *snapshot, struct vp_usage *usage)
{
	unsigned long pos = VP_START, start, end;
	struct vp_area *area;

	memset(usage, 0, sizeof(*usage));
	list_for_each_entry(area, &snapshot->areas, node) {
		start = area->map.start;
		end = area->map.end;
		tally(&usage->kinds[area->kind], end - start, area->map.nr_pages);
		if (area->kind == VP_LAZY)
			continue;
		if (!vp_in_range(start)) {
			tally(&usage->outside, end - start, area->map.nr_pages);
			continue;
		}
		tally(&usage->used, end - start, area->map.nr_pages);
		if (start > pos)
			add_hole(usage, pos, start);
		/* one that was freed while another took its place overlaps that */
		pos = max(pos, end);
	}
	if (pos < VP_END)
		add_hole(usage, pos, VP_END);
}

/**
 * vp_fragmentation - how far the holes are from being one
 * @usage: the sums
 *
 * Return: thousandths of what is free that the largest hole does not hold: 0 for
 * one hole, towards 1000 for many small ones.
 */
unsigned int vp_fragmentation(const struct vp_usage *usage)
{
	if (!usage->hole_bytes)
		return 0;
	/* in KiB: thousand times 2^47 does not fit otherwise */
	return div64_u64(((usage->hole_bytes - usage->largest) >> 10) * 1000,
			 max_t(u64, usage->hole_bytes >> 10, 1));
}
