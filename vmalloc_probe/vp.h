/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of vmalloc_probe share. */
#ifndef _VMALLOC_PROBE_H
#define _VMALLOC_PROBE_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>

#include <kmemlab/command.h>

#include "../compat/vmalloc.h"

extern struct kml_verdict vp_verdict;

/* --- areas.c: the kernel's areas ------------------------------------------- */

/* The vmalloc range in whole pages; VMALLOC_END is the last byte on x86. */
#define VP_START	((unsigned long)VMALLOC_START)
#define VP_END		((unsigned long)VMALLOC_END & PAGE_MASK)

enum vp_kind {
	VP_VMALLOC,
	VP_VMAP,
	VP_IOREMAP,
	VP_MAP_RAM,
	VP_DMA,		/* dma_alloc_coherent() and friends */
	VP_MODULE,	/* modules and other executable memory */
	VP_OTHER,	/* being set up or torn down, or of no known kind */
	VP_LAZY,	/* freed, not purged yet */
	VP_KINDS
};

extern const char *const vp_kind_names[VP_KINDS];

/**
 * struct vp_area - one area of a snapshot
 * @node: in &vp_snapshot.areas, by address
 * @caller_node: in &vp_snapshot.callers, for the first area of each caller
 * @map: what the kernel said
 * @kind: what it is used for
 * @caller_areas: areas with the same caller; in the first of them only
 * @caller_bytes: their bytes; likewise
 * @caller_pages: their pages; likewise
 */
struct vp_area {
	struct list_head node;
	struct list_head caller_node;
	struct kml_vmap map;
	enum vp_kind kind;
	unsigned long caller_areas;
	u64 caller_bytes;
	u64 caller_pages;
};

/**
 * struct vp_snapshot - all areas as they were met, one after the other
 * @areas: &struct vp_area by address, lazily freed ones among them
 * @callers: the first area of each caller, by bytes, largest first
 * @chunks: the pages that hold the areas
 * @nr: number of @areas
 * @held_max: longest time in ns for which a lock of the kernel was held
 * @held_sum: all such times
 */
struct vp_snapshot {
	struct list_head areas;
	struct list_head callers;
	struct list_head chunks;
	unsigned long nr;
	u64 held_max;
	u64 held_sum;
};

struct vp_snapshot *vp_snapshot_take(void);
void vp_snapshot_free(struct vp_snapshot *snapshot);
bool vp_area_at(const void *addr, struct kml_vmap *area);
unsigned long vp_own_areas(void);

static inline unsigned long vp_area_size(const struct vp_area *area)
{
	return area->map.end - area->map.start;
}

/* In the vmalloc range, or beside it as most architectures' modules are? */
static inline bool vp_in_range(unsigned long addr)
{
	return addr >= VP_START && addr < VP_END;
}

/* --- usage.c: what a snapshot amounts to ------------------------------------ */

struct vp_tally {
	unsigned long areas;
	u64 bytes;
	u64 pages;
};

/**
 * struct vp_usage - the vmalloc range in numbers
 * @used: areas that occupy the range, guard pages included; lazily freed ones
 *	  do not
 * @outside: areas outside the range
 * @kinds: areas by kind, in the range or outside
 * @holes: number of holes
 * @hole_bytes: what is not used
 * @largest: size of the largest hole
 * @largest_at: its address
 * @classes: holes by size: class n holds those of [2^n, 2^(n+1)) bytes
 */
struct vp_usage {
	struct vp_tally used;
	struct vp_tally outside;
	struct vp_tally kinds[VP_KINDS];
	unsigned long holes;
	u64 hole_bytes;
	unsigned long largest;
	unsigned long largest_at;
	struct vp_tally classes[BITS_PER_LONG];
};

void vp_usage_count(const struct vp_snapshot *snapshot, struct vp_usage *usage);
unsigned int vp_fragmentation(const struct vp_usage *usage);

/* --- memory.c, fill.c, alloc.c: allocations of our own ----------------------- */

#define VP_ALLOCS_MAX	1024
#define VP_NODES	8	/* nodes that are counted one by one */

/**
 * struct vp_request - what an allocation is to be like
 * @size: bytes, at least 1
 * @align: power of two
 * @gfp: allocation flags
 * @node: NUMA node or NUMA_NO_NODE
 * @huge: huge pages are welcome
 * @unreferenced: keep the address where kmemleak does not see it
 * @name: name, or "" for one of our choice
 */
struct vp_request {
	u64 size;
	u64 align;
	gfp_t gfp;
	int node;
	bool huge;
	bool unreferenced;
	char name[KML_NAME_MAX + 1];
};

/**
 * struct vp_memory - vmalloc'ed memory with a pattern in it
 * @base: what vmalloc() returned, XOR @mask
 * @mask: hides @base from kmemleak where it is not 0
 * @offset: bytes from there to the aligned block
 * @size: bytes of the block, whole pages
 * @seed: what the pattern starts from
 */
struct vp_memory {
	unsigned long base;
	unsigned long mask;
	unsigned long offset;
	unsigned long size;
	u64 seed;
};

static inline void *vp_memory_base(const struct vp_memory *memory)
{
	return (void *)(memory->base ^ memory->mask);
}

static inline void *vp_memory_block(const struct vp_memory *memory)
{
	return vp_memory_base(memory) + memory->offset;
}

int vp_memory_get(struct vp_memory *memory, const struct vp_request *request);
int vp_memory_check(const struct vp_memory *memory);
void vp_memory_corrupt(const struct vp_memory *memory, unsigned long byte);
int vp_memory_put(struct vp_memory *memory);

/**
 * struct vp_fill - areas that all map one page
 * @areas: their addresses
 * @nr: how many
 * @size: bytes of each
 * @page: the page
 */
struct vp_fill {
	struct xarray areas;
	unsigned long nr;
	unsigned long size;
	struct page *page;
};

struct vp_fill *vp_fill_take(unsigned long size, u64 count);
void vp_fill_corrupt(struct vp_fill *fill);
int vp_fill_free(struct vp_fill *fill);

int vp_alloc(struct vp_request *request);
int vp_fill(u64 size, u64 count, const char *name);
int vp_free(const char *name);
int vp_free_all(void);
int vp_corrupt(const char *name, const u64 *at);
int vp_dump_select(const char *name);
void vp_allocs_show(struct seq_file *m);
extern const struct seq_operations vp_dump_ops;

/* --- check.c, check-pages.c: the contract ---------------------------------- */

int vp_check(bool zero);
void vp_check_show(struct seq_file *m);

/* --- storm.c: everything at once ------------------------------------------- */

int vp_storm(const char *name, u64 operations, bool corrupt);
void vp_storm_show(struct seq_file *m);

/* --- the interface ----------------------------------------------------------- */

void vp_caller_show(struct seq_file *m, const struct vp_area *area);

int vp_chardev_init(void);
void vp_chardev_exit(void);
void vp_debugfs_init(void);
void vp_debugfs_exit(void);

#endif /* _VMALLOC_PROBE_H */
