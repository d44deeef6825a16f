/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cma_test: allocate from the kernel's CMA areas by hand and watch who does.
 *
 *	areas.c		which areas there are and how each is reached
 *	blocks.c	named allocations and the ten classic slots
 *	scan.c		what the pages of an area are, and what would fit
 *	track.c		every allocation in the system, by tracepoints
 *	owners.c	who holds what
 *	latency.c	how long allocations take
 *	verdict.c	why an allocation failed
 *	lab.c		pages that cannot move, on purpose
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
struct ct_latency;

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
 * @latency: statistics, see latency.c
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
	struct ct_latency *latency;
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
struct ct_area *ct_area_of_pfn(unsigned long pfn);
struct ct_area *ct_area_of_name(const char *name);
bool ct_area_callable(const struct ct_area *area);
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
 * @CT_PINNED: borrowed, but somebody keeps it from moving
 * @CT_CLASSES: how many there are
 */
enum ct_class { CT_FREE, CT_BORROWED, CT_ALLOCATED, CT_PINNED, CT_CLASSES };

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

/**
 * struct ct_fit - would an allocation fit?
 * @pages: how many are asked for
 * @order: alignment
 * @found: is there such a run?
 * @pfn: where it begins, if @found
 * @borrowed: pages that would have to move, if @found
 * @largest: longest run that begins at a page of this alignment
 */
struct ct_fit {
	unsigned long pages;
	unsigned int order;
	bool found;
	unsigned long pfn;
	unsigned long borrowed;
	unsigned long largest;
};

/**
 * struct ct_page - one page, as it was at one moment
 * @pfn: which
 * @flags: of its head page
 * @refs: references to its head page
 * @maps: how often it is mapped
 * @kind: what it is used for
 */
struct ct_page {
	unsigned long pfn;
	unsigned long flags;
	int refs;
	int maps;
	const char *kind;
};

typedef void (*ct_scan_fn)(void *arg, unsigned long pfn, unsigned long pages,
			   enum ct_class class);

const char *ct_class_name(enum ct_class class);
void ct_scan(const struct ct_area *area, ct_scan_fn fn, void *arg);
void ct_scan_stats(const struct ct_area *area, struct ct_stats *stats);
void ct_scan_fit(const struct ct_area *area, struct ct_fit *fit);
void ct_page_look(struct ct_page *look, unsigned long pfn);
bool ct_page_movable(unsigned long pfn);
bool ct_pages_taken(unsigned long pfn, unsigned long pages);

/* -- track.c -- */

#define CT_BLOCKERS	8	/* blocking pages that a verdict names */

/**
 * struct ct_flight - an allocation under way
 * @task: who
 * @area: where, NULL if unknown
 * @own: ours: whoever began it will end it, and judge it
 * @pages: how many are asked for
 * @order: alignment
 * @available: pages that the area had left, ULONG_MAX if unknown
 * @begun: when, in ns
 * @mark: when the phase began that is now running
 * @migrating: that phase is moving pages
 * @search: ns spent before pages began to move
 * @migrate: ns spent on moving them
 * @attempts: ranges that were claimed, or tried in vain
 * @retries: ranges that were busy
 * @parallel: were others under way in the same area?
 * @err: the kernel's errno, 0 if unknown
 * @blockers: pages in @blocker
 * @blocker: the last pages that could not be claimed, each once
 */
struct ct_flight {
	struct task_struct *task;
	struct ct_area *area;
	bool own;
	bool migrating;
	bool parallel;
	unsigned long pages;
	unsigned int order;
	unsigned long available;
	u64 begun;
	u64 mark;
	u64 search;
	u64 migrate;
	unsigned int attempts;
	unsigned int retries;
	int err;
	unsigned int blockers;
	struct ct_page blocker[CT_BLOCKERS];
};

/* Serialises the probes, owners and latency; they may not sleep. */
extern raw_spinlock_t ct_track_lock;

int ct_track_start(bool track);
void ct_track_stop(void);
void ct_flight_begin(const struct ct_flight *flight);
void ct_flight_end(struct ct_flight *flight, bool ok);
u64 ct_lost(void);
bool ct_all_watched(void);
void ct_lost_reset(void);

/* -- owners.c -- */

int ct_owners_init(void);
void ct_owners_exit(void);
bool ct_owner_add(const struct ct_area *area, unsigned long pfn,
		  unsigned long pages);
bool ct_owner_release(unsigned long pfn, unsigned long pages);
unsigned long ct_owner_covers(unsigned long pfn);
void ct_owners_show(struct seq_file *m);

/**
 * struct ct_holder - who holds most of an area in one piece
 * @pfn: where
 * @pages: how many, 0 if nobody is known
 * @pid: who
 * @comm: who
 */
struct ct_holder {
	unsigned long pfn;
	unsigned long pages;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

void ct_owner_largest(const struct ct_area *area, struct ct_holder *holder);

/* -- latency.c -- */

int ct_latency_init(void);
void ct_latency_exit(void);
void ct_latency_alloc(const struct ct_flight *flight, u64 now, bool ok);
void ct_latency_release(struct ct_area *area, u64 ns);
void ct_latency_reset(void);
void ct_latency_show(struct seq_file *m);

/* -- verdict.c -- */

int ct_verdict_own(const struct ct_flight *flight, int err);
bool ct_verdict_post(const struct ct_flight *flight);
void ct_verdicts_exit(void);
void ct_verdicts_show(struct seq_file *m);

/* -- lab.c -- */

int ct_pin(struct ct_area *area, u64 bytes);
int ct_unpin(void);
bool ct_pin_has(unsigned long pfn);
void ct_pins_show(struct seq_file *m);

/* -- chardev.c, debugfs.c -- */

int ct_chardev_register(void);
void ct_chardev_unregister(void);
void ct_debugfs_register(void);
void ct_debugfs_unregister(void);

/* A page frame number, for those who may see physical addresses. */
unsigned long ct_shown_pfn(struct seq_file *m, unsigned long pfn);

#endif /* _CMA_TEST_H */
