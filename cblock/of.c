// SPDX-License-Identifier: GPL-2.0
/* Regions from the device tree. */
#include <linux/ioport.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>

#include "cblock.h"

static void put_node(struct cblock_region *region)
{
	if (region->priv)
		release_mem_region(region->base, region->size);
	of_node_clear_flag(region->of_node, OF_POPULATED);
	of_node_put(region->of_node);
}

/*
 * A node is taken the way for which the kernel has a flag: whoever makes a
 * device of it, or gives its memory away, looks at that first.
 */
static int add_node(struct device_node *node)
{
	struct cblock_region region = { .source = "device-tree", .put = put_node };
	const struct reserved_mem *rmem;
	struct cblock_region *added;
	const char *label;
	int err;

	if (!of_property_read_string(node, "label", &label))
		strscpy(region.name, label, sizeof(region.name));
	else
		snprintf(region.name, sizeof(region.name), "%pOFn", node);
	if (!kml_valid_name(region.name)) {
		pr_err("%pOF: '%s' is not a name\n", node, region.name);
		return -EINVAL;
	}
	if (of_property_read_bool(node, "reusable")) {
		pr_err("region %s: %pOF is reusable: the system has lent its pages out\n",
		       region.name, node);
		return -EINVAL;
	}
	rmem = of_reserved_mem_lookup(node);
	if (!rmem || !rmem->size) {
		pr_err("region %s: the kernel has not reserved %pOF\n",
		       region.name, node);
		return -ENOENT;
	}
	region.base = rmem->base;
	region.size = rmem->size;
	region.pages = !of_property_read_bool(node, "no-map");
	region.of_node = node;
	if (of_node_test_and_set_flag(node, OF_POPULATED)) {
		pr_err("region %s: %pOF is taken by a driver\n",
		       region.name, node);
		return -EBUSY;
	}
	if (region.pages) {
		err = cblock_prove_pages(region.name, region.base, region.size);
	} else if (!of_find_property(node, "reg", NULL)) {
		/* chosen by the kernel for this node, which has claimed it */
		err = cblock_check_range(region.name, region.base, region.size);
	} else {
		err = cblock_claim_range(region.name, region.base, region.size,
					 true);
		region.priv = node; /* to be released */
	}
	if (err) {
		of_node_clear_flag(node, OF_POPULATED);
		return err;
	}
	of_node_get(node);
	added = cblock_region_add(&region);
	return PTR_ERR_OR_ZERO(added);
}

/*
 * Every node that says it is for us: one in /reserved-memory is a region, any
 * other names regions in its memory-region property. What is wrong with one is
 * in the log, and no reason not to serve the others.
 */
void cblock_add_of(void)
{
	struct device_node *node, *parent, *memory;
	int i;

	for_each_compatible_node(node, NULL, "kmemlab,cblock") {
		if (!of_device_is_available(node))
			continue;
		parent = of_get_parent(node);
		if (of_node_name_eq(parent, "reserved-memory")) {
			add_node(node);
		} else {
			for (i = 0; (memory = of_parse_phandle(node,
							       "memory-region",
							       i)); i++) {
				if (!cblock_region_of_node(memory))
					add_node(memory);
				of_node_put(memory);
			}
		}
		of_node_put(parent);
	}
}
