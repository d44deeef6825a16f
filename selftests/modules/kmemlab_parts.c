// SPDX-License-Identifier: GPL-2.0
/*
 * Another driver that gives back in parts what it allocated from CMA in one piece:
 * of sixteen pages it keeps the third and fourth, and the ninth to fourteenth. Or
 * one that holds all that is free in an area up to some page.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "../../compat/cma.c"

static struct kml_cma_calls calls;
static struct cma *area;
static struct page *pages;
static LIST_HEAD(held);		/* runs by their first page, with their order */

static unsigned long below;
module_param(below, ulong, 0444);
MODULE_PARM_DESC(below, "page frame number: what is free before it, in its area, is held");

static int take_first(struct cma *cma, void *data)
{
	area = cma;
	return 1;
}

static int take_around(struct cma *cma, void *data)
{
	unsigned long first = PHYS_PFN(calls.base(cma));

	if (below <= first || below > first + (calls.size(cma) >> PAGE_SHIFT))
		return 0;
	area = cma;
	return 1;
}

static int hold_below(void)
{
	struct page *page;
	int order;

	if (calls.alloc && calls.for_each && calls.base && calls.size)
		calls.for_each(take_around, NULL);
	if (!area)
		return -EOPNOTSUPP;
	for (order = 8; order >= 0; order--) {
		while ((page = calls.alloc(area, 1 << order, 0, true))) {
			if (page_to_pfn(page) + (1 << order) > below) {
				calls.release(area, page, 1 << order);
				break;
			}
			set_page_private(page, order);
			list_add(&page->lru, &held);
		}
	}
	return 0;
}

static void let_go(void)
{
	struct page *page, *next;
	unsigned long order;

	list_for_each_entry_safe(page, next, &held, lru) {
		order = page_private(page);
		set_page_private(page, 0);
		list_del(&page->lru);
		calls.release(area, page, 1 << order);
	}
}

static int __init kmemlab_parts_init(void)
{
	kml_cma_find(&calls, kml_cma_may_resolve());
	if (below)
		return hold_below();
	if (calls.of_device)
		area = calls.of_device(NULL);
	else if (calls.for_each)
		calls.for_each(take_first, NULL);
	if (!calls.alloc || !area)
		return -EOPNOTSUPP;
	pages = calls.alloc(area, 16, 0, true);
	if (!pages)
		return -ENOMEM;
	calls.release(area, pages + 4, 4);
	calls.release(area, pages, 2);
	calls.release(area, pages + 14, 2);
	return 0;
}

static void __exit kmemlab_parts_exit(void)
{
	if (below) {
		let_go();
		return;
	}
	calls.release(area, pages + 2, 2);
	calls.release(area, pages + 8, 6);
}

module_init(kmemlab_parts_init);
module_exit(kmemlab_parts_exit);

MODULE_DESCRIPTION("Gives back an allocation in parts, for tests");
MODULE_LICENSE("GPL");
