/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of cblock share. */
#ifndef _CBLOCK_H
#define _CBLOCK_H

#include <linux/bits.h>
#include <linux/cblock.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include <kmemlab/command.h>

#include "arena.h"

/* Descriptors that a region keeps for callers who cannot sleep. */
#define CBLOCK_SPARES_MIN	16
#define CBLOCK_SPARES_MAX	64

/* The largest alignment, on every page size. */
#define CBLOCK_ALIGN_MAX	BIT_ULL(30)

/**
 * enum cblock_state - what is known of the free pages of a region
 * @CBLOCK_DIRTY: nothing; their bits tell
 * @CBLOCK_CLEANING: the same, but no more were freed since the cleaner began to
 *		     go through them
 * @CBLOCK_CLEAN: none is dirty
 */
enum cblock_state {
	CBLOCK_DIRTY,
	CBLOCK_CLEANING,
	CBLOCK_CLEAN,
};

/**
 * struct cblock_region - memory that is ours, as allocations see it
 *
 * The table of regions is complete before the first allocation and does not
 * change until the module goes, so that it is read without a lock.
 *
 * @node: in the table
 * @name: unique
 * @source: where it comes from, a word for the report
 * @of_node: its device-tree node, or NULL
 * @base: physical address, page aligned
 * @size: bytes, whole pages
 * @pages: its memory has struct pages
 * @vaddr: where the kernel sees all of it, cached; NULL if that would cost too
 *	   much address space (32 bits): then page by page
 * @put: give the memory back to where it came from; may be NULL
 * @priv: for @put
 * @lock: protects what follows; taken with interrupts off. Raw, so that with
 *	  PREEMPT_RT interrupt handlers can allocate too
 * @arena: positions count pages from the 1 GiB boundary at or below @base
 * @index: memory for @arena
 * @spares: unused descriptors, linked by @area.next
 * @nr_spares: their number
 * @dirty: bit n: page n may hold data of a former owner. Bits of pages that are
 *	   allocated belong to the owner of the block
 * @state: spares looking at @dirty
 * @cursors: readers of the report
 * @failed: allocations that found no room
 */
struct cblock_region {
	struct list_head node;
	char name[KML_NAME_MAX + 1];
	const char *source;
	struct device_node *of_node;
	phys_addr_t base;
	u64 size;
	bool pages;
	void *vaddr;
	void (*put)(struct cblock_region *region);
	void *priv;

	raw_spinlock_t lock;
	struct cblock_arena arena;
	void *index;
	struct cblock_area *spares;
	unsigned int nr_spares;
	unsigned long *dirty;
	enum cblock_state state;
	struct list_head cursors;
	u64 failed;
};

/**
 * struct cblock - one allocation
 * @area: its place
 * @region: where it is
 * @caller: code address that asked for it
 * @since: jiffies
 * @clean: it was known to be zero when it was allocated
 * @pid: the task that asked, 0 if none did
 * @comm: its name
 * @name: given by the user who asked, else empty
 */
struct cblock {
	struct cblock_area area;
	struct cblock_region *region;
	unsigned long caller;
	unsigned long since;
	bool clean;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	char name[KML_NAME_MAX + 1];
};

/**
 * struct cblock_cursor - a walk over a region that others change meanwhile
 * @node: in &cblock_region.cursors
 * @next: the area to visit next, or NULL; moves on when that one is freed
 */
struct cblock_cursor {
	struct list_head node;
	struct cblock_area *next;
};

extern struct list_head cblock_regions;

#define for_each_region(region) \
	list_for_each_entry(region, &cblock_regions, node)

static inline struct cblock *cblock_of_area(struct cblock_area *area)
{
	return container_of(area, struct cblock, area);
}

/* Page number of a block inside its region. */
static inline u32 cblock_page(const struct cblock *block)
{
	return block->area.start - block->region->arena.head.start;
}

static inline u64 cblock_offset(const struct cblock *block)
{
	return (u64)cblock_page(block) << PAGE_SHIFT;
}

static inline unsigned long cblock_pfn(const struct cblock *block)
{
	return PHYS_PFN(block->region->base) + cblock_page(block);
}

/* 0 stands for a page. */
static inline bool cblock_align_valid(u64 align)
{
	return !align || (is_power_of_2(align) && align <= CBLOCK_ALIGN_MAX);
}

static inline u32 region_pages(const struct cblock_region *region)
{
	return region->size >> PAGE_SHIFT;
}

/* region.c */
int cblock_core_init(void);
void cblock_core_exit(void);
struct cblock_region *cblock_region_add(const struct cblock_region *wanted);
void cblock_regions_remove(void);
u64 cblock_region_largest(struct cblock_region *region, u64 align);
struct cblock *cblock_alloc_for(struct cblock_region *region, u64 size,
				u64 align, unsigned int flags,
				unsigned long caller, const char *name);
void cblock_spares_fill(struct cblock_region *region, gfp_t gfp);
void cblock_cursor_start(struct cblock_region *region,
			 struct cblock_cursor *cursor);
bool cblock_cursor_next(struct cblock_region *region,
			struct cblock_cursor *cursor, struct cblock *copy);
void cblock_cursor_stop(struct cblock_region *region,
			struct cblock_cursor *cursor);

/* clean.c */
int cblock_clean_start(void);
void cblock_clean_stop(void);
void cblock_clean_wake(void);
void cblock_clean(struct cblock *block, bool nowait);
void cblock_wipe(struct cblock *block);

/* Each adds the regions of one source; those without a result go on. */
int cblock_add_ranges(void);
#ifdef CONFIG_CMA
int cblock_add_cma(void);
#else
static inline int cblock_add_cma(void) { return 0; }
#endif
#ifdef CONFIG_OF_RESERVED_MEM
void cblock_add_of(void);
#else
static inline void cblock_add_of(void) { }
#endif
#ifndef MODULE
void cblock_add_boot(void);
#else
static inline void cblock_add_boot(void) { }
#endif

/* proof.c */
int cblock_check_range(const char *name, phys_addr_t base, u64 size);
int cblock_prove_pages(const char *name, phys_addr_t base, u64 size);
int cblock_claim_range(const char *name, phys_addr_t base, u64 size,
		       bool unmapped);

/* report.c */
int cblock_report_open(struct file *file);
void cblock_report_release(struct file *file);

/* chardev.c */
extern struct kml_verdict cblock_verdict;
int cblock_chardev_init(void);
void cblock_chardev_exit(void);

/* debugfs.c */
void cblock_debugfs_init(void);
void cblock_debugfs_exit(void);

#endif /* _CBLOCK_H */
