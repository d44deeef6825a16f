/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of bootmem_probe share. */
#ifndef _BOOTMEM_PROBE_H
#define _BOOTMEM_PROBE_H

#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <kmemlab/command.h>

#include "ranges.h"

/* What memory is used for; also the index of the report's totals. */
enum bm_class {
	BM_KERNEL,	/* the kernel's image */
	BM_INITRD,
	BM_DTB,		/* the device tree, as a blob and unflattened */
	BM_REGION,	/* reserved-memory nodes */
	BM_CRASH,	/* the crash kernel's */
	BM_NAMED,	/* reserve_mem= */
	BM_FIRMWARE,	/* what firmware, ACPI and EFI keep */
	BM_BOOT,	/* allocated while booting, never freed: no name */
	BM_CMA,		/* managed, but lent only */
	BM_BUDDY,	/* managed */
	BM_CLASSES
};

/**
 * struct bm_region - a child of /reserved-memory
 * @np: the node, referenced
 * @asked: its reg property, as many ranges as it has
 * @asked_size: its size property, 0 if it has reg
 * @start: where the kernel put it
 * @size: bytes, 0 if the kernel did not take it
 * @no_map: property of that name
 * @reusable: property of that name
 * @cma_default: property linux,cma-default
 * @releasable: property kmemlab,releasable
 * @enabled: its status property does not disable it
 */
struct bm_region {
	struct device_node *np;
	struct bm_ranges asked;
	u64 asked_size;
	u64 start;
	u64 size;
	bool no_map;
	bool reusable;
	bool cma_default;
	bool releasable;
	bool enabled;
};

/* What became of a memory parameter. */
enum bm_effect { BM_AS_ASKED, BM_DIFFERENTLY, BM_NOT_AT_ALL };

/**
 * struct bm_param - one parameter of the kernel's command line
 * @name: before the '='
 * @value: behind it
 * @size: the size that it asks for, 0 if it does not start with one
 * @rest: what follows the size
 * @memory: it is about memory; only then the following are set
 * @superseded: a later one of that name replaces it
 * @effect: what became of it
 * @why: how, in words
 */
struct bm_param {
	const char *name;
	const char *value;
	u64 size;
	const char *rest;
	bool memory;
	bool superseded;
	enum bm_effect effect;
	char why[160];
};

/**
 * struct bm_params - all of them
 * @line: the text that they point into
 * @p: in the order of the command line
 * @nr: how many
 */
struct bm_params {
	char *line;
	struct bm_param *p;
	unsigned int nr;
};

/**
 * struct bm_machine - the state of this machine's memory, at one moment
 * @kept: the kernel kept memblock's arrays; else @memory and @reserved are
 *	  rebuilt from the iomem tree and from the state of every page
 * @iomem: the tree of /proc/iomem, parents first; flags are the depth
 * @memory: memblock.memory
 * @reserved: memblock.reserved
 * @held: pages that the buddy allocator never got
 * @cma: pageblocks that belong to CMA
 * @dt_memory: the device tree's memory nodes
 * @initrd_start: where the boot loader put the RAM disk, which may be gone by now
 * @initrd_size: 0 if nobody tells of one
 * @layout: everything by use, sorted; flags are of &enum bm_class
 * @regions: reserved-memory nodes
 * @nr_regions: how many
 * @zone_cma: pages of CMA by node and zone, see bm_zone_cma()
 * @page_structs: bytes that the memmap takes
 * @shadow: bytes that KASAN's shadow takes
 * @used: bytes by &enum bm_class
 * @params: the command line's parameters
 */
struct bm_machine {
	bool kept;
	struct bm_ranges iomem;
	struct bm_ranges memory;
	struct bm_ranges reserved;
	struct bm_ranges held;
	struct bm_ranges cma;
	struct bm_ranges dt_memory;
	u64 initrd_start;
	u64 initrd_size;
	struct bm_ranges layout;
	struct bm_region *regions;
	unsigned int nr_regions;
	unsigned long *zone_cma;
	u64 page_structs;
	u64 shadow;
	u64 used[BM_CLASSES];
	struct bm_params params;
};

static inline unsigned long *bm_zone_cma(const struct bm_machine *m, int nid,
					 int zone)
{
	return &m->zone_cma[nid * MAX_NR_ZONES + zone];
}

extern struct kml_verdict bm_verdict;

/* machine.c, usage.c */
struct bm_machine *bm_machine_read(void);
void bm_machine_free(struct bm_machine *m);
int bm_usage_read(struct bm_machine *m);
const char *bm_class_name(enum bm_class class);

/* regions.c */
int bm_of_number(const struct device_node *np, const char *property,
		 u64 *number);
int bm_regions_read(struct bm_machine *m);
void bm_regions_free(struct bm_machine *m);
const char *bm_region_fate(const struct bm_machine *m,
			   const struct bm_region *region);

/* params.c */

int bm_params_init(void);
void bm_params_exit(void);
int bm_params_read(struct bm_params *params, const struct bm_machine *m);
void bm_params_free(struct bm_params *params);
bool bm_command_line_next(char **line, char **name, char **value);
char *bm_command_line_copy(void);
u64 bm_cma_granule(void);
u64 bm_cma_unnamed(const struct bm_machine *m);

/* lint.c */
unsigned int bm_lint(struct seq_file *s, const struct bm_machine *m);

/* model.c */
int bm_model_init(void);
void bm_model_exit(void);
int bm_model_reset(void);
int bm_model_alloc(u64 size, u64 align, u64 goal, u64 limit);
int bm_model_reserve(u64 addr, u64 size, bool exclusive);
int bm_model_free(u64 addr, u64 size);
int bm_model_free_all(void);
void bm_model_log(void);
void bm_model_show(struct seq_file *s);

/* release.c */
int bm_release(const char *name);

/* report.c */
int bm_report_show(struct seq_file *s, void *unused);
int bm_zones_show(struct seq_file *s, void *unused);
int bm_used_show(struct seq_file *s, void *unused);
int bm_memblock_show(struct seq_file *s, void *unused);
int bm_iomem_show(struct seq_file *s, void *unused);
int bm_layout_show(struct seq_file *s, void *unused);
int bm_regions_show(struct seq_file *s, void *unused);
int bm_params_show(struct seq_file *s, void *unused);
int bm_lint_show(struct seq_file *s, void *unused);
int bm_map_show(struct seq_file *s, void *unused);

/* chardev.c, debugfs.c */
int bm_chardev_init(void);
void bm_chardev_exit(void);
void bm_debugfs_init(void);
void bm_debugfs_exit(void);

#endif /* _BOOTMEM_PROBE_H */
