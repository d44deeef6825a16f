// SPDX-License-Identifier: GPL-2.0
/*
 * Search, split and join gaps in O(log gaps), exactly as a walk by address
 * would, whatever the alignment.
 *
 * An augmented tree that knows only the longest gap below each node must try
 * every gap that is long enough but badly aligned. This one knows the longest
 * run for each alignment; a search is one descent. That is affordable because
 * a gap of few pages holds few multiples of large powers of two: low in the
 * tree the vectors are short, and a change stops where it makes no difference.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/rbtree_augmented.h>

#include "arena.h"

/* Aligned candidates that a best fit looks at before it takes a sure one. */
#define BEST_TRIES	32

/* What an absent child contributes. */
static const struct cblock_area nothing;

static const struct cblock_area *area_of(const struct rb_node *rb)
{
	return rb ? rb_entry(rb, struct cblock_area, by_addr) : &nothing;
}

static u32 area_end(const struct cblock_area *area)
{
	return area->start + area->size;
}

/* Pages of the gap behind @area from its first multiple of 2^k on. */
static u32 gap_usable(const struct cblock_area *area, unsigned int k)
{
	u32 end = area_end(area), mask = (1U << k) - 1;
	u32 lost = -end & mask;

	return area->gap > lost ? area->gap - lost : 0;
}

/* The same with the subtrees on both sides. */
static u32 usable_below(const struct cblock_area *area, unsigned int k)
{
	u32 left = area_of(area->by_addr.rb_left)->usable[k];
	u32 right = area_of(area->by_addr.rb_right)->usable[k];

	return max(gap_usable(area, k), max(left, right));
}

/* usable[] has no gaps: where no run starts, none starts at a larger power. */
static void usable_set(struct cblock_area *area, unsigned int k, u32 runs)
{
	area->usable[k] = runs;
	if (!runs)
		area->classes = min(area->classes, k);
	else if (k >= area->classes)
		area->classes = k + 1;
}

/* Below @rb usable[k] of a child was @old and is @runs now: tell those above. */
static void propagate_class(struct rb_node *rb, struct rb_node *stop,
			    unsigned int k, u32 old, u32 runs)
{
	struct cblock_area *area;
	u32 known;

	for (; rb != stop; rb = rb_parent(rb)) {
		area = rb_entry(rb, struct cblock_area, by_addr);
		known = area->usable[k];
		if (runs < known) {
			if (known > old)
				return;	/* it comes from elsewhere */
			runs = usable_below(area, k);
		}
		if (runs == known)
			return;
		usable_set(area, k, runs);
		old = known;
	}
}

static void gaps_propagate(struct rb_node *rb, struct rb_node *stop)
{
	const struct cblock_area *left, *right;
	u32 k, old, runs, classes;
	struct cblock_area *area;

	if (rb == stop)
		return;
	area = rb_entry(rb, struct cblock_area, by_addr);
	left = area_of(rb->rb_left);
	right = area_of(rb->rb_right);
	classes = max3(area->classes, left->classes, right->classes);
	for (k = 0; k < CBLOCK_CLASSES; k++) {
		runs = gap_usable(area, k);
		if (!runs && k >= classes)
			break;
		runs = max3(runs, left->usable[k], right->usable[k]);
		old = area->usable[k];
		if (runs == old)
			continue;
		usable_set(area, k, runs);
		propagate_class(rb_parent(rb), stop, k, old, runs);
	}
}

static void gaps_copy(struct rb_node *rb_old, struct rb_node *rb_new)
{
	struct cblock_area *old = rb_entry(rb_old, struct cblock_area, by_addr);
	struct cblock_area *new = rb_entry(rb_new, struct cblock_area, by_addr);
	u32 k;

	for (k = 0; k < old->classes; k++)
		new->usable[k] = old->usable[k];
	for (; k < new->classes; k++)
		new->usable[k] = 0;
	new->classes = old->classes;
}

static void gaps_rotate(struct rb_node *rb_old, struct rb_node *rb_new)
{
	gaps_copy(rb_old, rb_new);
	gaps_propagate(rb_old, rb_parent(rb_old)); /* no further than itself */
}

static const struct rb_augment_callbacks gaps_callbacks = {
	.propagate = gaps_propagate,
	.copy = gaps_copy,
	.rotate = gaps_rotate,
};

static void usable_init(struct cblock_area *area)
{
	memset(area->usable, 0, sizeof(area->usable));
	area->classes = 0;
}

static void gaps_insert(struct cblock_arena *arena, struct cblock_area *area)
{
	struct rb_node **link = &arena->gaps.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (area->start < area_of(parent)->start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	usable_init(area);
	rb_link_node(&area->by_addr, parent, link);
	gaps_propagate(&area->by_addr, NULL);
	rb_insert_augmented(&area->by_addr, &arena->gaps, &gaps_callbacks);
}

static void gaps_erase(struct cblock_arena *arena, struct cblock_area *area)
{
	rb_erase_augmented(&area->by_addr, &arena->gaps, &gaps_callbacks);
}

/* @new takes the place of its neighbour @old, whose gap it has got. */
static void gaps_replace(struct cblock_arena *arena, struct cblock_area *old,
			 struct cblock_area *new)
{
	usable_init(new);
	rb_replace_node(&old->by_addr, &new->by_addr, &arena->gaps);
	gaps_copy(&old->by_addr, &new->by_addr);
	gaps_propagate(&new->by_addr, NULL);
}

static void sizes_insert(struct cblock_arena *arena, struct cblock_area *area)
{
	struct rb_node **link = &arena->large.rb_node, *parent = NULL;

	if (area->gap <= CBLOCK_BINS) {
		list_add(&area->bin, &arena->bins[area->gap - 1]);
		arena->filled |= 1ULL << (area->gap - 1);
		return;
	}
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

static void sizes_erase(struct cblock_arena *arena, struct cblock_area *area)
{
	if (area->gap > CBLOCK_BINS) {
		rb_erase(&area->by_size, &arena->large);
		return;
	}
	list_del(&area->bin);
	if (list_empty(&arena->bins[area->gap - 1]))
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
		return list_first_entry(&arena->bins[__ffs64(bins)],
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
	if (!list_is_last(&area->bin, &arena->bins[area->gap - 1]))
		return list_next_entry(area, bin);
	return sizes_find(arena, area->gap + 1);
}

static struct cblock_area *arena_last(const struct cblock_arena *arena)
{
	return list_last_entry(&arena->areas, struct cblock_area, node);
}

/* The lowest gap with @size usable pages. */
static struct cblock_area *find_first(struct cblock_arena *arena, u32 size,
				      unsigned int k)
{
	struct rb_node *rb = arena->gaps.rb_node;
	struct cblock_area *area = arena_last(arena);

	if (area_of(rb)->usable[k] < size)
		return gap_usable(area, k) >= size ? area : NULL;
	for (;;) {
		area = rb_entry(rb, struct cblock_area, by_addr);
		if (area_of(rb->rb_left)->usable[k] >= size) {
			rb = rb->rb_left;
			continue;
		}
		if (gap_usable(area, k) >= size)
			return area;
		rb = rb->rb_right;
	}
}

static struct cblock_area *find_best(struct cblock_arena *arena, u32 size,
				     unsigned int k)
{
	struct cblock_area *last = arena_last(arena);
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
 * cblock_arena_init - an arena with nothing allocated
 * @arena: the arena
 * @start: first position. Alignments are those of positions, so a caller counts
 *	   them from an address that has the largest alignment
 * @end: first position behind it; @start < @end <= CBLOCK_POS_MAX
 */
void cblock_arena_init(struct cblock_arena *arena, u32 start, u32 end)
{
	unsigned int i;

	memset(arena, 0, sizeof(*arena));
	INIT_LIST_HEAD(&arena->areas);
	for (i = 0; i < CBLOCK_BINS; i++)
		INIT_LIST_HEAD(&arena->bins[i]);
	arena->gaps = RB_ROOT;
	arena->large = RB_ROOT;
	arena->end = end;
	arena->free = end - start;
	arena->head.start = start;
	arena->head.gap = end - start;
	list_add(&arena->head.node, &arena->areas);
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
	bool last;
	u32 front, end;

	if (!size || size > arena->free || order >= CBLOCK_CLASSES)
		return false;
	prev = fit == CBLOCK_BEST ? find_best(arena, size, order) :
				    find_first(arena, size, order);
	if (!prev)
		return false;

	last = list_is_last(&prev->node, &arena->areas);
	end = area_end(prev) + prev->gap;
	if (!last)
		sizes_erase(arena, prev);
	area->size = size;
	area->start = end - gap_usable(prev, order);
	area->gap = end - area_end(area);
	front = area->start - area_end(prev);
	list_add(&area->node, &prev->node);
	arena->free -= size;
	arena->count++;

	if (last) {
		prev->gap = front;
		if (front)
			gaps_insert(arena, prev);
	} else if (front) {
		prev->gap = front;
		gaps_propagate(&prev->by_addr, NULL);
		if (area->gap)
			gaps_insert(arena, area);
	} else if (area->gap) {
		gaps_replace(arena, prev, area);
		prev->gap = 0;
	} else {
		gaps_erase(arena, prev);
		prev->gap = 0;
	}
	if (front)
		sizes_insert(arena, prev);
	if (area->gap && !last)
		sizes_insert(arena, area);
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
	struct cblock_area *prev = list_prev_entry(area, node);
	bool last = list_is_last(&area->node, &arena->areas);
	u32 before = prev->gap;

	if (before)
		sizes_erase(arena, prev);
	if (area->gap && !last)
		sizes_erase(arena, area);
	if (before && (last || area->gap))
		gaps_erase(arena, last ? prev : area);
	list_del(&area->node);
	prev->gap = before + area->size + area->gap;
	arena->free += area->size;
	arena->count--;
	if (last)
		return;

	if (before)
		gaps_propagate(&prev->by_addr, NULL);
	else if (area->gap)
		gaps_replace(arena, area, prev);
	else
		gaps_insert(arena, prev);
	sizes_insert(arena, prev);
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
	return max(area_of(arena->gaps.rb_node)->usable[order],
		   gap_usable(arena_last(arena), order));
}

/**
 * cblock_arena_gap - find free pages
 * @arena: the arena
 * @pos: a position in it
 * @start: first page of the lowest gap that ends behind @pos
 * @end: first page behind that gap
 *
 * Return: whether there is such a gap.
 */
bool cblock_arena_gap(const struct cblock_arena *arena, u32 pos, u32 *start,
		      u32 *end)
{
	const struct cblock_area *area, *found = arena_last(arena);
	const struct rb_node *rb = arena->gaps.rb_node;

	while (rb) {
		area = area_of(rb);
		if (area_end(area) + area->gap > pos) {
			found = area;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	*start = area_end(found);
	*end = *start + found->gap;
	return found->gap && *end > pos;
}
