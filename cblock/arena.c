// SPDX-License-Identifier: GPL-2.0
/*
 * Search, split and join gaps in a time that does not depend on their number
 * but through the depth of trees; first fit exactly as a walk by address would,
 * whatever the alignment.
 *
 * Short runs are what many gaps have and most allocations want: runs.c. What is
 * longer is looked for among the gaps that are longer: long.c.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "arena.h"

/* Aligned candidates that a best fit looks at before it takes a sure one. */
#define BEST_TRIES	4

static void large_insert(struct cblock_arena *arena, struct cblock_area *area)
{
	struct rb_node **link = &arena->large.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (area->gap <= rb_entry(parent, struct cblock_area, by_size)->gap)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&area->by_size, parent, link);
	rb_insert_color(&area->by_size, &arena->large);
}

static __always_inline void sizes_insert(struct cblock_arena *arena,
					 struct cblock_area *area)
{
	if (area->gap > CBLOCK_BINS) {
		large_insert(arena, area);
		return;
	}
	hlist_add_head(&area->bin, &arena->bins[area->gap - 1]);
	arena->filled |= 1ULL << (area->gap - 1);
}

static __always_inline void sizes_erase(struct cblock_arena *arena,
					struct cblock_area *area)
{
	if (area->gap > CBLOCK_BINS) {
		rb_erase(&area->by_size, &arena->large);
		return;
	}
	__hlist_del(&area->bin);
	if (hlist_empty(&arena->bins[area->gap - 1]))
		arena->filled &= ~(1ULL << (area->gap - 1));
}

/* The smallest gap of at least @size pages, the last one not counted. */
static struct cblock_area *sizes_find(struct cblock_arena *arena, u32 size)
{
	struct cblock_area *area, *found = NULL;
	struct rb_node *rb = arena->large.rb_node;
	u64 bins = 0;

	if (size <= CBLOCK_BINS)
		bins = arena->filled >> (size - 1) << (size - 1);
	if (bins)
		return hlist_entry(arena->bins[__ffs64(bins)].first,
				   struct cblock_area, bin);
	while (rb) {
		area = rb_entry(rb, struct cblock_area, by_size);
		if (area->gap < size) {
			rb = rb->rb_right;
		} else {
			found = area;
			rb = rb->rb_left;
		}
	}
	return found;
}

static struct cblock_area *sizes_next(struct cblock_arena *arena,
				      struct cblock_area *area)
{
	if (area->gap > CBLOCK_BINS)
		return rb_entry_safe(rb_next(&area->by_size),
				     struct cblock_area, by_size);
	if (area->bin.next)
		return hlist_entry(area->bin.next, struct cblock_area, bin);
	return sizes_find(arena, area->gap + 1);
}

/* The gap behind @prev was or will be behind the last area: in no index then. */
static void gap_add(struct cblock_arena *arena, struct cblock_area *prev)
{
	sizes_insert(arena, prev);
	cblock_runs_grow(&arena->runs, prev);
	if (prev->gap > CBLOCK_RUN_MAX)
		cblock_long_insert(arena, prev);
}

static void gap_del(struct cblock_arena *arena, struct cblock_area *prev)
{
	u32 was = prev->gap;

	sizes_erase(arena, prev);
	prev->gap = 0;
	cblock_runs_shrink(&arena->runs, prev, was);
	if (was > CBLOCK_RUN_MAX)
		cblock_long_erase(arena, prev);
}

/* The lowest gap with @size usable pages. */
static __always_inline struct cblock_area *
find_first(struct cblock_arena *arena, u32 size, unsigned int k)
{
	struct cblock_area *last = arena->last, *area;

	area = size > CBLOCK_RUN_MAX ? cblock_long_find(arena, size, k) :
	       cblock_runs_find(&arena->runs, size, k);
	if (area)
		return area;
	return gap_usable(last, k) >= size ? last : NULL;
}

static struct cblock_area *find_best(struct cblock_arena *arena, u32 size,
				     unsigned int k)
{
	struct cblock_area *last = arena->last;
	struct cblock_area *area = sizes_find(arena, size);
	unsigned int tries = BEST_TRIES;

	while (area && gap_usable(area, k) < size) {
		if (--tries)
			area = sizes_next(arena, area);
		else
			area = sizes_find(arena, size + (1U << k) - 1);
	}
	if (gap_usable(last, k) >= size && (!area || last->gap < area->gap))
		return last;
	return area ?: find_first(arena, size, k);
}

/**
 * cblock_arena_bytes - how much memory an arena needs
 * @start: its first position
 * @end: first position behind it
 *
 * Return: bytes, about six for each page.
 */
size_t cblock_arena_bytes(u32 start, u32 end)
{
	return cblock_runs_bytes(start, end);
}

/**
 * cblock_arena_init - an arena with nothing allocated
 * @arena: the arena
 * @start: first position. Alignments are those of positions, so a caller counts
 *	   them from an address that has the largest alignment
 * @end: first position behind it; @start < @end <= CBLOCK_POS_MAX
 * @memory: zeroed, of cblock_arena_bytes(), for as long as the arena is used
 */
void cblock_arena_init(struct cblock_arena *arena, u32 start, u32 end,
		       void *memory)
{
	memset(arena, 0, sizeof(*arena));
	cblock_runs_init(&arena->runs, start, end, memory);
	arena->end = end;
	arena->free = end - start;
	arena->head.start = start;
	arena->head.gap = end - start;
	arena->last = &arena->head;
}

/**
 * cblock_arena_alloc - take pages
 * @arena: the arena
 * @area: a descriptor for them; what it holds does not matter
 * @size: number of pages
 * @order: the first page is a multiple of 2^@order, below CBLOCK_CLASSES
 * @fit: where to look
 *
 * Context: any; the caller excludes all other users of @arena.
 * Return: true, and @area belongs to @arena until cblock_arena_free(); false if
 * no gap is large enough or @size is 0.
 */
bool cblock_arena_alloc(struct cblock_arena *arena, struct cblock_area *area,
			u32 size, unsigned int order, enum cblock_fit fit)
{
	struct cblock_area *prev;
	u32 was, end;

	if (!size || size > arena->free || order >= CBLOCK_CLASSES)
		return false;
	prev = fit == CBLOCK_BEST ? find_best(arena, size, order) :
				    find_first(arena, size, order);
	if (!prev)
		return false;

	was = prev->gap;
	end = area_end(prev) + was;
	area->size = size;
	area->start = end - gap_usable(prev, order);
	area->gap = end - area_end(area);
	area->prev = prev;
	area->next = prev->next;
	prev->next = area;
	arena->free -= size;
	arena->count++;

	if (!area->next) {
		arena->last = area;
		prev->gap = area->start - area_end(prev);
		if (prev->gap)
			gap_add(arena, prev);
		return true;
	}
	area->next->prev = area;
	sizes_erase(arena, prev);
	prev->gap = area->start - area_end(prev);
	if (area->gap) {
		sizes_insert(arena, area);
		cblock_runs_grow(&arena->runs, area);
	}
	if (prev->gap)
		sizes_insert(arena, prev);
	cblock_runs_shrink(&arena->runs, prev, was);
	if (was > CBLOCK_RUN_MAX)
		cblock_long_split(arena, prev, area);
	return true;
}

/**
 * cblock_arena_free - give pages back
 * @arena: the arena
 * @area: what cblock_arena_alloc() took; the descriptor is the caller's again
 *
 * Context: any; the caller excludes all other users of @arena.
 */
void cblock_arena_free(struct cblock_arena *arena, struct cblock_area *area)
{
	struct cblock_area *prev = area->prev, *next = area->next;
	u32 before = prev->gap, behind = area->gap;

	prev->next = next;
	arena->free += area->size;
	arena->count--;

	if (!next) {
		arena->last = prev;
		if (before)
			gap_del(arena, prev);
		prev->gap = before + area->size + behind;
		return;
	}
	next->prev = prev;
	if (before)
		sizes_erase(arena, prev);
	prev->gap = before + area->size + behind;
	sizes_insert(arena, prev);
	cblock_runs_grow(&arena->runs, prev);
	if (prev->gap > CBLOCK_RUN_MAX)
		cblock_long_join(arena, prev, before, area);
	if (behind) {
		sizes_erase(arena, area);
		area->gap = 0;
		cblock_runs_shrink(&arena->runs, area, behind);
	}
}

/**
 * cblock_arena_largest - the largest allocation that would succeed now
 * @arena: the arena
 * @order: its alignment, as in cblock_arena_alloc()
 *
 * Return: number of pages.
 */
u32 cblock_arena_largest(const struct cblock_arena *arena, unsigned int order)
{
	if (order >= CBLOCK_CLASSES)
		return 0;
	return max3(cblock_long_longest(arena, order),
		    gap_usable(arena->last, order),
		    cblock_runs_longest(&arena->runs, order));
}

/**
 * cblock_arena_gap - find free pages
 * @arena: the arena
 * @pos: a position in it, or behind it
 * @start: first page of the lowest gap that ends behind @pos
 * @end: first page behind that gap
 *
 * Return: whether there is such a gap.
 */
bool cblock_arena_gap(const struct cblock_arena *arena, u32 pos, u32 *start,
		      u32 *end)
{
	const struct cblock_area *area = arena->last;

	if (pos >= area_end(area) + area->gap)
		return false;
	area = cblock_runs_behind(&arena->runs, pos) ?: area;
	*start = area_end(area);
	*end = *start + area->gap;
	return area->gap;
}
