/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of address ranges, and what sets of them have in common. */
#ifndef _BOOTMEM_PROBE_RANGES_H
#define _BOOTMEM_PROBE_RANGES_H

#include <linux/types.h>

/**
 * struct bm_range - physical addresses, from @start to @last inclusive
 * @start: first byte
 * @last: last byte
 * @nid: NUMA node, or NUMA_NO_NODE
 * @flags: what the list says that it is
 * @name: what the range is, cut to fit
 */
struct bm_range {
	u64 start;
	u64 last;
	int nid;
	unsigned int flags;
	char name[48];
};

/**
 * struct bm_ranges - a growing array of ranges
 * @r: the ranges
 * @nr: how many
 * @max: how many fit
 */
struct bm_ranges {
	struct bm_range *r;
	unsigned int nr;
	unsigned int max;
};

#define bm_for_each_range(pos, list) \
	for (pos = (list)->r; pos < (list)->r + (list)->nr; pos++)

static inline u64 bm_size(const struct bm_range *r)
{
	return r->last - r->start + 1;
}

/* What @r and start..last share, in bytes. */
static inline u64 bm_common(const struct bm_range *r, u64 start, u64 last)
{
	u64 from = r->start > start ? r->start : start;
	u64 to = r->last < last ? r->last : last;

	return from <= to ? to - from + 1 : 0;
}

int bm_ranges_grow(struct bm_ranges *list, unsigned int max);
struct bm_range *bm_ranges_add(struct bm_ranges *list, u64 start, u64 last,
			       const char *name);
void bm_ranges_free(struct bm_ranges *list);
u64 bm_ranges_size(const struct bm_ranges *list);
u64 bm_ranges_overlap(const struct bm_ranges *list, u64 start, u64 last);
int bm_ranges_cut(struct bm_ranges *list, u64 start, u64 last, u64 *cut);
void bm_ranges_sort(struct bm_ranges *list);

#endif /* _BOOTMEM_PROBE_RANGES_H */
