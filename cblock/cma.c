// SPDX-License-Identifier: GPL-2.0
/* Regions taken from CMA areas when the module loads, for as long as it stays. */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/string.h>

#include "compat_cma.h"
#include "cblock.h"

#define PARAM_MAX	8

static char *cma_param[PARAM_MAX];
static unsigned int areas;
module_param_array_named(cma, cma_param, charp, &areas, 0444);
MODULE_PARM_DESC(cma,
		 "AREA:SIZE[,...]: taken from a CMA area at once, given back at unload; AREA as in /sys/kernel/mm/cma, or default");

static bool resolve = true;
module_param(resolve, bool, 0444);
MODULE_PARM_DESC(resolve, "reach CMA where the kernel does not export it (default: y)");

static struct kml_cma_calls calls;

/**
 * struct search - for a CMA area
 * @name: its name
 * @found: the area, NULL until found
 */
struct search {
	const char *name;
	struct cma *found;
};

static int search_step(struct cma *cma, void *arg)
{
	struct search *search = arg;

	if (strcmp(calls.name(cma), search->name))
		return 0;
	search->found = cma;
	return 1;
}

static struct cma *find_area(const char *name)
{
	struct search search = { .name = name };
	struct cma *cma;
	unsigned int i;

	if (!strcmp(name, "default") && calls.of_device)
		return calls.of_device(NULL);
	if (!calls.name)
		return NULL;
	if (!strcmp(name, "default"))
		search.name = "reserved";
	if (calls.for_each)
		calls.for_each(search_step, &search);
	for (i = 0; calls.by_index && !search.found; i++) {
		cma = calls.by_index(i);
		if (!cma)
			break;
		search_step(cma, &search);
	}
	return search.found;
}

static void put_cma(struct cblock_region *region)
{
	calls.release(region->priv, pfn_to_page(PHYS_PFN(region->base)),
		      region_pages(region));
}

/* Areas of device-tree nodes are called NODE@ADDRESS: the region is NODE. */
static bool name_region(struct cblock_region *region, const char *area)
{
	size_t len = strcspn(area, "@");

	if (len >= sizeof(region->name))
		return false;
	memcpy(region->name, area, len);
	return kml_valid_name(region->name);
}

static int region_from_cma(const char *text)
{
	struct cblock_region region = {
		.source = "cma", .pages = true, .put = put_cma,
	};
	char *copy, *size;
	struct page *page;
	struct cma *cma;
	int err = -EINVAL;

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	size = copy;
	strsep(&size, ":");
	if (!size || !name_region(&region, copy) ||
	    kml_parse_size(size, &region.size) || !region.size) {
		pr_err("cma=%s: not AREA:SIZE\n", text);
		goto free_copy;
	}
	if (!calls.alloc || !calls.release) {
		pr_err("cma=%s: this kernel lets no module use CMA\n", text);
		err = -EOPNOTSUPP;
		goto free_copy;
	}
	cma = find_area(copy);
	if (!cma) {
		pr_err("cma=%s: there is no such area\n", text);
		err = -ENOENT;
		goto free_copy;
	}
	region.size = PAGE_ALIGN(region.size);
	err = -ENOMEM;
	page = NULL;
	if (region.size >> PAGE_SHIFT < CBLOCK_POS_MAX)
		page = calls.alloc(cma, region_pages(&region),
				   min(get_order(region.size),
				       get_order(PMD_SIZE)), false);
	if (!page) {
		pr_err("cma=%s: the area has no such run, or not now\n", text);
		goto free_copy;
	}
	region.base = page_to_phys(page);
	region.priv = cma;
	err = PTR_ERR_OR_ZERO(cblock_region_add(&region));

free_copy:
	kfree(copy);
	return err;
}

int cblock_add_cma(void)
{
	unsigned int i;
	int err = 0;

	if (areas)
		kml_cma_find(&calls, resolve && kml_cma_may_resolve());
	for (i = 0; i < areas && !err; i++)
		err = region_from_cma(cma_param[i]);
	return err;
}
