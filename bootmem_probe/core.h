/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bitmap allocator of early boot, as a data structure: what bootmem did
 * until Linux 4.20, on page numbers alone. It touches no memory but its own
 * bitmaps, and also builds in user space (tests/bootmem).
 */
#ifndef _BOOTMEM_PROBE_CORE_H
#define _BOOTMEM_PROBE_CORE_H

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/types.h>

/* Bitmaps count in int. A node may span more where its RAM lies far apart. */
#define BOOTMAP_PAGES_MAX	((unsigned long)INT_MAX)

/**
 * struct bootmap_node - what one node's allocator knows
 * @list: in &bootmap.nodes, by address
 * @nid: the node's number
 * @min_pfn: its first page
 * @low_pfn: the page after its last
 * @map: one bit a page, 1 = reserved; NULL once everything is handed over
 * @map_pfn: the pages that the bitmap occupies in the node, as seen by
 *	     bootmap_free_all()
 * @hint_idx: index of the page where the next search starts
 * @last_end_off: end of the last allocation in bytes from @min_pfn; a small
 *		  one may continue in the same page
 */
struct bootmap_node {
	struct list_head list;
	int nid;
	unsigned long min_pfn;
	unsigned long low_pfn;
	unsigned long *map;
	unsigned long map_pfn;
	unsigned long hint_idx;
	u64 last_end_off;
};

/**
 * struct bootmap - all nodes of a machine
 * @nodes: of &struct bootmap_node
 * @why: the reason of the last refusal
 * @where: the address that @why speaks of
 *
 * Not locked: callers serialize.
 */
struct bootmap {
	struct list_head nodes;
	const char *why;
	u64 where;
};

/**
 * typedef bootmap_free_fn - takes the pages that bootmap_free_all() hands over
 * @arg: the caller's
 * @pfn: first page, aligned to @order
 * @order: log2 of the number of pages
 */
typedef void bootmap_free_fn(void *arg, unsigned long pfn, unsigned int order);

void bootmap_init(struct bootmap *bm);
unsigned long bootmap_map_longs(unsigned long pages);
unsigned long bootmap_map_pages(unsigned long pages);
int bootmap_add_node(struct bootmap *bm, struct bootmap_node *node, int nid,
		     unsigned long *map, unsigned long map_pfn,
		     unsigned long min_pfn, unsigned long low_pfn);
int bootmap_reserve(struct bootmap *bm, u64 addr, u64 size, bool exclusive);
int bootmap_free(struct bootmap *bm, u64 addr, u64 size);
int bootmap_alloc(struct bootmap *bm, u64 size, u64 align, u64 goal, u64 limit,
		  u64 *addr);
int bootmap_free_all(struct bootmap *bm, bootmap_free_fn *hand_over, void *arg,
		     unsigned long *pages);
unsigned long bootmap_run(const struct bootmap_node *node, unsigned long pfn,
			  bool *reserved);

#endif /* _BOOTMEM_PROBE_CORE_H */
