// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/mm.h>

#include "reference.h"

void ref_add_node(struct ref *ref, u64 map_pfn, u64 min, u64 low)
{
	struct ref_node *node = &ref->node[ref->nr++];

	memset(node, 0, sizeof(*node));
	node->min = min;
	node->low = low;
	node->map_pfn = map_pfn;
	memset(node->reserved, 1, low - min);
}

static struct ref_node *node_of(struct ref *ref, u64 pfn)
{
	int i;

	for (i = 0; i < ref->nr; i++)
		if (ref->node[i].min <= pfn && pfn < ref->node[i].low)
			return &ref->node[i];
	return NULL;
}

static unsigned char *page(struct ref *ref, u64 pfn)
{
	struct ref_node *node = node_of(ref, pfn);

	return node ? &node->reserved[pfn - node->min] : NULL;
}

int ref_reserve(struct ref *ref, u64 addr, u64 size, bool exclusive)
{
	unsigned __int128 end = ((unsigned __int128)addr + size + PAGE_SIZE - 1) / PAGE_SIZE;
	u64 pfn;

	if (!size)
		return -EINVAL;
	if ((unsigned __int128)addr + size > (unsigned __int128)1 << 64)
		return -ERANGE;
	for (pfn = addr / PAGE_SIZE; pfn < end; pfn++) {
		if (!node_of(ref, pfn))
			return -ERANGE;
		if (node_of(ref, pfn)->dissolved)
			return -EINVAL;
		if (exclusive && *page(ref, pfn))
			return -EBUSY;
	}
	for (pfn = addr / PAGE_SIZE; pfn < end; pfn++)
		*page(ref, pfn) = 1;
	return 0;
}

int ref_free(struct ref *ref, u64 addr, u64 size)
{
	u64 start = ((unsigned __int128)addr + PAGE_SIZE - 1) / PAGE_SIZE;
	u64 end = ((unsigned __int128)addr + size) / PAGE_SIZE, pfn;

	if (!size)
		return -EINVAL;
	if ((unsigned __int128)addr + size > (unsigned __int128)1 << 64)
		return -ERANGE;
	if (start >= end)
		return -EINVAL;
	for (pfn = start; pfn < end; pfn++) {
		if (!node_of(ref, pfn))
			return -ERANGE;
		if (node_of(ref, pfn)->dissolved || !*page(ref, pfn))
			return -EINVAL;
	}
	for (pfn = start; pfn < end; pfn++) {
		struct ref_node *node = node_of(ref, pfn);

		*page(ref, pfn) = 0;
		if (node->hint > pfn - node->min)
			node->hint = pfn - node->min;
	}
	return 0;
}

/* The first index >= @from where @size bytes fit; REF_PAGES for none. */
static u64 fit(struct ref_node *node, u64 from, u64 max, u64 size, u64 align)
{
	u64 idx, i;

	for (idx = from; idx < REF_PAGES; idx++) {
		if ((unsigned __int128)(node->min + idx) * PAGE_SIZE % max(align, PAGE_SIZE))
			continue;
		for (i = idx; (i - idx) * PAGE_SIZE < size; i++)
			if (node->min + i >= max || node->reserved[i])
				break;
		if ((i - idx) * PAGE_SIZE >= size)
			return idx;
	}
	return REF_PAGES;
}

static bool alloc_at(struct ref_node *node, u64 size, u64 align, u64 goal,
		     u64 limit, u64 *addr)
{
	u64 max = limit && limit < node->low ? limit : node->low;
	u64 from = node->min < goal && goal < max ? goal - node->min : 0;
	u64 idx, start, i;

	if (node->dissolved || max <= node->min ||
	    size > REF_PAGES * PAGE_SIZE)
		return false;
	/* the hint counts from the aligned start, as the original has it */
	while ((unsigned __int128)(node->min + from) * PAGE_SIZE % max(align, PAGE_SIZE) &&
	       from < REF_PAGES)
		from++;
	idx = fit(node, max(from, node->hint), max, size, align);
	if (idx == REF_PAGES && node->hint > from)
		idx = fit(node, from, max, size, align);
	if (idx == REF_PAGES)
		return false;

	start = idx * PAGE_SIZE;
	if (node->last_end % PAGE_SIZE && node->last_end / PAGE_SIZE + 1 == idx &&
	    node->reserved[idx - 1]) {
		start = node->last_end;
		while ((node->min * PAGE_SIZE + start) % align)
			start++;
	}
	for (i = idx; i * PAGE_SIZE < start + size; i++)
		node->reserved[i] = 1;
	node->last_end = start + size;
	node->hint = i;
	*addr = node->min * PAGE_SIZE + start;
	return true;
}

int ref_alloc(struct ref *ref, u64 size, u64 align, u64 goal, u64 limit,
	      u64 *addr)
{
	int i;

	if (!size || !align || align & (align - 1))
		return -EINVAL;
	if (limit && (unsigned __int128)goal + size > limit)
		return -EINVAL;
	if (limit && limit < PAGE_SIZE)
		return -ENOMEM;
	goal /= PAGE_SIZE;
	limit /= PAGE_SIZE;
	for (;;) {
		for (i = 0; i < ref->nr; i++) {
			struct ref_node *node = &ref->node[i];

			if (goal && node->low <= goal)
				continue;
			if (limit && node->min >= limit)
				break;
			if (alloc_at(node, size, align, goal, limit, addr))
				return 0;
		}
		if (!goal)
			return -ENOMEM;
		goal = 0;
	}
}

int ref_free_all(struct ref *ref)
{
	int i;
	u64 pfn;

	ref->handed_over = 0;
	for (i = 0; i < ref->nr; i++) {
		struct ref_node *node = &ref->node[i];
		u64 maps = bootmap_map_pages(node->low - node->min);

		if (node->dissolved)
			return -EINVAL;
		for (pfn = node->min; pfn < node->low; pfn++)
			if (!*page(ref, pfn) ||
			    (pfn >= node->map_pfn && pfn < node->map_pfn + maps))
				ref->handed_over++;
		node->dissolved = true;
	}
	return 0;
}

#define agree(cond, ...) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond); \
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		abort();						\
	}								\
} while (0)

/* Nodes that adjoin, that do not, one page large, starting at page 0. */
static const struct { u64 min, low; } layouts[][REF_NODES] = {
	{ { 0, 1000 } },
	{ { 64, 320 }, { 320, 900 } },
	{ { 1, 2 }, { 3, 500 }, { 600, 1237 }, { 1237, 1300 } },
	{ { 0x40000, 0x40400 }, { 0x40400, 0x40433 }, { 0x80007, 0x80100 } },
};

void pair_init(struct pair *pair, unsigned int layout)
{
	int i;

	layout %= ARRAY_SIZE(layouts);
	bootmap_init(&pair->bm);
	pair->ref.nr = 0;
	for (i = 0; i < REF_NODES && layouts[layout][i].low; i++) {
		u64 min = layouts[layout][i].min, low = layouts[layout][i].low;
		int err;

		ref_add_node(&pair->ref, (min + low) / 2, min, low);
		err = bootmap_add_node(&pair->bm, &pair->node[i], i,
				       pair->map[i], (min + low) / 2, min, low);
		agree(!err, "node %d: %s", i, pair->bm.why);
	}
}

void pair_compare(struct pair *pair)
{
	int i;

	for (i = 0; i < pair->ref.nr; i++) {
		struct bootmap_node *node = &pair->node[i];
		struct ref_node *ref = &pair->ref.node[i];
		u64 pfn;

		agree(!node->map == ref->dissolved, "node %d", i);
		agree(node->hint_idx == ref->hint, "node %d: %lu, %lu", i,
		      node->hint_idx, (unsigned long)ref->hint);
		agree(node->last_end_off == ref->last_end, "node %d", i);
		for (pfn = ref->min; node->map && pfn < ref->low; pfn++)
			agree(test_bit(pfn - ref->min, node->map) ==
			      ref->reserved[pfn - ref->min],
			      "page %#lx", (unsigned long)pfn);
	}
}

void pair_reserve(struct pair *pair, u64 addr, u64 size, bool exclusive)
{
	int got = bootmap_reserve(&pair->bm, addr, size, exclusive);
	int want = ref_reserve(&pair->ref, addr, size, exclusive);

	agree(got == want, "reserve %#lx %#lx %d: %d, %d", addr, size,
	      exclusive, got, want);
}

void pair_free(struct pair *pair, u64 addr, u64 size)
{
	int got = bootmap_free(&pair->bm, addr, size);
	int want = ref_free(&pair->ref, addr, size);

	agree(got == want, "free %#lx %#lx: %d, %d", addr, size, got, want);
}

void pair_alloc(struct pair *pair, u64 size, u64 align, u64 goal, u64 limit)
{
	u64 got_addr = 0, want_addr = 0;
	int got = bootmap_alloc(&pair->bm, size, align, goal, limit, &got_addr);
	int want = ref_alloc(&pair->ref, size, align, goal, limit, &want_addr);

	agree(got == want && got_addr == want_addr,
	      "alloc %#lx %#lx %#lx %#lx: %d %#lx, %d %#lx", size, align, goal,
	      limit, got, got_addr, want, want_addr);
}

struct handed {
	struct pair *pair;
	u64 pages;
};

static void count(void *arg, unsigned long pfn, unsigned int order)
{
	struct handed *handed = arg;

	agree(order == 0 || order == ilog2(BITS_PER_LONG), "order %u", order);
	agree(IS_ALIGNED(pfn, 1UL << order), "page %#lx order %u", pfn, order);
	agree(page(&handed->pair->ref, pfn) &&
	      page(&handed->pair->ref, pfn + (1UL << order) - 1),
	      "page %#lx order %u is in no node", pfn, order);
	handed->pages += 1UL << order;
}

void pair_free_all(struct pair *pair)
{
	struct handed handed = { .pair = pair };
	unsigned long pages;
	int got = bootmap_free_all(&pair->bm, count, &handed, &pages);
	int want = ref_free_all(&pair->ref);

	agree(got == want, "free_all: %d, %d", got, want);
	agree(pages == handed.pages, "free_all: %lu", pages);
	if (!got)
		agree(pages == pair->ref.handed_over, "free_all: %lu pages, %lu",
		      pages, (unsigned long)pair->ref.handed_over);
}
