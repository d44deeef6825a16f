// SPDX-License-Identifier: GPL-2.0
/*
 * What the pages of an area are. The area's own bitmap is private to mm/cma.c;
 * what can be seen are the pages themselves. They change while they are looked
 * at: a class is a good guess about one moment, never a promise.
 */

#include <linux/mm.h>
#include <linux/page-flags.h>

#include "cma_test.h"

/*
 * The class of the page at @pfn and of up to @max pages behind it that are
 * certainly the same; their number is in @pages.
 */
static enum ct_class ct_classify(unsigned long pfn, unsigned long max,
				 unsigned long *pages)
{
	struct page *page = pfn_to_page(pfn), *head;
	unsigned long order;

	*pages = 1;
	if (PageBuddy(page)) {
		/* racing with the buddy: trust nothing that cannot be an order */
		order = READ_ONCE(page_private(page));
		if (order < BITS_PER_LONG - 1 &&
		    IS_ALIGNED(pfn, 1UL << order) && order <= pageblock_order)
			*pages = min(1UL << order, max);
		return CT_FREE;
	}
	head = compound_head(page);
	/* on its way between the buddy and somebody, in a per-CPU list */
	if (!page_ref_count(head))
		return CT_FREE;
	if (PageLRU(head) || READ_ONCE(head->mapping))
		return CT_BORROWED;
	return CT_ALLOCATED;
}

/**
 * ct_scan - walk an area
 * @area: the area; nothing happens if its bounds are unknown
 * @fn: called for every run of pages of one class, in ascending order
 * @arg: for @fn
 *
 * Context: process; may sleep.
 */
void ct_scan(const struct ct_area *area, ct_scan_fn fn, void *arg)
{
	unsigned long pfn = area->base, end = area->base + area->pages;
	unsigned long start = pfn, n;
	enum ct_class class, last = CT_FREE;

	for (; pfn < end; pfn += n) {
		class = ct_classify(pfn, end - pfn, &n);
		if (class != last && pfn > start) {
			fn(arg, start, pfn - start, last);
			start = pfn;
		}
		last = class;
		cond_resched();
	}
	if (end > start)
		fn(arg, start, end - start, last);
}

struct ct_stats_scan {
	struct ct_stats *stats;
	unsigned long fit;
};

static void ct_stats_run(void *arg, unsigned long pfn, unsigned long pages,
			 enum ct_class class)
{
	struct ct_stats_scan *scan = arg;
	struct ct_stats *stats = scan->stats;

	stats->pages[class] += pages;
	if (class == CT_FREE)
		stats->largest_free = max(stats->largest_free, pages);
	if (class == CT_FREE || class == CT_BORROWED)
		scan->fit += pages;
	else
		scan->fit = 0;
	stats->largest_fit = max(stats->largest_fit, scan->fit);
}

/**
 * ct_scan_stats - the state of an area in numbers
 * @area: the area
 * @stats: filled in
 *
 * Context: process; may sleep.
 */
void ct_scan_stats(const struct ct_area *area, struct ct_stats *stats)
{
	struct ct_stats_scan scan = { .stats = stats };

	memset(stats, 0, sizeof(*stats));
	ct_scan(area, ct_stats_run, &scan);
}
