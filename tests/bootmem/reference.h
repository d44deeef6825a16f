/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of bootmem once more, as plainly as they can be said: a byte a
 * page, one page at a time, every refusal found before the first change. What
 * bootmem_probe/core.c does must look the same from outside.
 */
#ifndef _REFERENCE_H
#define _REFERENCE_H

#include "core.h"

#define REF_NODES	4
#define REF_PAGES	1024

struct ref_node {
	u64 min, low;		/* page numbers; low is exclusive */
	u64 map_pfn;
	u64 hint;		/* index of a page */
	u64 last_end;		/* bytes from the node's start */
	unsigned char reserved[REF_PAGES];
	bool dissolved;
};

struct ref {
	int nr;
	struct ref_node node[REF_NODES];
	u64 handed_over;
};

void ref_add_node(struct ref *ref, u64 map_pfn, u64 min, u64 low);
int ref_reserve(struct ref *ref, u64 addr, u64 size, bool exclusive);
int ref_free(struct ref *ref, u64 addr, u64 size);
int ref_alloc(struct ref *ref, u64 size, u64 align, u64 goal, u64 limit,
	      u64 *addr);
int ref_free_all(struct ref *ref);

/* Both sides set up alike, driven alike, compared. */
struct pair {
	struct bootmap bm;
	struct bootmap_node node[REF_NODES];
	unsigned long map[REF_NODES][REF_PAGES / (8 * sizeof(long))];
	struct ref ref;
};

void pair_init(struct pair *pair, unsigned int layout);
void pair_reserve(struct pair *pair, u64 addr, u64 size, bool exclusive);
void pair_free(struct pair *pair, u64 addr, u64 size);
void pair_alloc(struct pair *pair, u64 size, u64 align, u64 goal, u64 limit);
void pair_free_all(struct pair *pair);
void pair_compare(struct pair *pair);

#endif /* _REFERENCE_H */
