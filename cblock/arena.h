/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which pages of a range are taken: the pure core of cblock. It knows neither
 * memory nor locks nor users, allocates nothing, and builds in user space too.
 *
 * Every area, allocated by definition, also stands for the gap that follows it.
 * So an allocation needs one descriptor, a release none, and both neighbours of
 * a gap are known without a search.
 */
#ifndef _CBLOCK_ARENA_H
#define _CBLOCK_ARENA_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "runs.h"

#define CBLOCK_CLASSES	19	/* alignments of 2^0 to 2^18 pages */
#define CBLOCK_BINS	64	/* gaps of so many pages have a list each */
#define CBLOCK_POS_MAX	0x80000000U	/* positions stay below, sums in a u32 */

/**
 * struct cblock_area - some pages, and the gap up to the next area
 * @prev: the area before it, by address; NULL in the arena's head
 * @next: the area behind it, NULL in the last one
 * @start: first page
 * @size: number of pages, 0 only in the arena's head
 * @gap: number of free pages behind it
 * @classes: entries of @usable that are not 0, which are the first ones
 * @by_addr: in &cblock_arena.longs while the gap is longer than CBLOCK_RUN_MAX
 *	     and there is an area behind it
 * @by_size: in &cblock_arena.large while there is a gap and an area behind it
 * @bin: the same, in &cblock_arena.bins
 * @usable: [k]: the longest free run in this subtree of &cblock_arena.longs that
 *	    starts at a multiple of 2^k pages
 */
struct cblock_area {
	struct cblock_area *prev;
	struct cblock_area *next;
	u32 start;
	u32 size;
	u32 gap;
	u32 classes;
	struct rb_node by_addr;
	union {
		struct rb_node by_size;
		struct hlist_node bin;
	};
	u32 usable[CBLOCK_CLASSES];
};

/**
 * struct cblock_arena - a range of pages
 *
 * The gap behind the last area is in none of the indices: it is the highest, so
 * a search comes to it last, and a fresh arena has no other.
 *
 * @runs: gaps by address, for runs of up to CBLOCK_RUN_MAX pages
 * @longs: gaps of more pages by address
 * @large: the gaps that are too large for a bin, by size
 * @bins: [n - 1]: the gaps of n pages
 * @filled: the bins that are not empty
 * @end: first position behind the range
 * @free: number of free pages
 * @count: number of areas, without @head
 * @last: the area with the highest address
 * @head: an area of no pages at the start, for the gap there
 */
struct cblock_arena {
	struct cblock_runs runs;
	struct rb_root longs;
	struct rb_root large;
	struct hlist_head bins[CBLOCK_BINS];
	u64 filled;
	u32 end;
	u32 free;
	u32 count;
	struct cblock_area *last;
	struct cblock_area head;
};

/**
 * enum cblock_fit - where to place an area
 * @CBLOCK_FIRST: at the lowest address that fits
 * @CBLOCK_BEST: in the smallest gap that fits. With an alignment the smallest
 *		 of a few candidates, else one that is surely large enough,
 *		 else as @CBLOCK_FIRST
 */
enum cblock_fit {
	CBLOCK_FIRST,
	CBLOCK_BEST,
};

static inline u32 area_end(const struct cblock_area *area)
{
	return area->start + area->size;
}

/* Pages of the gap behind @area from its first multiple of 2^k on. */
static inline u32 gap_usable(const struct cblock_area *area, unsigned int k)
{
	u32 lost = -area_end(area) & ((1U << k) - 1);

	return area->gap > lost ? area->gap - lost : 0;
}

size_t cblock_arena_bytes(u32 start, u32 end);
void cblock_arena_init(struct cblock_arena *arena, u32 start, u32 end,
		       void *memory);
bool cblock_arena_alloc(struct cblock_arena *arena, struct cblock_area *area,
			u32 size, unsigned int order, enum cblock_fit fit);
void cblock_arena_free(struct cblock_arena *arena, struct cblock_area *area);
bool cblock_arena_gap(const struct cblock_arena *arena, u32 pos, u32 *start,
		      u32 *end);
u32 cblock_arena_largest(const struct cblock_arena *arena, unsigned int order);

/* long.c */
void cblock_long_insert(struct cblock_arena *arena, struct cblock_area *area);
void cblock_long_erase(struct cblock_arena *arena, struct cblock_area *area);
void cblock_long_split(struct cblock_arena *arena, struct cblock_area *prev,
		       struct cblock_area *area);
void cblock_long_join(struct cblock_arena *arena, struct cblock_area *prev,
		      u32 before, struct cblock_area *area);
struct cblock_area *cblock_long_find(const struct cblock_arena *arena, u32 size,
				     unsigned int k);
u32 cblock_long_longest(const struct cblock_arena *arena, unsigned int k);

#endif /* _CBLOCK_ARENA_H */
