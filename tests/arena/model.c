// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* An arena on memory of its own size. */
void model_arena(struct cblock_arena *arena, u32 start, u32 end)
{
	static void *index;

	free(index);
	index = calloc(1, cblock_arena_bytes(start, end));
	check(index);
	cblock_arena_init(arena, start, end, index);
}

void model_init(struct model *model, struct cblock_arena *arena, u32 start,
		u32 end)
{
	model_arena(arena, start, end);
	model->start = start;
	model->end = end;
	model->count = 0;
}

/* Gap @i lies before run @i; the last one before the end. */
static u32 gap_start(const struct model *model, unsigned int i)
{
	return i ? model->run[i - 1].start + model->run[i - 1].size : model->start;
}

static u32 gap_end(const struct model *model, unsigned int i)
{
	return i < model->count ? model->run[i].start : model->end;
}

static u32 gap_aligned(const struct model *model, unsigned int i,
		       unsigned int order)
{
	u64 align = 1ULL << order;

	return (gap_start(model, i) + align - 1) / align * align;
}

bool model_first(const struct model *model, u32 size, unsigned int order,
		 u32 *at)
{
	unsigned int i;

	for (i = 0; i <= model->count; i++) {
		*at = gap_aligned(model, i, order);
		if ((u64)*at + size <= gap_end(model, i))
			return true;
	}
	return false;
}

u32 model_largest(const struct model *model, unsigned int order)
{
	u32 at, largest = 0;
	unsigned int i;

	for (i = 0; i <= model->count; i++) {
		at = gap_aligned(model, i, order);
		if (at < gap_end(model, i) && gap_end(model, i) - at > largest)
			largest = gap_end(model, i) - at;
	}
	return largest;
}

/* The size of the gap that holds @at, 0 if that is allocated. */
u32 model_gap_at(const struct model *model, u32 at)
{
	unsigned int i;

	for (i = 0; i <= model->count; i++)
		if (at >= gap_start(model, i) && at < gap_end(model, i))
			return gap_end(model, i) - gap_start(model, i);
	return 0;
}

/* The size of the smallest gap of at least @size pages, 0 if there is none. */
u32 model_smallest(const struct model *model, u32 size)
{
	u32 gap, smallest = 0;
	unsigned int i;

	for (i = 0; i <= model->count; i++) {
		gap = gap_end(model, i) - gap_start(model, i);
		if (gap >= size && (!smallest || gap < smallest))
			smallest = gap;
	}
	return smallest;
}

void model_add(struct model *model, struct cblock_area *area)
{
	unsigned int i = 0;

	while (i < model->count && model->run[i].start < area->start)
		i++;
	memmove(&model->run[i + 1], &model->run[i],
		(model->count++ - i) * sizeof(model->run[0]));
	model->run[i].start = area->start;
	model->run[i].size = area->size;
	model->run[i].area = area;
}

void model_del(struct model *model, unsigned int index)
{
	memmove(&model->run[index], &model->run[index + 1],
		(--model->count - index) * sizeof(model->run[0]));
}

static unsigned int compare_tree(const struct rb_node *rb)
{
	const struct cblock_area *area, *left, *right;
	static const struct cblock_area nothing;
	unsigned int k, nodes;
	u64 from, runs;

	if (!rb)
		return 0;
	area = rb_entry(rb, struct cblock_area, by_addr);
	nodes = 1 + compare_tree(rb->rb_left) + compare_tree(rb->rb_right);
	left = rb->rb_left ? rb_entry(rb->rb_left, struct cblock_area, by_addr) :
			     &nothing;
	right = rb->rb_right ? rb_entry(rb->rb_right, struct cblock_area, by_addr) :
			       &nothing;
	check(area->gap > CBLOCK_RUN_MAX);
	for (k = 0; k < CBLOCK_CLASSES; k++) {
		u64 end = (u64)area->start + area->size + area->gap;

		from = ((u64)area->start + area->size + (1ULL << k) - 1) >>
		       k << k;
		runs = from < end ? end - from : 0;
		if (left->usable[k] > runs)
			runs = left->usable[k];
		if (right->usable[k] > runs)
			runs = right->usable[k];
		check(area->usable[k] == runs);
		check((k < area->classes) == (runs != 0));
	}
	return nodes;
}

/* Pages of the gap behind @area from its first multiple of 2^@order on. */
static u64 run_of(const struct cblock_area *area, unsigned int order)
{
	u64 align = 1ULL << order, gap = (u64)area->start + area->size;
	u64 from = (gap + align - 1) / align * align;

	return from < gap + area->gap ? gap + area->gap - from : 0;
}

/* The slot of a gap at level @l, its cell, and the way up from there. */
static void compare_level(const struct cblock_level *level, unsigned int l,
			  const struct cblock_area *area)
{
	u32 gap = area->start + area->size, i, k, n;
	u64 unit = l ? 1ULL << 8 * l : 2, run, longest;
	struct cblock_area *const *cell;

	if (!run_of(area, 8 * l))
		return;
	n = (gap + area->gap - run_of(area, 8 * l)) / unit - level->first;
	check(level->slot[n] == area);
	i = level->leaves + n / 4;
	cell = &level->slot[n / 4 * 4];
	for (k = 0; k < 8; k++) {
		for (longest = n = 0; n < 4; n++) {
			run = cell[n] ? run_of(cell[n], 8 * l + k) : 0;
			longest = run > longest ? run : longest;
		}
		check(level->tree[i].run[k] == (longest < CBLOCK_RUN_MAX ?
						longest : CBLOCK_RUN_MAX));
	}
	/* 3 is the root, 4 to 7 are its children, 8 to 23 theirs, ... */
	for (; i > 3; i = i / 4 + 2) {
		for (k = 0; k < 8; k++) {
			for (longest = n = 0; n < 4; n++) {
				run = level->tree[i / 4 * 4 + n].run[k];
				longest = run > longest ? run : longest;
			}
			check(level->tree[i / 4 + 2].run[k] == longest);
		}
	}
}

/* The lowest gap that ends behind @pos is the first one of the reference. */
static void compare_gap(const struct model *model, struct cblock_arena *arena,
			u32 pos)
{
	unsigned int i = 0;
	u32 start, end;
	bool found;

	while (i <= model->count && (gap_start(model, i) == gap_end(model, i) ||
				     gap_end(model, i) <= pos))
		i++;
	found = cblock_arena_gap(arena, pos, &start, &end);
	check(found == (i <= model->count));
	check(!found || (start == gap_start(model, i) &&
			 end == gap_end(model, i)));
}

/* Everything that an arena knows, against the reference and recomputed. */
void model_compare(const struct model *model, struct cblock_arena *arena)
{
	unsigned int i = 0, k, gaps = 0, large = 0, sized = 0;
	struct cblock_area *area, *prev = NULL;
	u32 pages = 0;
	struct rb_node *rb;

	for (area = &arena->head; area; prev = area, area = area->next) {
		check(area->prev == prev);
		if (area != &arena->head) {
			check(i < model->count);
			check(model->run[i].area == area);
			check(model->run[i].start == area->start);
			check(model->run[i].size == area->size);
			i++;
		}
		check(area->gap == gap_end(model, i) - gap_start(model, i));
		pages += area->gap;
		if (area->gap && area->next) {
			gaps++;
			large += area->gap > CBLOCK_RUN_MAX;
			for (k = 0; k < CBLOCK_LEVELS; k++)
				compare_level(&arena->runs.level[k], k, area);
		}
	}
	check(arena->last == prev);
	for (k = 0; k < CBLOCK_CLASSES && !gaps; k++)
		check(!cblock_runs_longest(&arena->runs, k));
	check(i == model->count && i == arena->count);
	for (i = 0; i < model->count; i++) {
		compare_gap(model, arena, model->run[i].start);
		compare_gap(model, arena, model->run[i].start - (i > 0));
		compare_gap(model, arena, gap_start(model, i + 1) - 1);
	}
	compare_gap(model, arena, model->start);
	compare_gap(model, arena, model->end - 1);
	compare_gap(model, arena, model->end);
	check(pages == arena->free);
	check(compare_tree(arena->longs.rb_node) == large);

	for (k = 0; k < CBLOCK_BINS; k++) {
		check(hlist_empty(&arena->bins[k]) == !(arena->filled >> k & 1));
		hlist_for_each_entry(area, &arena->bins[k], bin) {
			check(area->gap == k + 1);
			sized++;
		}
	}
	for (rb = rb_first(&arena->large); rb; rb = rb_next(rb)) {
		area = rb_entry(rb, struct cblock_area, by_size);
		check(area->gap > CBLOCK_BINS);
		sized++;
	}
	check(sized == gaps);
}

/*
 * One operation on both: an allocation, or a release where @choice falls on a
 * run that exists.
 */
void model_step(struct model *model, struct cblock_arena *arena,
		u32 choice, u32 size, unsigned int order,
		enum cblock_fit fit)
{
	struct cblock_area *area;
	u32 at = 0, gap, smallest;
	bool fits;

	if (choice < model->count) {
		area = model->run[choice].area;
		cblock_arena_free(arena, area);
		model_del(model, choice);
		memset(area, 0xa5, sizeof(*area));
		free(area);
		return;
	}
	if (model->count == MODEL_MAX)
		return;
	area = malloc(sizeof(*area));
	check(area);
	memset(area, 0x5a, sizeof(*area));
	fits = size && model_first(model, size, order, &at);
	check(cblock_arena_largest(arena, order) == model_largest(model, order));
	smallest = model_smallest(model, size);
	if (!cblock_arena_alloc(arena, area, size, order, fit)) {
		check(!fits);
		free(area);
		return;
	}
	check(fits);
	check(area->size == size);
	check(area->start % (1U << order) == 0);
	if (fit == CBLOCK_FIRST)
		check(area->start == at);
	gap = model_gap_at(model, area->start);
	check(gap >= size);
	if (fit == CBLOCK_BEST && !order)
		check(gap == smallest);
	model_add(model, area);
}
