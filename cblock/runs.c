// SPDX-License-Identifier: GPL-2.0
/*
 * The trees are one array each, level by level, so that the children of a node
 * are one row of CBLOCK_ROW: 3; 4 to 7; 8 to 23; ...  What is above the root is
 * larger than everything and ends a way up.
 */
#include <linux/kernel.h>

#include "arena.h"

#define ROW	CBLOCK_ROW
#define ROOT	(ROW - 1)

/* For work on the bytes of a word: a 1, and the top bit, in each. */
#define ONES	0x0101010101010101ULL
#define TOPS	0x8080808080808080ULL

static u32 above(u32 i)
{
	return i / ROW + ROW - 2;
}

static u32 below(u32 i)
{
	return (i - (ROW - 2)) * ROW;
}

/* The top bits of the bytes in which @a is not less than @b. */
static u64 not_less(u64 a, u64 b)
{
	return ((a | TOPS) - b) & TOPS;
}

/* Top bits to all bits below them. */
static u64 spread(u64 tops)
{
	return tops - (tops >> 7);
}

static u64 longer(u64 a, u64 b)
{
	return b ^ ((a ^ b) & spread(not_less(a, b)));
}

static unsigned int slot_shift(unsigned int l)
{
	return l ? 8 * l : 1;
}

/* Pages from @pos to the next multiple of the unit of level @l. */
static u32 unit_ahead(u32 pos, unsigned int l)
{
	return -pos & ((1U << 8 * l) - 1);
}

/* The runs in one gap, one by one. */
static noinline u64 runs_of_any(const struct cblock_area *area, unsigned int l)
{
	union cblock_orders runs;
	unsigned int k;

	for (k = 0; k < 8; k++)
		runs.run[k] = min_t(u32, gap_usable(area, 8 * l + k),
				    CBLOCK_RUN_MAX);
	return runs.all;
}

/* The same, all at once where they are short. */
static __always_inline u64 runs_of(const struct cblock_area *area,
				   unsigned int l)
{
	static const union cblock_orders masks = {
		.run = { 0, 1, 3, 7, 15, 31, 63, 127 }
	};
	u64 lost, left;

	if (l || area->gap > CBLOCK_RUN_MAX)
		return runs_of_any(area, l);
	lost = (-area_end(area) & CBLOCK_RUN_MAX) * ONES & masks.all;
	left = (area->gap * ONES | TOPS) - lost;
	return left & spread(left & TOPS);
}

/* The gap behind @area is filed at @pos and has become longer. */
static __always_inline void level_grow(struct cblock_level *level,
				       struct cblock_area *area,
				       unsigned int l, u32 pos)
{
	u32 slot = (pos >> slot_shift(l)) - level->first;
	u32 i = level->leaves + slot / ROW;
	union cblock_orders *tree = level->tree;
	u64 runs = runs_of(area, l);

	level->slot[slot] = area;
	level->from = min(level->from, i);
	for (; not_less(tree[i].all, runs) != TOPS; i = above(i))
		tree[i].all = longer(tree[i].all, runs);
}

/* The gap behind @area was filed at @pos; it has become shorter, or ends there. */
static __always_inline void level_shrink(struct cblock_level *level,
					 struct cblock_area *area,
					 unsigned int l, u32 pos)
{
	u32 slot = (pos >> slot_shift(l)) - level->first;
	u32 i = level->leaves + slot / ROW;
	struct cblock_area **cell = &level->slot[slot / ROW * ROW], **end;
	union cblock_orders *tree = level->tree, *row;
	u64 runs = 0;

	/* another gap may have taken the slot since */
	if (level->slot[slot] == area && pos >= area_end(area) + area->gap)
		level->slot[slot] = NULL;
	for (end = cell + ROW; cell < end; cell++)
		if (*cell)
			runs = longer(runs, runs_of(*cell, l));
	while (tree[i].all != runs) {
		tree[i].all = runs;
		if (i == ROOT)
			break;
		row = &tree[i / ROW * ROW];
		runs = row[0].all;
		if (row[1].all)
			runs = longer(runs, row[1].all);
		if (row[2].all)
			runs = longer(runs, row[2].all);
		if (row[3].all)
			runs = longer(runs, row[3].all);
		i = above(i);
	}
}

static noinline void upper_grow(struct cblock_runs *runs,
				struct cblock_area *area)
{
	u32 start = area_end(area);
	unsigned int l;

	for (l = 1; l < CBLOCK_LEVELS && unit_ahead(start, l) < area->gap; l++)
		level_grow(&runs->level[l], area, l, start + unit_ahead(start, l));
}

static noinline void upper_shrink(struct cblock_runs *runs,
				  struct cblock_area *area, u32 was)
{
	u32 start = area_end(area);
	unsigned int l;

	for (l = 1; l < CBLOCK_LEVELS && unit_ahead(start, l) < was; l++)
		level_shrink(&runs->level[l], area, l, start + unit_ahead(start, l));
}

/* The gap behind @area is new or has become longer at its end. */
void cblock_runs_grow(struct cblock_runs *runs, struct cblock_area *area)
{
	level_grow(&runs->level[0], area, 0, area_end(area));
	if (unit_ahead(area_end(area), 1) < area->gap)
		upper_grow(runs, area);
}

/*
 * The gap behind @area, which had @was pages, has lost some at its end, or all.
 * Where its pages go to another gap that grows, let that grow first: it may
 * take over a slot, and there is less to tell those above.
 */
void cblock_runs_shrink(struct cblock_runs *runs, struct cblock_area *area,
			u32 was)
{
	level_shrink(&runs->level[0], area, 0, area_end(area));
	if (unit_ahead(area_end(area), 1) < was)
		upper_shrink(runs, area, was);
}

/*
 * The lowest gap with @size usable pages, up to CBLOCK_RUN_MAX, or NULL. What
 * the last search has passed need not be passed again by one for no less.
 */
struct cblock_area *cblock_runs_find(struct cblock_runs *runs, u32 size,
				     unsigned int order)
{
	struct cblock_level *level = &runs->level[order / 8];
	const u8 *run = &level->tree->run[order % 8];
	struct cblock_area **slot;
	u32 i = level->from;

	if (run[8 * ROOT] < size)
		return NULL;
	if (size < level->size || order < level->order)
		i = ROOT;
	while (run[8 * i] < size) {
		while (i % ROW == ROW - 1)
			i = above(i);
		i++;
	}
	while (i < level->leaves)
		for (i = below(i); run[8 * i] < size; )
			i++;
	level->from = i;
	level->size = size;
	level->order = order;

	slot = &level->slot[(i - level->leaves) * ROW];
	while (!*slot || gap_usable(*slot, order) < size)
		slot++;
	return *slot;
}

/* The longest run for @order, up to CBLOCK_RUN_MAX. */
u32 cblock_runs_longest(const struct cblock_runs *runs, unsigned int order)
{
	return runs->level[order / 8].tree[ROOT].run[order % 8];
}

/* The nearest cell before @i or, with @step of 1, behind it with a gap; or 0. */
static u32 cell_beside(const struct cblock_level *level, u32 i, int step)
{
	const union cblock_orders *tree = level->tree;
	u32 edge = step > 0 ? ROW - 1 : 0;

	do {
		while (i % ROW == edge && i != ROOT)
			i = above(i);
		if (i == ROOT)
			return 0;
		i += step;
	} while (!tree[i].all);
	while (i < level->leaves)
		for (i = below(i) + ROW - 1 - edge; !tree[i].all; )
			i += step;
	return i;
}

/* The lowest gap that ends behind @pos, or NULL. */
struct cblock_area *cblock_runs_behind(const struct cblock_runs *runs, u32 pos)
{
	const struct cblock_level *level = &runs->level[0];
	u32 i = level->leaves + ((pos >> slot_shift(0)) - level->first) / ROW;
	u32 cell[] = { cell_beside(level, i, -1), i, cell_beside(level, i, 1) };
	struct cblock_area *area;
	unsigned int c, n;

	for (c = 0; c < ARRAY_SIZE(cell); c++) {
		for (n = 0; cell[c] && n < ROW; n++) {
			area = level->slot[(cell[c] - level->leaves) * ROW + n];
			if (area && area_end(area) + area->gap > pos)
				return area;
		}
	}
	return NULL;
}

static u32 level_first(u32 start, unsigned int l)
{
	return (start >> slot_shift(l)) / ROW * ROW;
}

static u32 level_cells(u32 start, u32 end, unsigned int l)
{
	return (((end - 1) >> slot_shift(l)) - level_first(start, l)) / ROW + 1;
}

static u32 tree_leaves(u32 cells)
{
	u32 i = ROOT, row;

	for (row = 1; row < cells; row *= ROW)
		i = below(i);
	return i;
}

static size_t tree_bytes(u32 cells)
{
	return (tree_leaves(cells) + round_up(cells, ROW)) *
	       sizeof(union cblock_orders);
}

/* The memory that an index needs for gaps from @start to @end. */
size_t cblock_runs_bytes(u32 start, u32 end)
{
	size_t bytes = 0;
	unsigned int l;
	u32 cells;

	for (l = 0; l < CBLOCK_LEVELS; l++) {
		cells = level_cells(start, end, l);
		bytes += tree_bytes(cells) +
			 cells * ROW * sizeof(struct cblock_area *);
	}
	return bytes;
}

/* An index without gaps. @memory is zero. */
void cblock_runs_init(struct cblock_runs *runs, u32 start, u32 end,
		      void *memory)
{
	struct cblock_level *level;
	unsigned int l;
	u32 cells;

	/* trees first: their words may need more alignment than pointers */
	for (l = 0; l < CBLOCK_LEVELS; l++) {
		level = &runs->level[l];
		cells = level_cells(start, end, l);
		level->tree = memory;
		memory += tree_bytes(cells);
		level->tree[above(ROOT)].all = ~TOPS;
		level->leaves = tree_leaves(cells);
		level->first = level_first(start, l);
		level->from = ROOT;
		level->size = 0;
		level->order = 0;
	}
	for (l = 0; l < CBLOCK_LEVELS; l++) {
		level = &runs->level[l];
		level->slot = memory;
		memory += level_cells(start, end, l) * ROW *
			  sizeof(*level->slot);
	}
}
