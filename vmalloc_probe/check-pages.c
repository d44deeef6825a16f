// SPDX-License-Identifier: GPL-2.0
/* The contract of vmalloc, second half: its pages, and what remains of them. */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

#include "vp.h"
#include "check.h"

/* --- VM-5, VM-7: where the pages come from, and how they are mapped ----------- */

static enum vp_finding try_node(char *seen)
{
	unsigned int i, wrong = 0, nodes = 0;
	const unsigned int pages = 64;
	void *p;
	int node;

	for_each_node_state(node, N_MEMORY) {
		nodes++;
		p = vmalloc_node(pages * PAGE_SIZE, node);
		if (!p)
			return vp_find(HIDDEN, seen, "no memory on node %d", node);
		for (i = 0; i < pages; i++)
			wrong += page_to_nid(vmalloc_to_page(p + i * PAGE_SIZE)) != node;
		vfree(p);
	}
	if (nodes < 2)
		return vp_find(HIDDEN, seen, "one node only");
	return wrong ? vp_find(DIFFERS, seen, "%u of %u pages on another node", wrong,
			       nodes * pages) :
		       vp_find(HOLDS, seen, "%u pages on each of %u nodes", pages, nodes);
}

#define VP_ARRAY_PAGES	(PAGE_SIZE / sizeof(struct page *))

/* How many areas do so many pages take, and is the array in one of them? */
static bool measure_array(unsigned long pages, unsigned long *areas, bool *vpages)
{
	unsigned long before = vp_own_areas();
	void *p = __vmalloc(pages * PAGE_SIZE, VP_GFP);
	struct kml_vmap area;
	bool found = p && vp_area_at(p, &area);

	if (found) {
		*areas = vp_own_areas() - before;
		*vpages = area.vpages;
	}
	vfree(p);
	return found;
}

static enum vp_finding try_array(char *seen)
{
	unsigned long small, large;
	bool small_nested, large_nested;
	unsigned int tries;

	if (!kml_vmap_lists(KML_VMAP_BUSY))
		return vp_find(HIDDEN, seen, "the areas are hidden");
	/* other users of this module may come and go while it counts its areas */
	for (tries = 0; tries < 5; tries++) {
		if (!measure_array(VP_ARRAY_PAGES, &small, &small_nested) ||
		    !measure_array(VP_ARRAY_PAGES + 1, &large, &large_nested))
			return vp_find(HIDDEN, seen, "no memory for %lu pages",
				       (unsigned long)VP_ARRAY_PAGES + 1);
		if (!small_nested && large_nested && small == 1 && large == 2)
			return vp_find(HOLDS, seen, "%lu pages take 1 area, one more takes 2",
				       (unsigned long)VP_ARRAY_PAGES);
	}
	return vp_find(DIFFERS, seen, "%lu pages: %lu areas, nested %d; one more: %lu, %d",
		       (unsigned long)VP_ARRAY_PAGES, small, small_nested, large,
		       large_nested);
}

static enum vp_finding try_huge(char *seen)
{
	unsigned int order = 0;
	struct kml_vmap area;
	void *p = kml_vmalloc(PMD_SIZE, 1, VP_GFP, NUMA_NO_NODE, true);

	if (!p)
		return vp_find(HIDDEN, seen, "no memory for %lu bytes", PMD_SIZE);
	if (vp_area_at(p, &area))
		order = area.page_order;
	vfree(p);
	return order ? vp_find(HOLDS, seen, "%lu bytes in pages of order %u", PMD_SIZE,
			       order) :
		       vp_find(HIDDEN, seen,
			       "this kernel, or its free memory, has no huge pages for it");
}

static enum vp_finding try_mapping(char *seen)
{
	const unsigned long pages = 32;
	unsigned long i, runs = 0, last = 0, wrong = 0;
	struct page *page;
	u64 *p, *q;

	p = __vmalloc(pages * PAGE_SIZE, VP_GFP);
	if (!p)
		return vp_find(HIDDEN, seen, "no memory for %lu pages", pages);
	for (i = 0; i < pages; i++)
		p[i * PAGE_SIZE / sizeof(*p)] = ~(u64)i;
	for (i = 0; i < pages; i++) {
		page = vmalloc_to_page((void *)p + i * PAGE_SIZE);
		runs += !i || page_to_pfn(page) != last + 1;
		last = page_to_pfn(page);
		q = kmap_local_page(page);
		wrong += *q != ~(u64)i;
		kunmap_local(q);
	}
	vfree(p);
	return wrong ? vp_find(DIFFERS, seen, "%lu of %lu pages are not the ones written to",
			       wrong, pages) :
		       vp_find(HOLDS, seen, "%lu pages in %lu physical runs", pages, runs);
}

/* --- VM-6: a failure midway --------------------------------------------------- */

#ifdef CONFIG_ZONE_DMA
/*
 * A zone that hardly anybody uses is asked for more pages than it has, without
 * reclaim: some are taken, then there are none, and nobody else is in need.
 */
static enum vp_finding try_midway(char *seen)
{
	struct zone *zone = &NODE_DATA(first_memory_node)->node_zones[ZONE_DMA];
	unsigned long pages = zone_managed_pages(zone);
	unsigned long areas = vp_own_areas(), before, after;
	unsigned int tries;
	void *p;

	if (!pages || pages > totalram_pages() / 8)
		return vp_find(HIDDEN, seen,
			       "ZONE_DMA, with %lu pages, is not one that can be used up", pages);
	before = zone_page_state(zone, NR_FREE_PAGES);
	p = kml_vmalloc((pages + 1) * PAGE_SIZE, 1, __GFP_DMA | __GFP_NOWARN,
			NUMA_NO_NODE, false);
	vfree(p);
	if (p)
		return vp_find(DIFFERS, seen, "%lu pages from a zone of %lu", pages + 1,
			       pages);
	/* newer kernels clean up from a work item */
	for (tries = 0; tries < 100; tries++) {
		/* per-CPU lists keep some */
		after = zone_page_state(zone, NR_FREE_PAGES) + 64 * num_online_cpus();
		if (vp_own_areas() == areas && after >= before)
			return vp_find(HOLDS, seen, "%lu free pages before and after",
				       before);
		msleep(20);
	}
	return vp_find(DIFFERS, seen, "%lu areas of %lu and %lu free pages of %lu are left",
		       vp_own_areas(), areas, after, before);
}
#else
static enum vp_finding try_midway(char *seen)
{
	return vp_find(HIDDEN, seen, "no ZONE_DMA that can be used up");
}
#endif

/* --- VM-8, VM-9: what others know of it --------------------------------------- */

static enum vp_finding try_kmemleak(char *seen)
{
	if (!IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		return vp_find(HIDDEN, seen, "kmemleak is not built in");
	return vp_find(HIDDEN, seen,
		       "kmemleak scans when user space asks: 'alloc SIZE unreferenced', then scan");
}

static bool is_lazy(const void *addr)
{
	struct kml_vmap area;
	unsigned int list;
	u64 held;

	for (list = 0; list < kml_vmap_lists(KML_VMAP_LAZY); list++)
		if (kml_vmap_next(KML_VMAP_LAZY, list, (unsigned long)addr, &area,
				  &held) && area.start <= (unsigned long)addr)
			return true;
	return false;
}

/* Others may purge at any moment: one of a few tries has to show it. */
#define VP_LAZY_TRIES	8

static enum vp_finding try_lazy(char *seen)
{
	unsigned int i;
	void *p, *q;

	for (i = 0; i < VP_LAZY_TRIES; i++) {
		p = __vmalloc(3 * PAGE_SIZE, VP_GFP);
		vfree(p);
		if (!p)
			return vp_find(HIDDEN, seen, "no memory for three pages");
		if (kml_vmap_lists(KML_VMAP_LAZY)) {
			if (is_lazy(p))
				return vp_find(HOLDS, seen, "on the list of the unpurged");
			continue;
		}
		q = __vmalloc(3 * PAGE_SIZE, VP_GFP);
		vfree(q);
		if (q && q != p)
			return vp_find(HOLDS, seen, "its place is not used again at once");
	}
	return vp_find(DIFFERS, seen, "gone at once, %u times", VP_LAZY_TRIES);
}

static enum vp_finding try_purge(char *seen)
{
	unsigned int i;
	void *p, *q;

	for (i = 0; i < VP_LAZY_TRIES; i++) {
		vm_unmap_aliases();
		p = __vmalloc(3 * PAGE_SIZE, VP_GFP);
		vfree(p);
		if (!p)
			return vp_find(HIDDEN, seen, "no memory for three pages");
		vm_unmap_aliases();
		if (kml_vmap_lists(KML_VMAP_LAZY)) {
			if (!is_lazy(p))
				return vp_find(HOLDS, seen, "a purge took it off the list");
			continue;
		}
		q = __vmalloc(3 * PAGE_SIZE, VP_GFP);
		vfree(q);
		if (q == p)
			return vp_find(HOLDS, seen, "after a purge its place is used again");
	}
	return vp_find(DIFFERS, seen, "still there after %u purges", VP_LAZY_TRIES);
}

const struct vp_experiment vp_page_experiments[] = {
	{ "VM-5", "node", try_node },
	{ "VM-5", "array", try_array },
	{ "VM-5", "huge", try_huge },
	{ "VM-6", "midway", try_midway },
	{ "VM-7", "mapping", try_mapping },
	{ "VM-8", "kmemleak", try_kmemleak },
	{ "VM-9", "lazy", try_lazy },
	{ "VM-9", "purge", try_purge },
};

const unsigned int vp_page_experiments_nr = ARRAY_SIZE(vp_page_experiments);
