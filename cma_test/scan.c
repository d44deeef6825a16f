// SPDX-License-Identifier: GPL-2.0
/*
 * What the pages of an area are. The area's own bitmap is private to mm/cma.c;
 * what can be seen are the pages themselves. They change while they are looked
 * at: a class is a good guess about one moment, never a promise.
 */

#include <linux/mm.h>
#include <linux/page-flags.h>

#include "cma_test.h"

const char *ct_class_name(enum ct_class class)
{
	static const char * const names[CT_CLASSES] = {
		[CT_FREE]      = "free",
		[CT_BORROWED]  = "borrowed",
		[CT_ALLOCATED] = "allocated",
		[CT_PINNED]    = "pinned",
	};

	return names[class];
}

/* page_mapcount() of any release: a page's type is kept in the same word. */
static int ct_mapcount(struct page *page)
{
	return max(atomic_read(&page->_mapcount) + 1, 0);
}

/*
 * More references than its users explain: pin_user_pages() takes 1024 at once
 * so that it can be told from the page cache's and the page tables' own. Fewer
 * are normal while pages wait for their place in the LRU lists.
 */
static bool ct_is_pinned(struct page *head)
{
	return page_ref_count(head) - ct_mapcount(head) >= GUP_PIN_COUNTING_BIAS;
}

/*
 * More references than page tables, the page cache and a filesystem explain keep a
 * page from moving for as long as they last, however few. That may be a moment: of
 * a page that did block it is worth asking. The mappings of a large folio are
 * counted elsewhere.
 */
static bool ct_is_held(struct page *head)
{
	unsigned long flags = kml_page_flags(head);
	int users = ct_mapcount(head) + !!(flags & PAGE_FLAGS_PRIVATE);

	users += !PageAnon(head) || flags & BIT(PG_swapcache);
	/* put back in vain, it waits for the LRU lists: a reference of its own */
	users += !PageLRU(head);
	return !PageCompound(head) && page_ref_count(head) > users;
}

/* Somebody's, and neither free nor movable memory of the system. */
static bool ct_is_taken(struct page *head)
{
	return page_ref_count(head) && !PageLRU(head) &&
	       !READ_ONCE(head->mapping);
}

/**
 * ct_pages_taken - are pages handed out by CMA?
 * @pfn: the first
 * @pages: how many
 *
 * Context: any.
 * Return: true if all of them are, as far as can be seen.
 */
bool ct_pages_taken(unsigned long pfn, unsigned long pages)
{
	unsigned long end = pfn + pages;

	for (; pfn < end; pfn++)
		if (!ct_is_taken(compound_head(pfn_to_page(pfn))))
			return false;
	return true;
}

/*
 * The class of the page at @pfn and of up to @max pages behind it that are
 * certainly the same; their number is in @pages.
 */
static enum ct_class ct_classify(unsigned long pfn, unsigned long max,
				 unsigned long *pages)
{
	struct page *page = pfn_to_page(pfn), *head;
	unsigned long order, owned;

	*pages = 1;
	if (PageBuddy(page)) {
		/* racing with the buddy: trust nothing that cannot be an order */
		order = READ_ONCE(page_private(page));
		if (order <= MAX_PAGE_ORDER && IS_ALIGNED(pfn, 1UL << order))
			*pages = min(1UL << order, max);
		return CT_FREE;
	}
	owned = ct_owner_covers(pfn);
	if (owned) {
		*pages = min(owned, max);
		return CT_ALLOCATED;
	}
	if (ct_pin_has(pfn))
		return CT_PINNED;
	head = compound_head(page);
	/* on its way between the buddy and somebody, in a per-CPU list */
	if (!page_ref_count(head))
		return CT_FREE;
	if (PageLRU(head) || READ_ONCE(head->mapping))
		return ct_is_pinned(head) ? CT_PINNED : CT_BORROWED;
	return CT_ALLOCATED;
}

/**
 * ct_page_look - note what a page is
 * @look: filled in
 * @pfn: the page
 *
 * Context: any.
 */
void ct_page_look(struct ct_page *look, unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn), *head = compound_head(page);
	unsigned long mapping = (unsigned long)READ_ONCE(head->mapping);

	look->pfn = pfn;
	look->flags = kml_page_flags(head);
	look->refs = page_ref_count(head);
	look->maps = ct_mapcount(page);
	if (ct_pin_has(pfn))
		look->kind = "lab-pin";
	else if (PageBuddy(page))
		look->kind = "free";
	else if (PageAnon(head))
		look->kind = "anon";
	else if (mapping)
		look->kind = mapping & 2 ? "movable" : "file";
	else if (look->refs)
		look->kind = "kernel";
	else
		look->kind = "free";
}

/**
 * ct_page_movable - could CMA claim this page now?
 * @pfn: the page
 *
 * Context: process.
 * Return: whether it is free or borrowed, and nobody holds it.
 */
bool ct_page_movable(unsigned long pfn)
{
	unsigned long pages;
	enum ct_class class = ct_classify(pfn, 1, &pages);

	return class == CT_FREE ||
	       (class == CT_BORROWED &&
		!ct_is_held(compound_head(pfn_to_page(pfn))));
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

struct ct_fit_scan {
	struct ct_fit *fit;
	unsigned long start;	/* of the current run of pages that may be had */
	unsigned long end;
	unsigned long moved;	/* borrowed pages of it from its first aligned page */
};

/*
 * Runs of free and of borrowed pages are joined while they follow each other.
 * Only the first fit is wanted: what is borrowed in it is counted as it grows.
 */
static void ct_fit_run(void *arg, unsigned long pfn, unsigned long pages,
		       enum ct_class class)
{
	struct ct_fit_scan *scan = arg;
	struct ct_fit *fit = scan->fit;
	unsigned long first, from, to;

	if (class != CT_FREE && class != CT_BORROWED) {
		scan->end = 0;
		return;
	}
	if (scan->end != pfn) {
		scan->start = pfn;
		scan->moved = 0;
	}
	scan->end = pfn + pages;
	first = ALIGN(scan->start, 1UL << fit->order);
	if (first >= scan->end || first < scan->start)
		return;
	fit->largest = max(fit->largest, scan->end - first);
	if (fit->found)
		return;
	if (class == CT_BORROWED) {
		from = max(pfn, first);
		to = min(scan->end, first + fit->pages);
		scan->moved += to > from ? to - from : 0;
	}
	if (scan->end - first >= fit->pages) {
		fit->found = true;
		fit->pfn = first;
		fit->borrowed = scan->moved;
	}
}

/**
 * ct_scan_fit - would an allocation fit, and where?
 * @area: the area
 * @fit: what is asked for on entry, the answer on return
 *
 * Context: process; may sleep.
 */
void ct_scan_fit(const struct ct_area *area, struct ct_fit *fit)
{
	struct ct_fit_scan scan = { .fit = fit };

	fit->found = false;
	fit->largest = 0;
	ct_scan(area, ct_fit_run, &scan);
}
