/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gaps by address, for the lowest one with an aligned run of so many pages, up
 * to CBLOCK_RUN_MAX.
 *
 * Trees of a fixed shape over the positions: nothing is balanced and nothing
 * moves. A node is one word, the longest runs for eight alignments, on which
 * one operation works at once; a change goes up until a word stays as it was.
 */
#ifndef _CBLOCK_RUNS_H
#define _CBLOCK_RUNS_H

#include <linux/types.h>

#define CBLOCK_RUN_MAX	127	/* a longer run counts as one of so many pages */
#define CBLOCK_LEVELS	3	/* alignments from 2^0, 2^8 and 2^16 pages on */
#define CBLOCK_ROW	4	/* children of a node, slots of a cell */

struct cblock_area;

/**
 * union cblock_orders - the longest runs in a part of an arena
 * @all: all of them; the top bit of each byte is 0
 * @run: [k]: a run that starts at a multiple of 2^k units of the level
 */
union cblock_orders {
	u64 all;
	u8 run[8];
};

/**
 * struct cblock_level - the gaps with a multiple of the unit, 2^8l pages
 *
 * A gap is filed under its first multiple of the unit, which no other gap has.
 * At level 0 that is its first page; a slot is two pages there, since an area
 * lies between any two gaps.
 *
 * @tree: the root, its children, theirs, and so on; a leaf is a cell
 * @slot: the area before the gap, or NULL
 * @leaves: index of the first cell in @tree
 * @first: the multiple, or pair of pages, that has the first slot
 * @from: no cell before has a run of @size pages for @order
 * @size: what the last search looked for
 * @order: the same
 */
struct cblock_level {
	union cblock_orders *tree;
	struct cblock_area **slot;
	u32 leaves;
	u32 first;
	u32 from;
	u32 size;
	unsigned int order;
};

struct cblock_runs {
	struct cblock_level level[CBLOCK_LEVELS];
};

size_t cblock_runs_bytes(u32 start, u32 end);
void cblock_runs_init(struct cblock_runs *runs, u32 start, u32 end,
		      void *memory);
void cblock_runs_grow(struct cblock_runs *runs, struct cblock_area *area);
void cblock_runs_shrink(struct cblock_runs *runs, struct cblock_area *area,
			u32 was);
struct cblock_area *cblock_runs_find(struct cblock_runs *runs, u32 size,
				     unsigned int order);
u32 cblock_runs_longest(const struct cblock_runs *runs, unsigned int order);
struct cblock_area *cblock_runs_behind(const struct cblock_runs *runs, u32 pos);

#endif /* _CBLOCK_RUNS_H */
