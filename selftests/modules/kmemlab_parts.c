// SPDX-License-Identifier: GPL-2.0
/*
 * Another driver that gives back in parts what it allocated from CMA in one piece:
 * of sixteen pages it keeps the third and fourth, and the ninth to fourteenth.
 */
#include <linux/module.h>

#include "../../compat/cma.c"

static struct kml_cma_calls calls;
static struct cma *area;
static struct page *pages;

static int take_first(struct cma *cma, void *data)
{
	area = cma;
	return 1;
}

static int __init kmemlab_parts_init(void)
{
	kml_cma_find(&calls, kml_cma_may_resolve());
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
	calls.release(area, pages + 2, 2);
	calls.release(area, pages + 8, 6);
}

module_init(kmemlab_parts_init);
module_exit(kmemlab_parts_exit);

MODULE_DESCRIPTION("Gives back an allocation in parts, for tests");
MODULE_LICENSE("GPL");
