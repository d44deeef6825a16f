// SPDX-License-Identifier: GPL-2.0
/*
 * Contradictions between device tree, command line, memblock and iomem: each
 * with its evidence and the line that would mend it.
 */
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../compat/bootmem.h"
#include "bootmem_probe.h"

/* @s may be NULL, for the count alone. */
struct lint {
	struct seq_file *s;
	const struct bm_machine *m;
	unsigned int findings;
};

static __printf(4, 5) void finding(struct lint *lint, const char *kind,
				   const char *fix, const char *fmt, ...)
{
	va_list args;

	lint->findings++;
	if (!lint->s)
		return;
	seq_printf(lint->s, "finding %s: ", kind);
	va_start(args, fmt);
	seq_vprintf(lint->s, fmt, args);
	va_end(args);
	seq_printf(lint->s, "; fix: %s\n", fix);
}

static const char *name_of(const struct bm_region *region)
{
	return kbasename(region->np->full_name);
}

static u64 last_of(const struct bm_region *region)
{
	return region->start + region->size - 1;
}

static bool is_cma_pool(const struct bm_region *region)
{
	return region->reusable &&
	       of_device_is_compatible(region->np, "shared-dma-pool");
}

static void lint_region(struct lint *lint, const struct bm_region *region)
{
	u64 granule = bm_cma_granule();
	const struct bm_range *r;

	if (region->no_map && region->reusable)
		finding(lint, "no-map-reusable",
			"delete one of the two properties",
			"%s has no-map, which takes it out of the kernel's map, and reusable, which lends its pages",
			name_of(region));

	bm_for_each_range(r, &region->asked) {
		u64 inside = bm_ranges_overlap(&lint->m->dt_memory, r->start,
					       r->last);

		if (lint->m->dt_memory.nr && inside < bm_size(r))
			finding(lint, "outside-memory",
				"give it a reg inside a memory node, or extend that node",
				"%s reserves %#llx-%#llx, of which the memory nodes hold %llu KiB of %llu",
				name_of(region), r->start, r->last,
				inside >> 10, bm_size(r) >> 10);
		if (is_cma_pool(region) &&
		    (!IS_ALIGNED(r->start, granule) ||
		     !IS_ALIGNED(bm_size(r), granule)))
			finding(lint, "cma-granule",
				"round start and size to the granule",
				"%s is %#llx bytes at %#llx, but this kernel's CMA comes in aligned blocks of %#llx",
				name_of(region), bm_size(r), r->start, granule);
	}
	if (is_cma_pool(region) && region->asked_size &&
	    !IS_ALIGNED(region->asked_size, granule))
		finding(lint, "cma-granule", "round its size to the granule",
			"%s asks for %#llx bytes, but this kernel's CMA comes in blocks of %#llx",
			name_of(region), region->asked_size, granule);
}

/* A static node on top of the kernel or of the RAM disk. */
static void lint_on_kernel(struct lint *lint, const struct bm_region *region)
{
	const struct bm_machine *m = lint->m;
	u64 initrd_last = m->initrd_start + m->initrd_size - 1;
	const struct bm_range *r, *res;

	bm_for_each_range(r, &region->asked) {
		bm_for_each_range(res, &m->iomem) {
			if (!strncmp(res->name, "Kernel ", 7) &&
			    bm_common(r, res->start, res->last)) {
				finding(lint, "region-on-kernel",
					"move the node away from the kernel",
					"%s reserves %#llx-%#llx, and the kernel's %s is at %#llx-%#llx",
					name_of(region), r->start, r->last,
					res->name + 7, res->start, res->last);
				break;
			}
		}
		if (m->initrd_size &&
		    bm_common(r, m->initrd_start, initrd_last))
			finding(lint, "region-on-initrd",
				"move the node, or have the boot loader move the RAM disk",
				"%s reserves %#llx-%#llx, and the RAM disk is at %#llx-%#llx",
				name_of(region), r->start, r->last,
				m->initrd_start, initrd_last);
	}
}

static void lint_two_regions(struct lint *lint, const struct bm_region *a,
			     const struct bm_region *b)
{
	bool on_cma = a->cma_default || b->cma_default;

	if (!a->size || !b->size || a->start > last_of(b) ||
	    b->start > last_of(a))
		return;
	finding(lint, on_cma ? "region-on-cma" : "regions-overlap",
		"move one of them",
		"%s is at %#llx-%#llx and %s at %#llx-%#llx%s", name_of(a),
		a->start, last_of(a), name_of(b), b->start, last_of(b),
		on_cma ? ", the default area of CMA" : "");
}

static void lint_regions(struct lint *lint)
{
	const struct bm_machine *m = lint->m;
	const struct bm_region *first_default = NULL;
	unsigned int i, j;

	for (i = 0; i < m->nr_regions; i++) {
		const struct bm_region *region = &m->regions[i];

		if (!region->enabled)
			continue;
		lint_region(lint, region);
		lint_on_kernel(lint, region);
		for (j = 0; j < i; j++)
			if (m->regions[j].enabled)
				lint_two_regions(lint, &m->regions[j], region);
		if (!region->cma_default)
			continue;
		if (first_default)
			finding(lint, "cma-default-twice",
				"leave linux,cma-default in one of them",
				"%s and %s both want to be CMA's default area",
				name_of(first_default), name_of(region));
		else
			first_default = region;
	}
}

/*
 * GRUB and shells eat "$0x…", or what they take for a variable behind the '$':
 * what is left has a size, and no address or one without its '$'.
 */
static void lint_memmap(struct lint *lint, const struct bm_param *p)
{
	if (!p->size || (*p->rest && strchr("@#$!%", *p->rest)))
		return;
	if (IS_ENABLED(CONFIG_X86))
		finding(lint, "memmap-dollar",
			"memmap=SIZE\\$ADDRESS, with as many backslashes as the boot loader and its shell need",
			"memmap=%s has no '$', so it was taken as a limit of RAM (%s) and reserves nothing",
			p->value, p->why);
	else
		finding(lint, "memmap-dollar",
			"a reserved-memory node in the device tree",
			"memmap=%s has no '$', and only x86 knows this parameter",
			p->value);
}

static u64 largest_zone(const struct bm_machine *m)
{
	u64 largest = 0;
	int nid, i;

	for_each_online_node(nid)
		for (i = 0; i < MAX_NR_ZONES; i++)
			largest = max_t(u64, largest,
					NODE_DATA(nid)->node_zones[i].present_pages);
	return largest << PAGE_SHIFT;
}

static void lint_cma(struct lint *lint, const struct bm_param *p)
{
	const struct bm_machine *m = lint->m;
	const struct bm_range *r;
	bool low = false;

	if (!IS_ENABLED(CONFIG_DMA_CMA)) {
		if (p->size)
			finding(lint, "no-cma",
				"delete it, or take a kernel with CONFIG_DMA_CMA",
				"cma=%s: this kernel is built without CMA",
				p->value);
		return;
	}
	if (bm_cma_unnamed(m) < p->size) {
		finding(lint, "cma-too-large",
			"ask for less than the largest zone has free at boot",
			"cma=%s: %s, and the largest zone has %llu KiB",
			p->value, p->why, largest_zone(m) >> 10);
		return;
	}
	bm_for_each_range(r, &m->cma)
		low |= r->start < SZ_4G;
	if (p->size && !low && bm_ranges_overlap(&m->memory, 0, SZ_4G - 1))
		finding(lint, "cma-above-4g",
			"cma=SIZE@0-4G",
			"cma=%s: all of CMA is above 4 GiB, out of reach for devices with a 32-bit mask, which then silently get memory from elsewhere",
			p->value);
}

/* Does a parameter want a region that is not there? */
static void lint_reserve_mem_user(struct lint *lint, const struct bm_param *p)
{
	const char *wanted = p->value;
	phys_addr_t start, size;
	char region[32];

	if (!strcmp(p->name, "trace_instance"))
		wanted = strchr(p->value, '@') ? strchr(p->value, '@') + 1 : "";
	else if (strcmp(p->name, "ramoops.mem_name") &&
		 strcmp(p->name, "cblock.reserve_mem"))
		return;
	/* trace_instance= also takes an address */
	if (!*wanted || isdigit(*wanted))
		return;
	snprintf(region, sizeof(region), "%.*s", (int)strcspn(wanted, ","),
		 wanted);
	if (kml_reserve_mem(region, &start, &size))
		finding(lint, "reserve-mem-name",
			"reserve_mem=SIZE:ALIGN:NAME with that name",
			"%s= wants the region '%s', which no reserve_mem= made",
			p->name, region);
}

static void lint_reserve_mem(struct lint *lint)
{
	const struct bm_params *params = &lint->m->params;
	unsigned int i, count = 0;

	for (i = 0; i < params->nr; i++) {
		const struct bm_param *p = &params->p[i];

		lint_reserve_mem_user(lint, p);
		if (strcmp(p->name, "reserve_mem"))
			continue;
		if (++count == 9)
			finding(lint, "reserve-mem-full",
				"ask for eight regions at most",
				"reserve_mem=%s is the ninth, and the kernel keeps eight (%s)",
				p->value, p->why);
		else if (p->effect == BM_NOT_AT_ALL)
			finding(lint, "reserve-mem-failed",
				"reserve_mem=SIZE:ALIGN:NAME on Linux 6.12 or newer",
				"reserve_mem=%s: %s", p->value, p->why);
	}
}

static void lint_params(struct lint *lint)
{
	const struct bm_params *params = &lint->m->params;
	unsigned int i;

	for (i = 0; i < params->nr; i++) {
		const struct bm_param *p = &params->p[i];

		if (!strcmp(p->name, "memmap"))
			lint_memmap(lint, p);
		else if (!strcmp(p->name, "cma") && !p->superseded)
			lint_cma(lint, p);
		else if (!strcmp(p->name, "crashkernel") &&
			 p->effect == BM_NOT_AT_ALL)
			finding(lint, "crashkernel-failed",
				"ask for a size that a zone below 4 GiB has free at boot",
				"crashkernel=%s: %s", p->value, p->why);
	}
	lint_reserve_mem(lint);
}

/**
 * bm_lint - look for contradictions
 * @s: where to print them, or NULL
 * @m: the state
 *
 * Return: how many there are.
 */
unsigned int bm_lint(struct seq_file *s, const struct bm_machine *m)
{
	struct lint lint = { .s = s, .m = m };

	lint_regions(&lint);
	lint_params(&lint);
	return lint.findings;
}
