// SPDX-License-Identifier: GPL-2.0
/*
 * The run-time heir of free_bootmem(): a reserved-memory region goes back to
 * the buddy. Everything is proven before the first page moves.
 */
#include <linux/device.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/sched.h>

#include "bootmem_probe.h"

static DEFINE_MUTEX(release_lock);

/* By its full name, or by the part before the '@' if only one has that. */
static int find_region(const struct bm_machine *m, const char *name,
		       const struct bm_region **found)
{
	size_t len = strlen(name);
	unsigned int i;

	*found = NULL;
	for (i = 0; i < m->nr_regions; i++) {
		const char *full = kbasename(m->regions[i].np->full_name);

		if (!strcmp(full, name)) {
			*found = &m->regions[i];
			return 0;
		}
		if (strncmp(full, name, len) || full[len] != '@')
			continue;
		if (*found)
			return kml_fail(&bm_verdict, -EINVAL,
					"release: several regions are called '%s'; add the '@' and what follows",
					name);
		*found = &m->regions[i];
	}
	if (!*found)
		return kml_fail(&bm_verdict, -ENOENT,
				"release: there is no reserved-memory region '%s'",
				name);
	return 0;
}

/* What the node says about itself. */
static int check_node(const struct bm_region *region, const char *name)
{
	if (!region->releasable)
		return kml_fail(&bm_verdict, -EPERM,
				"release: %s is not declared kmemlab,releasable",
				name);
	if (!region->enabled || !region->size)
		return kml_fail(&bm_verdict, -EINVAL,
				"release: boot did not reserve %s", name);
	if (region->no_map)
		return kml_fail(&bm_verdict, -EINVAL,
				"release: %s is no-map, the kernel has no mapping of it",
				name);
	if (region->reusable)
		return kml_fail(&bm_verdict, -EINVAL,
				"release: %s is reusable, CMA lends its pages already",
				name);
	if (!IS_ALIGNED(region->start | region->size, PAGE_SIZE))
		return kml_fail(&bm_verdict, -EINVAL,
				"release: %s is not made of whole pages", name);
	return 0;
}

/* Nobody else has a claim to the range. */
static int check_claims(const struct bm_machine *m,
			const struct bm_region *region, const char *name)
{
	u64 last = region->start + region->size - 1;
	const struct bm_range *r;
	unsigned int i;

	for (i = 0; i < m->nr_regions; i++) {
		const struct bm_region *other = &m->regions[i];

		if (other != region && other->size &&
		    other->start <= last &&
		    region->start <= other->start + other->size - 1)
			return kml_fail(&bm_verdict, -EBUSY,
					"release: %s overlaps %s", name,
					kbasename(other->np->full_name));
	}
	bm_for_each_range(r, &m->iomem)
		if (bm_common(r, region->start, last) &&
		    strcmp(r->name, "System RAM") && strcmp(r->name, "reserved"))
			return kml_fail(&bm_verdict, -EBUSY,
					"release: '%s' claims %#llx-%#llx of %s",
					r->name, r->start, r->last, name);
	if (m->kept && bm_ranges_overlap(&m->reserved, region->start, last) !=
		       region->size)
		return kml_fail(&bm_verdict, -EINVAL,
				"release: memblock did not reserve all of %s",
				name);
	return 0;
}

static bool refers_to(struct device_node *user, const struct device_node *np)
{
	struct device_node *target;
	int i;

	for (i = 0; (target = of_parse_phandle(user, "memory-region", i)); i++) {
		of_node_put(target);
		if (target == np)
			return true;
	}
	return false;
}

#define BM_USERS_MAX	8	/* of a region; one more is taken for a holder */

/* Devices that refer to the region: locked, so that none gets a driver. */
struct users {
	struct platform_device *pdev[BM_USERS_MAX];
	unsigned int nr;
};

static void unlock_users(struct users *users)
{
	while (users->nr) {
		struct platform_device *pdev = users->pdev[--users->nr];

		device_unlock(&pdev->dev);
		put_device(&pdev->dev);
	}
}

/*
 * A device that refers to the region holds it while it has a driver. On a bus
 * that is not the platform's it may: that counts, too.
 */
static bool held_by(struct device_node *user, struct users *users)
{
	struct platform_device *pdev = of_find_device_by_node(user);

	if (!pdev)
		return of_device_is_available(user) &&
		       of_get_property(user, "compatible", NULL);
	if (users->nr < BM_USERS_MAX) {
		device_lock(&pdev->dev);
		if (!pdev->dev.driver) {
			users->pdev[users->nr++] = pdev;
			return false;
		}
		device_unlock(&pdev->dev);
	}
	put_device(&pdev->dev);
	return true;
}

/*
 * Whoever makes a device of a node, or a region of cblock, sets this flag first
 * and looks at the pages then: after a release they say enough.
 */
static int take_node(struct device_node *np, const char *name)
{
	if (of_node_test_and_set_flag(np, OF_POPULATED))
		return kml_fail(&bm_verdict, -EBUSY,
				"release: %s is taken by a driver",
				name);
	return 0;
}

/* For unlock_users(), whatever is returned. */
static int check_drivers(const struct bm_region *region, const char *name,
			 struct users *users)
{
	struct device_node *user;

	for_each_node_with_property(user, "memory-region") {
		int err;

		if (!refers_to(user, region->np) || !held_by(user, users))
			continue;
		err = kml_fail(&bm_verdict, -EBUSY, "release: %pOF holds %s",
			       user, name);
		of_node_put(user);
		return err;
	}
	return 0;
}

/* Every page is as boot left it. */
static int check_pages(const struct bm_region *region, const char *name)
{
	unsigned long pfn = PHYS_PFN(region->start);
	unsigned long end = PHYS_PFN(region->start + region->size);

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page)
			return kml_fail(&bm_verdict, -ERANGE,
					"release: %s has no page struct at %#llx",
					name, (u64)pfn << PAGE_SHIFT);
		if (!PageReserved(page))
			return kml_fail(&bm_verdict, -EBUSY,
					"release: %s is in the buddy already at %#llx",
					name, (u64)pfn << PAGE_SHIFT);
		if (page_count(page) != 1)
			return kml_fail(&bm_verdict, -EBUSY,
					"release: somebody uses %s at %#llx",
					name, (u64)pfn << PAGE_SHIFT);
		if (!(pfn % pageblock_nr_pages))
			cond_resched();
	}
	return 0;
}

static void release_pages_of(const struct bm_region *region)
{
	unsigned long pfn = PHYS_PFN(region->start);
	unsigned long end = PHYS_PFN(region->start + region->size);

	for (; pfn < end; pfn++) {
		free_reserved_page(pfn_to_page(pfn));
		if (!(pfn % pageblock_nr_pages))
			cond_resched();
	}
}

/**
 * bm_release - hand a reserved-memory region to the buddy, for good
 * @name: of the node, with or without its '@' and address
 *
 * Context: process; may sleep.
 * Return: 0; -ENOENT for no such region; -EPERM for one that is not declared
 * kmemlab,releasable; -EINVAL for one that boot did not reserve, or not as
 * whole mapped pages; -ERANGE for one without page structs; -EBUSY for one
 * that somebody holds, or that was released before.
 */
int bm_release(const char *name)
{
	const struct bm_region *region;
	struct users users = {};
	struct bm_machine *m;
	int err;

	mutex_lock(&release_lock);
	m = bm_machine_read();
	if (IS_ERR(m)) {
		err = kml_fail(&bm_verdict, PTR_ERR(m),
			       "release: cannot read the machine's state");
		goto unlock;
	}
	err = find_region(m, name, &region);
	err = err ?: check_node(region, name);
	err = err ?: check_claims(m, region, name);
	err = err ?: take_node(region->np, name);
	if (err)
		goto free;
	err = check_drivers(region, name, &users);
	err = err ?: check_pages(region, name);
	if (!err) {
		release_pages_of(region);
		pr_info("released %s: %llu KiB at %#llx\n", name,
			region->size >> 10, region->start);
	}
	of_node_clear_flag(region->np, OF_POPULATED);
	unlock_users(&users);
free:
	bm_machine_free(m);
unlock:
	mutex_unlock(&release_lock);
	return err;
}
