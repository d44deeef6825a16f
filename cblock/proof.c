// SPDX-License-Identifier: GPL-2.0
/* Before memory is touched: is it memory, and is it nobody else's? */
#include <linux/ioport.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_reserved_mem.h>

#include "cblock.h"

/* Whole pages, not empty, not at 0, not past the end of the address space. */
int cblock_check_range(const char *name, phys_addr_t base, u64 size)
{
	u64 last = (u64)base + size - 1;

	if (!base || !size || last < base || last > (phys_addr_t)-1) {
		pr_err("region %s: %llu bytes at %pa is not a range of memory\n",
		       name, size, &base);
		return -EINVAL;
	}
	if (!PAGE_ALIGNED(base) || size & ~PAGE_MASK) {
		pr_err("region %s: %llu bytes at %pa are not whole pages\n",
		       name, size, &base);
		return -EINVAL;
	}
	return 0;
}

/*
 * Memory that the kernel reserved at boot and has struct pages for: each page
 * must be there and must never have been given to the page allocator.
 */
int cblock_prove_pages(const char *name, phys_addr_t base, u64 size)
{
	unsigned long pfn, end;
	int err;

	err = cblock_check_range(name, base, size);
	if (err)
		return err;
	end = PHYS_PFN(base + size - 1) + 1;
	for (pfn = PHYS_PFN(base); pfn < end; pfn++) {
		cond_resched();
		if (pfn_valid(pfn) && PageReserved(pfn_to_page(pfn)))
			continue;
		pr_err("region %s: page %lx is not reserved memory\n", name,
		       pfn);
		return pfn_valid(pfn) ? -EBUSY : -EINVAL;
	}
	return 0;
}

/* Does the device tree say that all of it is RAM? */
static bool in_memory_node(phys_addr_t base, u64 size)
{
	struct device_node *node;
	struct resource res;
	int i;

	for_each_node_by_type(node, "memory") {
		for (i = 0; !of_address_to_resource(node, i, &res); i++) {
			if (base < res.start || base + size - 1 > res.end)
				continue;
			of_node_put(node);
			return true;
		}
	}
	return false;
}

/* Does firmware, or memmap=, say that all of it is kept from the kernel? */
static bool in_reserved_resource(phys_addr_t base, u64 size)
{
	return region_intersects(base, size, IORESOURCE_MEM,
				 IORES_DESC_RESERVED) == REGION_INTERSECTS;
}

/**
 * cblock_claim_range - take memory that the kernel does not manage
 * @name: of the region, for messages
 * @base: physical address
 * @size: bytes
 * @unmapped: the device tree keeps it from the kernel (no-map). Some kernels
 *	      have struct pages there that say nothing, so they are not asked
 *
 * Return: 0, and the range is ours until release_mem_region(); -EINVAL for what
 * is no range of memory, -EBUSY for what somebody else uses or may use.
 */
int cblock_claim_range(const char *name, phys_addr_t base, u64 size,
		       bool unmapped)
{
	unsigned long pfn, end;
	int err;

	err = cblock_check_range(name, base, size);
	if (err)
		return err;
	if (region_intersects(base, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err("region %s: the system uses memory at %pa\n", name,
		       &base);
		return -EBUSY;
	}
	if (!in_memory_node(base, size) && !in_reserved_resource(base, size)) {
		pr_err("region %s: nothing says that there is unused memory at %pa\n",
		       name, &base);
		return -EINVAL;
	}
	end = PHYS_PFN(base + size - 1) + 1;
	for (pfn = PHYS_PFN(base); pfn < end && !unmapped; pfn++) {
		cond_resched();
		if (!pfn_valid(pfn) || PageReserved(pfn_to_page(pfn)))
			continue;
		pr_err("region %s: the kernel manages page %lx\n", name, pfn);
		return -EBUSY;
	}
	if (!request_mem_region(base, size, "cblock")) {
		pr_err("region %s: memory at %pa is claimed, see /proc/iomem\n",
		       name, &base);
		return -EBUSY;
	}
	return 0;
}
