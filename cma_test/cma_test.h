/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cma_test: allocate from the kernel's CMA areas by hand and watch who does.
 *
 *	areas.c		which areas there are and how each is reached
 *	blocks.c	named allocations and the ten classic slots
 *	scan.c		what the pages of an area are, and what would fit
 *	chardev.c	/dev/cma_test
 *	debugfs.c	the reports
 */
#ifndef _CMA_TEST_H
#define _CMA_TEST_H

#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <kmemlab/command.h>

#include "../compat/cma.h"

struct seq_file;

/* Explains the last refused command; shared by everything that refuses. */
extern struct kml_verdict ct_verdict;

/* -- areas.c -- */

/**
 * enum ct_route - how an area is reached
 * @CT_EXPORTS: cma_alloc() as the kernel exports it (7.1 and newer)
 * @CT_RESOLVED: cma_alloc() through an address taken from a kprobe
 * @CT_DEVICE_TREE: the DMA API on a device that is given the area of a
 *	reserved-memory node
 * @CT_DMA: the DMA API, which picks the default area
 */
enum ct_route { CT_EXPORTS, CT_RESOLVED, CT_DEVICE_TREE, CT_DMA };

/**
 * struct ct_area - one CMA area; constant while the module is loaded
 * @list: in the order of discovery
 * @name: the kernel's name for it
 * @cma: the kernel's handle, NULL where only the DMA API reaches the area
 * @base: first page frame number
 * @pages: length, 0 where the bounds cannot be learned
 * @route: how it is reached
 * @bounds: how @base and @pages were learned
 * @dev: allocates for via=dma: a driver's device that uses this area
 * @is_default: the area of devices that have none of their own
 */
struct ct_area {
	struct list_head list;
	char name[CMA_MAX_NAME];
	struct cma *cma;
	unsigned long base;
	unsigned long pages;
	enum ct_route route;
	const char *bounds;
	struct device *dev;
	bool is_default;
};

/* Constant between ct_areas_init() and ct_areas_exit(). */
extern struct list_head ct_areas;

#define ct_for_each_area(area) list_for_each_entry(area, &ct_areas, list)

/**
 * enum ct_via - which way an allocation takes
 * @CT_VIA_BEST: cma_alloc() where it can be called, else the DMA API
 * @CT_VIA_CMA: cma_alloc() or failure
 * @CT_VIA_DMA: dma_alloc_attrs(), as a driver would, wherever it leads
 */
enum ct_via { CT_VIA_BEST, CT_VIA_CMA, CT_VIA_DMA };

/**
 * struct ct_run - physically contiguous pages that we hold
 * @area: where they were asked for
 * @pfn: the first page
 * @pages: how many
 * @cpu: kernel address, NULL if they came from cma_alloc()
 * @dma: bus address, valid with @cpu
 */
struct ct_run {
	struct ct_area *area;
	unsigned long pfn;
	unsigned long pages;
	void *cpu;
	dma_addr_t dma;
};

int ct_areas_init(bool resolve, const char *default_name);
void ct_areas_exit(void);
struct ct_area *ct_area_find(const char *name);
struct ct_area *ct_area_default(void);
const char *ct_route_name(const struct ct_area *area);
bool ct_area_has(const struct ct_area *area, unsigned long pfn,
		 unsigned long pages);
int ct_run_alloc(struct ct_run *run, unsigned int order, enum ct_via via,
		 unsigned int mask_bits);
void ct_run_free(struct ct_run *run);
unsigned long ct_run_pfn(const struct ct_run *run, unsigned long i);

/* -- blocks.c -- */

#define CT_SLOTS	10	/* classic slots; slot i holds i + 1 MiB */
#define CT_NO_SLOT	-1

/**
 * struct ct_block - a named allocation
 * @list: in ct_blocks, in the order of allocation
 * @name: unique
 * @run: the pages; not valid before @ready
 * @slot: the classic slot it fills, or CT_NO_SLOT
 * @ready: allocated and verified; until then it only holds its name and slot
 * @in_area: the pages are the area's, not the buddy allocator's
 * @since: when, as ktime_get_seconds()
 * @pid: who
 * @comm: who
 */
struct ct_block {
	struct list_head list;
	char name[KML_NAME_MAX + 1];
	struct ct_run run;
	int slot;
	bool ready;
	bool in_area;
	time64_t since;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct ct_request - what somebody asks for
 * @area: where
 * @bytes: how much; rounded up to pages
 * @align: power of two in bytes, 0 for a page
 * @name: its name, NULL for one that is made up
 * @via: which way
 * @mask_bits: width of the DMA mask for @via CT_VIA_DMA
 */
struct ct_request {
	struct ct_area *area;
	u64 bytes;
	u64 align;
	const char *name;
	enum ct_via via;
	unsigned int mask_bits;
};

int ct_block_alloc(const struct ct_request *req);
int ct_slot_alloc(void);
int ct_block_free(const char *name);
void ct_block_free_all(void);
int ct_slot_free(char *text, size_t size, bool show_pfn);
void ct_blocks_show(struct seq_file *m);

/* -- scan.c -- */

/**
 * enum ct_class - what a page of an area is
 * @CT_FREE: nobody has it
 * @CT_BORROWED: movable pages of the system; CMA moves them when it must
 * @CT_ALLOCATED: handed out by cma_alloc()
 * @CT_CLASSES: how many there are
 */
enum ct_class { CT_FREE, CT_BORROWED, CT_ALLOCATED, CT_CLASSES };

/**
 * struct ct_stats - the state of an area in numbers, all in pages
 * @pages: by class
 * @largest_free: longest run of free pages
 * @largest_fit: longest run of pages that are free or can be moved
 */
struct ct_stats {
	unsigned long pages[CT_CLASSES];
	unsigned long largest_free;
	unsigned long largest_fit;
};

typedef void (*ct_scan_fn)(void *arg, unsigned long pfn, unsigned long pages,
			   enum ct_class class);

void ct_scan(const struct ct_area *area, ct_scan_fn fn, void *arg);
void ct_scan_stats(const struct ct_area *area, struct ct_stats *stats);

/* -- chardev.c, debugfs.c -- */

int ct_chardev_register(void);
void ct_chardev_unregister(void);
void ct_debugfs_register(void);
void ct_debugfs_unregister(void);

/* A page frame number, for those who may see physical addresses. */
unsigned long ct_shown_pfn(struct seq_file *m, unsigned long pfn);

#endif /* _CMA_TEST_H */
