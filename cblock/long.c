// SPDX-License-Identifier: GPL-2.0
/*
 * Gaps of more than CBLOCK_RUN_MAX pages by address: a search for an aligned run
 * of any length is one descent.
 *
 * An augmented tree that knows only the longest gap below each node must try
 * every gap that is long enough but badly aligned. This one knows the longest
 * run for each alignment. That is affordable because a gap of few pages holds
 * few multiples of large powers of two: low in the tree the vectors are short,
 * and a change stops where it makes no difference. It stops there only if
 * whatever else has changed has been told before: one gap at a time.
 */
#include <linux/kernel.h>
#include <linux/rbtree_augmented.h>

#include "arena.h"

/* What an absent child contributes. */
static const struct cblock_area nothing;

static const struct cblock_area *area_of(const struct rb_node *rb)
{
	return rb ? rb_entry(rb, struct cblock_area, by_addr) : &nothing;
}

/* gap_usable(), and the same in the subtrees on both sides. */
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

static void propagate(struct rb_node *rb, struct rb_node *stop)
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

static void copy(struct rb_node *rb_old, struct rb_node *rb_new)
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

static void rotate(struct rb_node *rb_old, struct rb_node *rb_new)
{
	copy(rb_old, rb_new);
	propagate(rb_old, rb_parent(rb_old)); /* no further than itself */
}

static const struct rb_augment_callbacks callbacks = {
	.propagate = propagate,
	.copy = copy,
	.rotate = rotate,
};

static void usable_init(struct cblock_area *area)
{
	memset(area->usable, 0, sizeof(area->usable));
	area->classes = 0;
}

void cblock_long_insert(struct cblock_arena *arena, struct cblock_area *area)
{
	struct rb_node **link = &arena->longs.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (area->start < area_of(parent)->start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	usable_init(area);
	rb_link_node(&area->by_addr, parent, link);
	propagate(&area->by_addr, NULL);
	rb_insert_augmented(&area->by_addr, &arena->longs, &callbacks);
}

void cblock_long_erase(struct cblock_arena *arena, struct cblock_area *area)
{
	rb_erase_augmented(&area->by_addr, &arena->longs, &callbacks);
}

/* @new takes the place of its neighbour @old, whose gap it has got. */
static void replace(struct cblock_arena *arena, struct cblock_area *old,
		    struct cblock_area *new)
{
	usable_init(new);
	rb_replace_node(&old->by_addr, &new->by_addr, &arena->longs);
	copy(&old->by_addr, &new->by_addr);
	propagate(&new->by_addr, NULL);
}

/* The lowest gap with @size usable pages, more than CBLOCK_RUN_MAX; or NULL. */
struct cblock_area *cblock_long_find(const struct cblock_arena *arena, u32 size,
				     unsigned int k)
{
	struct rb_node *rb = arena->longs.rb_node;
	struct cblock_area *area;

	if (area_of(rb)->usable[k] < size)
		return NULL;
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

/* The longest run of all, if it is longer than CBLOCK_RUN_MAX. */
u32 cblock_long_longest(const struct cblock_arena *arena, unsigned int k)
{
	return area_of(arena->longs.rb_node)->usable[k];
}

/* The gap behind @prev is in two: there, and behind @area. */
void cblock_long_split(struct cblock_arena *arena, struct cblock_area *prev,
		       struct cblock_area *area)
{
	if (prev->gap <= CBLOCK_RUN_MAX && area->gap > CBLOCK_RUN_MAX) {
		replace(arena, prev, area);
		return;
	}
	if (prev->gap > CBLOCK_RUN_MAX)
		propagate(&prev->by_addr, NULL);
	else
		cblock_long_erase(arena, prev);
	if (area->gap > CBLOCK_RUN_MAX)
		cblock_long_insert(arena, area);
}

/* The gaps behind @prev, of @before pages, and @area are one, behind @prev. */
void cblock_long_join(struct cblock_arena *arena, struct cblock_area *prev,
		      u32 before, struct cblock_area *area)
{
	if (before > CBLOCK_RUN_MAX) {
		propagate(&prev->by_addr, NULL);
		if (area->gap > CBLOCK_RUN_MAX)
			cblock_long_erase(arena, area);
	} else if (area->gap > CBLOCK_RUN_MAX) {
		replace(arena, area, prev);
	} else {
		cblock_long_insert(arena, prev);
	}
}
