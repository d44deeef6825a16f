// SPDX-License-Identifier: GPL-2.0
/* The device tree's reserved-memory nodes, and what became of them. */
#include <linux/memblock.h>
#include <linux/of_address.h>
#include <linux/of_reserved_mem.h>
#include <linux/slab.h>

#include "bootmem_probe.h"

/**
 * bm_of_number - read a property of one number, of 32 or 64 bits
 * @np: the node
 * @property: its name
 * @number: what it holds
 *
 * Return: 0; -EINVAL if there is no such property.
 */
int bm_of_number(const struct device_node *np, const char *property,
		 u64 *number)
{
	u32 cell;

	if (!of_property_read_u64(np, property, number))
		return 0;
	if (of_property_read_u32(np, property, &cell))
		return -EINVAL;
	*number = cell;
	return 0;
}

static int read_region(struct bm_region *region, struct device_node *np)
{
	const struct reserved_mem *rmem = of_reserved_mem_lookup(np);
	struct resource res;
	int i;

	region->np = of_node_get(np);
	region->no_map = of_property_read_bool(np, "no-map");
	region->reusable = of_property_read_bool(np, "reusable");
	region->cma_default = of_property_read_bool(np, "linux,cma-default");
	region->releasable = of_property_read_bool(np, "kmemlab,releasable");
	region->enabled = of_device_is_available(np);
	for (i = 0; !of_address_to_resource(np, i, &res); i++)
		if (resource_size(&res) &&
		    !bm_ranges_add(&region->asked, res.start, res.end, ""))
			return -ENOMEM;
	if (!region->asked.nr)
		bm_of_number(np, "size", &region->asked_size);
	if (rmem) {
		region->start = rmem->base;
		region->size = rmem->size;
	} else if (region->asked.nr && region->enabled) {
		/* nodes without a driver of their own need not be in the table */
		region->start = region->asked.r[0].start;
		region->size = bm_size(&region->asked.r[0]);
	}
	return 0;
}

/**
 * bm_regions_read - read /reserved-memory
 * @m: the state; @regions and @nr_regions are filled in
 *
 * Return: 0, or -ENOMEM.
 */
int bm_regions_read(struct bm_machine *m)
{
	struct device_node *parent = of_find_node_by_path("/reserved-memory");
	struct device_node *np;
	int err = 0;

	m->regions = kcalloc(of_get_child_count(parent) + 1,
			     sizeof(*m->regions), GFP_KERNEL);
	if (!m->regions)
		err = -ENOMEM;
	for_each_child_of_node(parent, np) {
		if (!err)
			err = read_region(&m->regions[m->nr_regions++], np);
	}
	of_node_put(parent);
	return err;
}

/**
 * bm_regions_free - drop what bm_regions_read() read
 * @m: the state
 */
void bm_regions_free(struct bm_machine *m)
{
	while (m->nr_regions) {
		struct bm_region *region = &m->regions[--m->nr_regions];

		bm_ranges_free(&region->asked);
		of_node_put(region->np);
	}
	kfree(m->regions);
}

static bool nomap(const struct bm_machine *m, u64 start, u64 last)
{
	const struct bm_range *r;

	bm_for_each_range(r, &m->memory)
		if (r->flags & MEMBLOCK_NOMAP && bm_common(r, start, last))
			return true;
	return !bm_ranges_overlap(&m->memory, start, last);
}

/**
 * bm_region_fate - what became of a node
 * @m: the state
 * @region: the node
 *
 * Return: one word.
 */
const char *bm_region_fate(const struct bm_machine *m,
			   const struct bm_region *region)
{
	u64 last = region->start + region->size - 1;

	if (!region->enabled)
		return "disabled";
	if (!region->size)
		return "refused";
	if (region->no_map && nomap(m, region->start, last))
		return "no-map";
	if (!bm_ranges_overlap(&m->memory, region->start, last))
		return "outside-ram";
	if (bm_ranges_overlap(&m->cma, region->start, last) == region->size)
		return "cma";
	if (bm_ranges_overlap(&m->held, region->start, last) == region->size)
		return "reserved";
	if (!bm_ranges_overlap(&m->held, region->start, last))
		return region->releasable ? "released" : "in-buddy";
	return "partly-reserved";
}
