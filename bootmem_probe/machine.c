// SPDX-License-Identifier: GPL-2.0
/* Reading what boot did with the memory. Nothing here changes anything. */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/of_address.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../compat/bootmem.h"
#include "../compat/pageblock.h"
#include "bootmem_probe.h"

struct iomem_copy {
	struct bm_ranges *list;
	unsigned int seen;
};

/* Under the kernel's resource lock: what does not fit is only counted. */
static void copy_resource(void *arg, const struct resource *res,
			  unsigned int depth)
{
	struct iomem_copy *copy = arg;
	struct bm_range *r;

	if (copy->seen++ >= copy->list->max)
		return;
	r = bm_ranges_add(copy->list, res->start, res->end,
			  res->name ?: "<BAD>");
	r->flags = depth;
}

static int read_iomem(struct bm_machine *m)
{
	struct iomem_copy copy = { .list = &m->iomem };
	int err;

	do {
		err = bm_ranges_grow(&m->iomem, copy.seen + 64);
		if (err)
			return err;
		m->iomem.nr = 0;
		copy.seen = 0;
		err = kml_iomem_walk(copy_resource, &copy);
		if (err)
			return err;
	} while (copy.seen > m->iomem.max);
	return 0;
}

static int read_memblock(struct bm_ranges *list,
			 const struct memblock_type *type)
{
	unsigned long i;

	for (i = 0; i < type->cnt; i++) {
		const struct memblock_region *from = &type->regions[i];
		struct bm_range *r;

		if (!from->size)
			continue;
		r = bm_ranges_add(list, from->base, from->base + from->size - 1,
				  "");
		if (!r)
			return -ENOMEM;
		r->flags = from->flags;
		r->nid = memblock_get_region_node(from);
		if (r->nid >= MAX_NUMNODES)
			r->nid = NUMA_NO_NODE;
	}
	return 0;
}

/* Without memblock: what iomem calls System RAM. */
static int rebuild_memory(struct bm_machine *m)
{
	const struct bm_range *from;

	bm_for_each_range(from, &m->iomem) {
		struct bm_range *r;

		if (from->flags || strcmp(from->name, "System RAM"))
			continue;
		/* the kernel uses whole pages only */
		r = bm_ranges_add(&m->memory, PAGE_ALIGN(from->start),
				  ((from->last + 1) & PAGE_MASK) - 1, "");
		if (!r)
			return -ENOMEM;
		if (r->start > r->last)
			m->memory.nr--;
	}
	return 0;
}

static int add_page(struct bm_ranges *list, unsigned long pfn,
		    unsigned long pages, int nid)
{
	u64 start = PFN_PHYS(pfn), last = start + PFN_PHYS(pages) - 1;
	struct bm_range *r = list->nr ? &list->r[list->nr - 1] : NULL;

	if (r && r->last + 1 == start && r->nid == nid) {
		r->last = last;
		return 0;
	}
	r = bm_ranges_add(list, start, last, "");
	if (!r)
		return -ENOMEM;
	r->nid = nid;
	return 0;
}

/* Look at every page once: who never reached the buddy, and what CMA has. */
static int scan_pages(struct bm_machine *m)
{
	const struct bm_range *r;
	int err;

	bm_for_each_range(r, &m->memory) {
		unsigned long pfn = PHYS_PFN(r->start);
		unsigned long end = PHYS_PFN(r->last) + 1;
		bool cma = false, fresh = true;

		for (; pfn < end; pfn++) {
			struct page *page = pfn_to_online_page(pfn);

			if (IS_ALIGNED(pfn, pageblock_nr_pages)) {
				cond_resched();
				fresh = true;
			}
			if (!page)
				continue;
			if (PageReserved(page)) {
				err = add_page(&m->held, pfn, 1,
					       page_to_nid(page));
				if (err)
					return err;
				continue;
			}
			if (fresh)
				cma = kml_pfn_is_cma(pfn);
			fresh = false;
			if (!cma)
				continue;
			(*bm_zone_cma(m, page_to_nid(page),
				      page_zonenum(page)))++;
			err = add_page(&m->cma, pfn, 1, page_to_nid(page));
			if (err)
				return err;
		}
	}
	return 0;
}

static int read_dt_memory(struct bm_machine *m)
{
	struct device_node *np;
	struct resource res;
	int i;

	for_each_node_by_type(np, "memory") {
		for (i = 0; !of_address_to_resource(np, i, &res); i++) {
			if (!bm_ranges_add(&m->dt_memory, res.start, res.end,
					   "")) {
				of_node_put(np);
				return -ENOMEM;
			}
		}
	}
	return 0;
}

static void of_initrd(struct bm_machine *m)
{
	struct device_node *chosen = of_find_node_by_path("/chosen");
	u64 start, end;

	if (!bm_of_number(chosen, "linux,initrd-start", &start) &&
	    !bm_of_number(chosen, "linux,initrd-end", &end) && start < end) {
		m->initrd_start = start;
		m->initrd_size = end - start;
	}
	of_node_put(chosen);
}

static int read_initrd(struct bm_machine *m)
{
	int err = kml_initrd(&m->initrd_start, &m->initrd_size);

	if (err != -ENOENT)
		return err;
	of_initrd(m);
	return 0;
}

static int copy_ranges(struct bm_ranges *to, const struct bm_ranges *from)
{
	int err = bm_ranges_grow(to, from->nr);

	if (err)
		return err;
	if (from->nr)
		memcpy(to->r, from->r, from->nr * sizeof(*to->r));
	to->nr = from->nr;
	return 0;
}

static int machine_fill(struct bm_machine *m)
{
	const struct memblock_type *memory = kml_memblock("memory");
	const struct memblock_type *reserved = kml_memblock("reserved");
	int err;

	m->kept = memory && reserved;
	m->zone_cma = kcalloc(nr_node_ids * MAX_NR_ZONES, sizeof(long),
			      GFP_KERNEL);
	if (!m->zone_cma)
		return -ENOMEM;
	err = read_iomem(m);
	if (err)
		return err;
	err = m->kept ? read_memblock(&m->memory, memory) : rebuild_memory(m);
	if (err)
		return err;
	err = scan_pages(m);
	if (err)
		return err;
	err = m->kept ? read_memblock(&m->reserved, reserved) :
			copy_ranges(&m->reserved, &m->held);
	if (err)
		return err;
	err = read_dt_memory(m);
	if (err)
		return err;
	err = read_initrd(m);
	if (err)
		return err;
	err = bm_regions_read(m);
	if (err)
		return err;
	err = bm_usage_read(m);
	if (err)
		return err;
	return bm_params_read(&m->params, m);
}

/**
 * bm_machine_read - look at the machine
 *
 * Context: process; may sleep. Takes a few milliseconds a GiB.
 * Return: the state, for bm_machine_free(), or ERR_PTR().
 */
struct bm_machine *bm_machine_read(void)
{
	struct bm_machine *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err;

	if (!m)
		return ERR_PTR(-ENOMEM);
	err = machine_fill(m);
	if (err) {
		bm_machine_free(m);
		return ERR_PTR(err);
	}
	return m;
}

/**
 * bm_machine_free - drop what bm_machine_read() returned
 * @m: the state
 */
void bm_machine_free(struct bm_machine *m)
{
	bm_params_free(&m->params);
	bm_regions_free(m);
	bm_ranges_free(&m->iomem);
	bm_ranges_free(&m->memory);
	bm_ranges_free(&m->reserved);
	bm_ranges_free(&m->held);
	bm_ranges_free(&m->cma);
	bm_ranges_free(&m->dt_memory);
	bm_ranges_free(&m->layout);
	kfree(m->zone_cma);
	kfree(m);
}
