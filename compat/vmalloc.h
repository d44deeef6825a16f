/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vmalloc areas of the running kernel, one at a time, and vmalloc() with
 * everything that may be asked of it. How either is reached is vmalloc.c's
 * secret.
 */
#ifndef _KMEMLAB_COMPAT_VMALLOC_H
#define _KMEMLAB_COMPAT_VMALLOC_H

#include <linux/gfp.h>
#include <linux/types.h>

/**
 * struct kml_vmap - a copy of what the kernel records of one area
 * @start: first address
 * @end: first address behind it, guard page included
 * @flags: VM_IOREMAP, VM_ALLOC and so on; 0 where the kernel keeps none
 * @nr_pages: pages that vmalloc allocated for it
 * @phys: physical address that an ioremap maps
 * @caller: return address of whoever asked for it, or NULL
 * @page_order: order of the pages behind it
 * @described: the kernel has a vm_struct for it; vm_map_ram areas have none
 * @ram: it is a vm_map_ram area
 * @ready: set up completely; /proc/vmallocinfo shows no others
 * @vpages: the array of its pages is vmalloc'ed itself
 */
struct kml_vmap {
	unsigned long start;
	unsigned long end;
	unsigned long flags;
	unsigned long nr_pages;
	phys_addr_t phys;
	const void *caller;
	unsigned int page_order;
	bool described;
	bool ram;
	bool ready;
	bool vpages;
};

/* The lists that kml_vmap_next() knows. */
enum kml_vmap_state {
	KML_VMAP_BUSY,		/* areas in use */
	KML_VMAP_LAZY,		/* freed, waiting for the next purge */
};

int kml_vmap_init(void);
const char *kml_vmap_way(void);
unsigned int kml_vmap_lists(enum kml_vmap_state state);
bool kml_vmap_next(enum kml_vmap_state state, unsigned int list,
		   unsigned long addr, struct kml_vmap *area, u64 *held);

bool kml_vmalloc_can_align(gfp_t gfp, bool huge);
void *kml_vmalloc(unsigned long size, unsigned long align, gfp_t gfp, int node,
		  bool huge);

#endif /* _KMEMLAB_COMPAT_VMALLOC_H */
