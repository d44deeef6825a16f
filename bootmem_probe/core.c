// SPDX-License-Identifier: GPL-2.0
/*
 * The bitmap allocator of early boot: see core.h. Where the original had a
 * BUG(), here the call is refused with a reason and nothing changes; where it
 * went bit by bit, here it goes by words.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "core.h"

#define for_each_bootmap_node(node, bm) \
	list_for_each_entry(node, &(bm)->nodes, list)

/* A page number aligned up to this cannot wrap: no address space is so large. */
#define ALIGN_PAGES_MAX		(1UL << (BITS_PER_LONG - 2))

static int refuse(struct bootmap *bm, int err, u64 pfn, const char *why)
{
	bm->why = why;
	bm->where = pfn << PAGE_SHIFT;
	return err;
}

/**
 * bootmap_init - start with no node
 * @bm: the model
 */
void bootmap_init(struct bootmap *bm)
{
	INIT_LIST_HEAD(&bm->nodes);
	bm->why = NULL;
	bm->where = 0;
}

/**
 * bootmap_map_longs - the size of a node's bitmap
 * @pages: of the node
 *
 * Return: number of longs.
 */
unsigned long bootmap_map_longs(unsigned long pages)
{
	return BITS_TO_LONGS(pages);
}

/**
 * bootmap_map_pages - what a node's bitmap costs the node
 * @pages: of the node
 *
 * Return: number of pages.
 */
unsigned long bootmap_map_pages(unsigned long pages)
{
	return DIV_ROUND_UP(bootmap_map_longs(pages) * sizeof(long), PAGE_SIZE);
}

/**
 * bootmap_add_node - set up a node, every page of it reserved
 * @bm: the model
 * @node: the descriptor; the caller keeps it as long as @bm
 * @nid: number of the node
 * @map: room for bootmap_map_longs() longs
 * @map_pfn: where in the node the bitmap counts as stored
 * @min_pfn: first page
 * @low_pfn: the page after the last
 *
 * Return: 0; -E2BIG for more than BOOTMAP_PAGES_MAX pages; -EINVAL for an empty
 * node, a bitmap outside it, or a node that overlaps another.
 */
int bootmap_add_node(struct bootmap *bm, struct bootmap_node *node, int nid,
		     unsigned long *map, unsigned long map_pfn,
		     unsigned long min_pfn, unsigned long low_pfn)
{
	struct bootmap_node *next;

	if (min_pfn >= low_pfn)
		return refuse(bm, -EINVAL, min_pfn, "an empty node");
	if (low_pfn - min_pfn > BOOTMAP_PAGES_MAX)
		return refuse(bm, -E2BIG, min_pfn, "more pages than a bitmap takes");
	if (map_pfn < min_pfn || map_pfn >= low_pfn ||
	    low_pfn - map_pfn < bootmap_map_pages(low_pfn - min_pfn))
		return refuse(bm, -EINVAL, map_pfn, "a bitmap outside its node");
	for_each_bootmap_node(next, bm) {
		if (min_pfn < next->low_pfn && next->min_pfn < low_pfn)
			return refuse(bm, -EINVAL, next->min_pfn,
				      "two nodes overlap");
		if (next->min_pfn > min_pfn)
			break;
	}

	node->nid = nid;
	node->min_pfn = min_pfn;
	node->low_pfn = low_pfn;
	node->map = map;
	node->map_pfn = map_pfn;
	node->hint_idx = 0;
	node->last_end_off = 0;
	bitmap_fill(map, low_pfn - min_pfn);
	list_add_tail(&node->list, &next->list);
	return 0;
}

/*
 * Check that [start, end) lies in nodes that adjoin, and that mark() can then
 * not fail: nothing of it is reserved already (exclusive), or all of it is
 * (free).
 */
static int check(struct bootmap *bm, unsigned long start, unsigned long end,
		 bool reserve, bool exclusive)
{
	struct bootmap_node *node;
	unsigned long pos = start;

	for_each_bootmap_node(node, bm) {
		unsigned long from, to, bad;

		if (pos < node->min_pfn || pos >= node->low_pfn) {
			if (pos != start)
				break;
			continue;
		}
		if (!node->map)
			return refuse(bm, -EINVAL, pos,
				      "free_all has dissolved the bitmap");
		from = pos - node->min_pfn;
		to = min(node->low_pfn, end) - node->min_pfn;
		if (!reserve)
			bad = find_next_zero_bit(node->map, to, from);
		else if (exclusive)
			bad = find_next_bit(node->map, to, from);
		else
			bad = to;
		if (bad < to)
			return refuse(bm, reserve ? -EBUSY : -EINVAL,
				      node->min_pfn + bad,
				      reserve ? "already reserved" :
						"not reserved");
		pos = node->min_pfn + to;
		if (pos == end)
			return 0;
	}
	return refuse(bm, -ERANGE, pos, "in no node");
}

/* Carry out what check() has allowed. */
static void mark(struct bootmap *bm, unsigned long start, unsigned long end,
		 bool reserve)
{
	struct bootmap_node *node;

	for_each_bootmap_node(node, bm) {
		unsigned long from = max(node->min_pfn, start);
		unsigned long to = min(node->low_pfn, end);

		if (from >= to)
			continue;
		if (reserve) {
			bitmap_set(node->map, from - node->min_pfn, to - from);
			continue;
		}
		/* low addresses first: less fragmentation */
		node->hint_idx = min(node->hint_idx, from - node->min_pfn);
		bitmap_clear(node->map, from - node->min_pfn, to - from);
	}
}

/* The range in page numbers, in 64 bits: a user's address may be anything. */
static int check_and_mark(struct bootmap *bm, u64 start, u64 end, bool reserve,
			  bool exclusive)
{
	int err;

	if (start > ULONG_MAX || end > ULONG_MAX)
		return refuse(bm, -ERANGE, start, "in no node");
	err = check(bm, start, end, reserve, exclusive);
	if (!err)
		mark(bm, start, end, reserve);
	return err;
}

/* addr + size may be 2^64 at most; one less is exact enough for whole pages. */
static int last_byte(struct bootmap *bm, u64 addr, u64 size, u64 *last)
{
	if (!size)
		return refuse(bm, -EINVAL, addr >> PAGE_SHIFT, "a size of zero");
	*last = addr + size - 1;
	if (*last < addr)
		return refuse(bm, -ERANGE, addr >> PAGE_SHIFT,
			      "the range wraps around");
	return 0;
}

/**
 * bootmap_reserve - mark every page that a range touches as reserved
 * @bm: the model
 * @addr: physical address
 * @size: bytes
 * @exclusive: refuse if any of it is reserved already
 *
 * Return: 0; -EINVAL for a size of zero, -ERANGE for a range that wraps or
 * leaves the nodes, -EBUSY for an exclusive range that is not free. Nothing
 * has changed then, and @bm->why says what was wrong.
 */
int bootmap_reserve(struct bootmap *bm, u64 addr, u64 size, bool exclusive)
{
	u64 last;
	int err = last_byte(bm, addr, size, &last);

	if (err)
		return err;
	return check_and_mark(bm, addr >> PAGE_SHIFT, (last >> PAGE_SHIFT) + 1,
			      true, exclusive);
}

/**
 * bootmap_free - free every page that lies wholly in a range
 * @bm: the model
 * @addr: physical address
 * @size: bytes
 *
 * Return: 0; -EINVAL for a range without a whole page or with a page that is
 * not reserved, -ERANGE for one that wraps or leaves the nodes. Nothing has
 * changed then, and @bm->why says what was wrong.
 */
int bootmap_free(struct bootmap *bm, u64 addr, u64 size)
{
	u64 last, start, end;
	int err = last_byte(bm, addr, size, &last);

	if (err)
		return err;
	start = (addr >> PAGE_SHIFT) + !!(addr & (PAGE_SIZE - 1));
	end = (last >> PAGE_SHIFT) + !(~last & (PAGE_SIZE - 1));
	if (start >= end)
		return refuse(bm, -EINVAL, start, "no whole page in the range");
	return check_and_mark(bm, start, end, false, false);
}

static unsigned long align_idx(const struct bootmap_node *node,
			       unsigned long idx, unsigned long step)
{
	return ALIGN(node->min_pfn + idx, step) - node->min_pfn;
}

/*
 * Where the bytes of an allocation start that gets the pages from @sidx: in
 * the page before, if the last allocation ended inside it and it has not been
 * freed since.
 */
static u64 start_off(const struct bootmap_node *node, unsigned long sidx,
		     u64 align)
{
	u64 base = (u64)node->min_pfn << PAGE_SHIFT;
	u64 last = node->last_end_off;

	if (!(last & (PAGE_SIZE - 1)) || (last >> PAGE_SHIFT) + 1 != sidx ||
	    !test_bit(sidx - 1, node->map))
		return (u64)sidx << PAGE_SHIFT;
	return ALIGN(base + last, align) - base;
}

static bool node_alloc(struct bootmap_node *node, u64 size, u64 align,
		       u64 goal, u64 limit, u64 *addr)
{
	unsigned long step = max_t(u64, align >> PAGE_SHIFT, 1);
	unsigned long pages, sidx, midx, used, fallback;
	u64 max = node->low_pfn, off;
	bool again = false;

	if (limit && max > limit)
		max = limit;
	if (!node->map || max <= node->min_pfn)
		return false;
	midx = max - node->min_pfn;
	if ((size - 1) >> PAGE_SHIFT >= midx)
		return false;
	pages = ((size - 1) >> PAGE_SHIFT) + 1;

	sidx = align_idx(node, node->min_pfn < goal && goal < max ?
			       goal - node->min_pfn : 0, step);
	fallback = sidx;
	if (node->hint_idx > sidx) {
		again = true;
		sidx = align_idx(node, node->hint_idx, step);
	}
search:
	while (sidx < midx) {
		sidx = find_next_zero_bit(node->map, midx, sidx);
		sidx = align_idx(node, sidx, step);
		if (sidx >= midx || pages > midx - sidx)
			break;
		used = find_next_bit(node->map, sidx + pages, sidx);
		if (used >= sidx + pages)
			goto found;
		sidx = align_idx(node, used + 1, step);
	}
	if (!again)
		return false;
	again = false;
	sidx = fallback;
	goto search;

found:
	off = start_off(node, sidx, align);
	node->last_end_off = off + size;
	node->hint_idx = DIV_ROUND_UP_ULL(node->last_end_off, PAGE_SIZE);
	/* the shared page is reserved already */
	bitmap_set(node->map, sidx, node->hint_idx - sidx);
	*addr = ((u64)node->min_pfn << PAGE_SHIFT) + off;
	return true;
}

/**
 * bootmap_alloc - first fit, from the goal or where the last one ended
 * @bm: the model
 * @size: bytes
 * @align: bytes, a power of two
 * @goal: physical address to look from, 0 = anywhere; dropped if nothing is
 *	  free above it
 * @limit: physical address to stay below, 0 = none
 * @addr: the physical address found
 *
 * Return: 0; -EINVAL for a size of zero, an alignment that is no power of two,
 * or a goal and size beyond the limit; -ENOMEM when nothing fits.
 */
int bootmap_alloc(struct bootmap *bm, u64 size, u64 align, u64 goal, u64 limit,
		  u64 *addr)
{
	struct bootmap_node *node;

	if (!size)
		return refuse(bm, -EINVAL, 0, "a size of zero");
	if (!align || align & (align - 1))
		return refuse(bm, -EINVAL, 0, "an alignment that is no power of two");
	if (limit && (goal > limit || size > limit - goal))
		return refuse(bm, -EINVAL, 0, "goal and size reach beyond the limit");
	if (align >> PAGE_SHIFT > ALIGN_PAGES_MAX)
		return refuse(bm, -ENOMEM, 0, "nothing is aligned like that");

	goal >>= PAGE_SHIFT;
	/* below one page there is nothing, but 0 means no limit */
	if (limit && !(limit >>= PAGE_SHIFT))
		return refuse(bm, -ENOMEM, 0, "no free range is large enough");
retry:
	for_each_bootmap_node(node, bm) {
		if (goal && node->low_pfn <= goal)
			continue;
		if (limit && node->min_pfn >= limit)
			break;
		if (node_alloc(node, size, align, goal, limit, addr))
			return 0;
	}
	if (goal) {
		goal = 0;
		goto retry;
	}
	return refuse(bm, -ENOMEM, 0, "no free range is large enough");
}

static unsigned long node_free_all(struct bootmap_node *node,
				   bootmap_free_fn *hand_over, void *arg)
{
	unsigned long bits = node->low_pfn - node->min_pfn;
	unsigned long idx, end, count = 0;
	unsigned long map_idx = node->map_pfn - node->min_pfn;
	unsigned long map_end = map_idx + bootmap_map_pages(bits);

	for (idx = find_next_zero_bit(node->map, bits, 0); idx < bits;
	     idx = find_next_zero_bit(node->map, bits, end)) {
		unsigned long pfn = node->min_pfn + idx, stop;

		end = find_next_bit(node->map, bits, idx);
		count += end - idx;
		stop = node->min_pfn + end;
		while (pfn < stop) {
			unsigned int order = 0;

			if (IS_ALIGNED(pfn, BITS_PER_LONG) &&
			    stop - pfn >= BITS_PER_LONG)
				order = ilog2(BITS_PER_LONG);
			hand_over(arg, pfn, order);
			pfn += 1UL << order;
		}
	}

	/* what held the bitmap is free memory now, unless it was freed before */
	for (idx = map_idx; idx < map_end; idx++) {
		if (!test_bit(idx, node->map))
			continue;
		hand_over(arg, node->min_pfn + idx, 0);
		count++;
	}
	node->map = NULL;
	return count;
}

/**
 * bootmap_free_all - the end of boot: every free page goes to the buddy
 * @bm: the model; it can allocate nothing afterwards
 * @hand_over: called for every block of pages
 * @arg: for @hand_over
 * @pages: number of pages handed over, the bitmaps' own included
 *
 * Return: 0; -EINVAL if it was done before.
 */
int bootmap_free_all(struct bootmap *bm, bootmap_free_fn *hand_over, void *arg,
		     unsigned long *pages)
{
	struct bootmap_node *node;

	*pages = 0;
	for_each_bootmap_node(node, bm) {
		if (!node->map)
			return refuse(bm, -EINVAL, node->min_pfn,
				      "free_all has dissolved the bitmap");
		*pages += node_free_all(node, hand_over, arg);
	}
	return 0;
}

/**
 * bootmap_run - the run of equal pages that starts at a page
 * @node: the node, its bitmap still there
 * @pfn: a page of the node
 * @reserved: whether the run is reserved
 *
 * Return: the page after the run.
 */
unsigned long bootmap_run(const struct bootmap_node *node, unsigned long pfn,
			  bool *reserved)
{
	unsigned long bits = node->low_pfn - node->min_pfn;
	unsigned long idx = pfn - node->min_pfn;

	*reserved = test_bit(idx, node->map);
	if (*reserved)
		idx = find_next_zero_bit(node->map, bits, idx);
	else
		idx = find_next_bit(node->map, bits, idx);
	return node->min_pfn + idx;
}
