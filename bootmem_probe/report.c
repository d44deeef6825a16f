// SPDX-License-Identifier: GPL-2.0
/* The reports: one record a line, sizes in KiB. */
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "../compat/bootmem.h"
#include "bootmem_probe.h"

typedef void show_fn(struct seq_file *s, const struct bm_machine *m);

/* Read the machine's state and show a part of it. */
static int show(struct seq_file *s, show_fn *fn)
{
	struct bm_machine *m = bm_machine_read();

	if (IS_ERR(m))
		return PTR_ERR(m);
	fn(s, m);
	bm_machine_free(m);
	return 0;
}

static u64 kib(u64 pages)
{
	return pages << (PAGE_SHIFT - 10);
}

static void show_zones(struct seq_file *s, const struct bm_machine *m)
{
	u64 present = 0, managed = 0, cma = 0;
	int nid, i;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			const struct zone *zone = &NODE_DATA(nid)->node_zones[i];
			u64 zone_managed = zone_managed_pages((struct zone *)zone);
			u64 zone_cma = *bm_zone_cma(m, nid, i);

			if (!zone->spanned_pages)
				continue;
			seq_printf(s, "zone node=%d name=%s start=%#llx spanned=%llu present=%llu managed=%llu cma=%llu reserved=%llu\n",
				   nid, zone->name,
				   (u64)zone->zone_start_pfn << PAGE_SHIFT,
				   kib(zone->spanned_pages),
				   kib(zone->present_pages), kib(zone_managed),
				   kib(zone_cma),
				   kib(zone->present_pages - zone_managed));
			present += zone->present_pages;
			managed += zone_managed;
			cma += zone_cma;
		}
	}
	seq_printf(s, "total present=%llu managed=%llu cma=%llu reserved=%llu\n",
		   kib(present), kib(managed), kib(cma),
		   kib(present - managed));
}

static u64 reserved_bytes(void)
{
	u64 pages = 0;
	int nid, i;

	for_each_online_node(nid)
		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			pages += zone->present_pages - zone_managed_pages(zone);
		}
	return pages << PAGE_SHIFT;
}

static void show_use(struct seq_file *s, const char *use, const char *name,
		     s64 bytes, u64 ram)
{
	s64 permille = ram ? div64_s64(bytes * 1000, ram) : 0;

	seq_printf(s, "used %s%s%s kib=%lld percent=%s%lld.%lld\n", use,
		   *name ? " name=" : "", name, bytes >> 10,
		   permille < 0 ? "-" : "", abs(permille) / 10,
		   abs(permille) % 10);
}

/* A class by its names: the sum of what has the same one. */
static void show_class(struct seq_file *s, const struct bm_machine *m,
		       enum bm_class class, u64 ram)
{
	const struct bm_range *r, *other;

	bm_for_each_range(r, &m->layout) {
		u64 size = 0;

		if (r->flags != class)
			continue;
		bm_for_each_range(other, &m->layout) {
			if (other->flags != class || strcmp(other->name, r->name))
				continue;
			if (other < r)
				break;
			size += bm_size(other);
		}
		if (size)
			show_use(s, bm_class_name(class), r->name, size, ram);
	}
}

/* The reserved part, by use: it adds up to present less managed. */
static void show_used(struct seq_file *s, const struct bm_machine *m)
{
	static const enum bm_class named[] = {
		BM_KERNEL, BM_INITRD, BM_DTB, BM_REGION, BM_CRASH, BM_NAMED,
	};
	u64 ram = bm_ranges_size(&m->memory);
	s64 rest = reserved_bytes();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(named); i++) {
		show_class(s, m, named[i], ram);
		rest -= m->used[named[i]];
	}
	if (m->used[BM_FIRMWARE])
		show_use(s, bm_class_name(BM_FIRMWARE), "first-mib",
			 m->used[BM_FIRMWARE], ram);
	rest -= m->used[BM_FIRMWARE];
	show_use(s, "page-structs", "", m->page_structs, ram);
	rest -= m->page_structs;
	if (m->shadow)
		show_use(s, "kasan-shadow", "", m->shadow, ram);
	rest -= m->shadow;
	show_use(s, "rest", "", rest, ram);
	seq_printf(s, "used total kib=%llu\n", reserved_bytes() >> 10);
}

static void show_array(struct seq_file *s, const char *name,
		       const struct bm_ranges *list)
{
	const struct bm_range *r;

	bm_for_each_range(r, list) {
		unsigned int flags = r->flags, bit;
		const char *sep = " flags=";

		seq_printf(s, "%s %u %#llx-%#llx", name,
			   (unsigned int)(r - list->r), r->start, r->last);
		if (r->nid != NUMA_NO_NODE)
			seq_printf(s, " node=%d", r->nid);
		for (bit = 0; flags; bit++, flags >>= 1) {
			const char *flag = kml_memblock_flag(bit);

			if (!(flags & 1))
				continue;
			seq_printf(s, "%s%s", sep, flag ?: "UNKNOWN");
			sep = "|";
		}
		seq_putc(s, '\n');
	}
}

static void show_memblock(struct seq_file *s, const struct bm_machine *m)
{
	seq_printf(s, "memblock source=%s\n", m->kept ? "kept-by-the-kernel" :
		   "rebuilt-from-iomem-and-page-state");
	show_array(s, "memory", &m->memory);
	show_array(s, "reserved", &m->reserved);
}

static void show_iomem(struct seq_file *s, const struct bm_machine *m)
{
	const struct bm_range *r;

	bm_for_each_range(r, &m->iomem)
		seq_printf(s, "iomem %#llx-%#llx depth=%u name=%s\n", r->start,
			   r->last, r->flags, r->name);
}

static void show_layout(struct seq_file *s, const struct bm_machine *m)
{
	const struct bm_range *r;

	bm_for_each_range(r, &m->layout)
		seq_printf(s, "layout %#llx-%#llx use=%s kib=%llu%s%s\n",
			   r->start, r->last, bm_class_name(r->flags),
			   bm_size(r) >> 10, *r->name ? " name=" : "", r->name);
}

static void show_regions(struct seq_file *s, const struct bm_machine *m)
{
	const struct bm_range *r;
	unsigned int i;

	for (i = 0; i < m->nr_regions; i++) {
		const struct bm_region *region = &m->regions[i];

		seq_printf(s, "region %s %s",
			   kbasename(region->np->full_name),
			   bm_region_fate(m, region));
		if (region->size)
			seq_printf(s, " at=%#llx-%#llx", region->start,
				   region->start + region->size - 1);
		bm_for_each_range(r, &region->asked)
			seq_printf(s, " reg=%#llx-%#llx", r->start, r->last);
		if (region->asked_size)
			seq_printf(s, " size=%#llx", region->asked_size);
		seq_printf(s, "%s%s%s%s\n", region->no_map ? " no-map" : "",
			   region->reusable ? " reusable" : "",
			   region->cma_default ? " cma-default" : "",
			   region->releasable ? " releasable" : "");
	}
}

static const char *effect_name(enum bm_effect effect)
{
	switch (effect) {
	case BM_AS_ASKED:
		return "as-asked";
	case BM_DIFFERENTLY:
		return "differently";
	default:
		return "not-at-all";
	}
}

static void show_params(struct seq_file *s, const struct bm_machine *m)
{
	unsigned int i;

	for (i = 0; i < m->params.nr; i++) {
		const struct bm_param *p = &m->params.p[i];

		if (p->memory)
			seq_printf(s, "param %s=%s %s: %s\n", p->name,
				   p->value, effect_name(p->effect), p->why);
	}
}

static void show_lint(struct seq_file *s, const struct bm_machine *m)
{
	seq_printf(s, "lint findings=%u\n", bm_lint(NULL, m));
	bm_lint(s, m);
}

static void show_all(struct seq_file *s, const struct bm_machine *m)
{
	seq_printf(s, "bootmem_probe page=%lu sizes=KiB\n", PAGE_SIZE);
	show_zones(s, m);
	show_used(s, m);
	show_memblock(s, m);
	show_regions(s, m);
	show_params(s, m);
	show_lint(s, m);
	bm_model_show(s);
}

int bm_report_show(struct seq_file *s, void *unused)
{
	return show(s, show_all);
}

int bm_zones_show(struct seq_file *s, void *unused)
{
	return show(s, show_zones);
}

int bm_used_show(struct seq_file *s, void *unused)
{
	return show(s, show_used);
}

int bm_memblock_show(struct seq_file *s, void *unused)
{
	return show(s, show_memblock);
}

int bm_iomem_show(struct seq_file *s, void *unused)
{
	return show(s, show_iomem);
}

int bm_layout_show(struct seq_file *s, void *unused)
{
	return show(s, show_layout);
}

int bm_regions_show(struct seq_file *s, void *unused)
{
	return show(s, show_regions);
}

int bm_params_show(struct seq_file *s, void *unused)
{
	return show(s, show_params);
}

int bm_lint_show(struct seq_file *s, void *unused)
{
	return show(s, show_lint);
}

int bm_map_show(struct seq_file *s, void *unused)
{
	bm_model_show(s);
	return 0;
}
