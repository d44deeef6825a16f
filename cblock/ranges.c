// SPDX-License-Identifier: GPL-2.0
/* Regions that module parameters name. */
#include <linux/ioport.h>
#include <linux/module.h>

#include "cblock.h"

#define PARAM_MAX	8

static char *region_param[PARAM_MAX];
static unsigned int regions;
module_param_array_named(region, region_param, charp, &regions, 0444);
MODULE_PARM_DESC(region,
		 "NAME:SIZE@ADDRESS[,...]: memory kept from the kernel with memmap= or mem=, or by firmware");

static char *reserve_mem[PARAM_MAX];
static unsigned int reserves;
module_param_array(reserve_mem, charp, &reserves, 0444);
MODULE_PARM_DESC(reserve_mem,
		 "NAME[,...]: memory that reserve_mem=SIZE:ALIGN:NAME on the kernel's command line set aside");

static void put_range(struct cblock_region *region)
{
	release_mem_region(region->base, region->size);
}

static int region_from_text(const char *text)
{
	struct cblock_region region = { .source = "range", .put = put_range };
	char *copy, *size, *address;
	u64 base;
	int err = -EINVAL;

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	address = copy;
	size = strsep(&address, "@");
	strsep(&size, ":");
	if (!size || !address || !kml_valid_name(copy) ||
	    kml_parse_size(size, &region.size) ||
	    kml_parse_size(address, &base)) {
		pr_err("region=%s: not NAME:SIZE@ADDRESS\n", text);
		goto free_copy;
	}
	strscpy(region.name, copy, sizeof(region.name));
	region.base = base;
	if (region.base != base) {
		pr_err("region=%s: beyond this machine's addresses\n", text);
		goto free_copy;
	}
	err = cblock_claim_range(region.name, region.base, region.size, false);
	if (!err)
		err = PTR_ERR_OR_ZERO(cblock_region_add(&region));

free_copy:
	kfree(copy);
	return err;
}

static int region_from_reserve_mem(const char *name)
{
	struct cblock_region region = { .source = "reserve_mem", .pages = true };
	phys_addr_t size;
	int err;

	if (!kml_valid_name(name)) {
		pr_err("reserve_mem=%s: not a name\n", name);
		return -EINVAL;
	}
	if (!reserve_mem_find_by_name(name, &region.base, &size)) {
		pr_err("reserve_mem=%s: the kernel's command line reserves nothing of that name, or this kernel cannot\n",
		       name);
		return -ENOENT;
	}
	strscpy(region.name, name, sizeof(region.name));
	region.size = size;
	err = cblock_prove_pages(name, region.base, region.size);
	return err ?: PTR_ERR_OR_ZERO(cblock_region_add(&region));
}

int cblock_add_ranges(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < regions && !err; i++)
		err = region_from_text(region_param[i]);
	for (i = 0; i < reserves && !err; i++)
		err = region_from_reserve_mem(reserve_mem[i]);
	return err;
}
