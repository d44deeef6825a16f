// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "ranges.h"

/* Make room for @max ranges. */
int bm_ranges_grow(struct bm_ranges *list, unsigned int max)
{
	struct bm_range *r;

	if (max <= list->max)
		return 0;
	r = kvmalloc_array(max, sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	if (list->nr)
		memcpy(r, list->r, list->nr * sizeof(*r));
	kvfree(list->r);
	list->r = r;
	list->max = max;
	return 0;
}

/* Append a range; NULL for want of memory. Valid until the next addition. */
struct bm_range *bm_ranges_add(struct bm_ranges *list, u64 start, u64 last,
			       const char *name)
{
	struct bm_range *r;

	if (list->nr == list->max &&
	    bm_ranges_grow(list, max(32U, list->max * 2)))
		return NULL;
	r = &list->r[list->nr++];
	r->start = start;
	r->last = last;
	r->nid = NUMA_NO_NODE;
	r->flags = 0;
	strscpy(r->name, name, sizeof(r->name));
	return r;
}

void bm_ranges_free(struct bm_ranges *list)
{
	kvfree(list->r);
	memset(list, 0, sizeof(*list));
}

u64 bm_ranges_size(const struct bm_ranges *list)
{
	const struct bm_range *r;
	u64 size = 0;

	bm_for_each_range(r, list)
		size += bm_size(r);
	return size;
}

/* How many bytes of start..last are in ranges of the list. */
u64 bm_ranges_overlap(const struct bm_ranges *list, u64 start, u64 last)
{
	const struct bm_range *r;
	u64 size = 0;

	bm_for_each_range(r, list)
		size += bm_common(r, start, last);
	return size;
}

/* Take start..last out of every range; @cut grows by the bytes that went. */
int bm_ranges_cut(struct bm_ranges *list, u64 start, u64 last, u64 *cut)
{
	unsigned int i, nr = list->nr;

	for (i = 0; i < nr; i++) {
		struct bm_range *r = &list->r[i], *tail;
		u64 size = bm_common(r, start, last);

		if (!size)
			continue;
		if (r->start < start && r->last > last) {
			tail = bm_ranges_add(list, last + 1, r->last, r->name);
			if (!tail)
				return -ENOMEM;
			r = &list->r[i];
			tail->nid = r->nid;
			tail->flags = r->flags;
			r->last = start - 1;
		} else if (r->start < start) {
			r->last = start - 1;
		} else if (r->last > last) {
			r->start = last + 1;
		} else {
			*r = list->r[--list->nr];
			/* an old one, or a tail that lies behind last */
			nr = min(nr, list->nr);
			i--;
		}
		*cut += size;
	}
	return 0;
}

static int cmp_start(const void *a, const void *b)
{
	const struct bm_range *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return 0;
}

void bm_ranges_sort(struct bm_ranges *list)
{
	sort(list->r, list->nr, sizeof(*list->r), cmp_start, NULL);
}
