// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that a kernel with cblock built in takes from memblock, before there
 * is a page allocator: cblock=SIZE[@ADDRESS][,NAME] on its command line, as
 * often as wanted.
 */
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/memblock.h>
#include <linux/sizes.h>

#include "cblock.h"

#define BOOKED_MAX	8

/* What is taken, until cblock_add_boot(). */
static struct {
	char name[KML_NAME_MAX + 1];
	phys_addr_t base;
	u64 size;
} booked[BOOKED_MAX] __initdata;
static unsigned int nr_booked __initdata;

/* What /proc/iomem shows of them, inside System RAM. */
static struct resource claimed[BOOKED_MAX];

static phys_addr_t __init book(u64 size, phys_addr_t base)
{
	if (size > (phys_addr_t)-1)
		return 0;
	if (!base)
		return memblock_phys_alloc(size, size >= SZ_2M ? SZ_2M : PAGE_SIZE);
	if (base + size < base || !memblock_is_region_memory(base, size) ||
	    memblock_is_region_reserved(base, size) ||
	    memblock_reserve(base, size))
		return 0;
	return base;
}

static bool __init name_booked(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_booked; i++)
		if (!strcmp(booked[i].name, name))
			return true;
	return false;
}

static int __init cblock_setup(char *text)
{
	u64 size, base = 0;
	const char *name;
	bool placed;
	char *end;

	size = memparse(text, &end);
	placed = *end == '@';
	if (placed)
		base = memparse(end + 1, &end);
	name = *end == ',' ? end + 1 : nr_booked ? "" : "boot";
	if ((*end && *end != ',') || !size || !PAGE_ALIGNED(size) ||
	    !PAGE_ALIGNED(base) || (placed && !base) ||
	    base != (phys_addr_t)base) {
		pr_err("cblock=%s: not SIZE[@ADDRESS][,NAME] in whole pages\n",
		       text);
		return 1;
	}
	if (nr_booked == BOOKED_MAX) {
		pr_err("cblock=%s: more than %d\n", text, BOOKED_MAX);
		return 1;
	}
	if (*name && !kml_valid_name(name)) {
		pr_err("cblock=%s: '%s' is not a name\n", text, name);
		return 1;
	}
	if (*name)
		strscpy(booked[nr_booked].name, name, sizeof(booked[0].name));
	else
		snprintf(booked[nr_booked].name, sizeof(booked[0].name),
			 "boot%u", nr_booked);
	if (name_booked(booked[nr_booked].name)) {
		pr_err("cblock=%s: the name '%s' is taken\n", text,
		       booked[nr_booked].name);
		return 1;
	}
	base = book(size, base);
	if (!base) {
		pr_err("cblock=%s: there is no such free memory\n", text);
		return 1;
	}
	booked[nr_booked].base = base;
	booked[nr_booked++].size = size;
	return 1;
}
__setup("cblock=", cblock_setup);

void __init cblock_add_boot(void)
{
	struct cblock_region region = { .source = "boot", .pages = true };
	unsigned int i;

	/* a bad one is in the log, and no reason not to serve the others */
	for (i = 0; i < nr_booked; i++) {
		strscpy(region.name, booked[i].name, sizeof(region.name));
		region.base = booked[i].base;
		region.size = booked[i].size;
		if (cblock_prove_pages(region.name, region.base, region.size) ||
		    IS_ERR(cblock_region_add(&region)))
			continue;
		claimed[i] = (struct resource) {
			.name = "cblock",
			.start = region.base,
			.end = region.base + region.size - 1,
			.flags = IORESOURCE_MEM | IORESOURCE_BUSY,
		};
		insert_resource(&iomem_resource, &claimed[i]);
	}
}
