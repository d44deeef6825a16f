/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's CMA functions, by whichever way this kernel offers them. What
 * cannot be reached is NULL; nothing here allocates or changes anything.
 */
#ifndef _KMEMLAB_COMPAT_CMA_H
#define _KMEMLAB_COMPAT_CMA_H

#include <linux/cma.h>
#include <linux/device.h>
#include <linux/types.h>

#include "pageblock.h"

/**
 * struct kml_cma_calls - what of mm/cma.c can be called on this kernel
 * @alloc: cma_alloc(); may sleep
 * @release: cma_release(); may sleep
 * @name: cma_get_name()
 * @base: cma_get_base(); warns for an area of several ranges
 * @size: cma_get_size()
 * @for_each: cma_for_each_area()
 * @of_device: dev_get_cma_area()
 * @by_index: dma_contiguous_get_area_by_idx()
 * @exported: @alloc and @release are the kernel's exports, not resolved
 *
 * Before 5.14 ("mm/cma: change cma mutex to irq safe spinlock" and its series)
 * the counts are size_t and unsigned int, which travel in the same registers.
 */
struct kml_cma_calls {
	struct page *(*alloc)(struct cma *cma, unsigned long count,
			      unsigned int align, bool no_warn);
	bool (*release)(struct cma *cma, const struct page *pages,
			unsigned long count);
	const char *(*name)(const struct cma *cma);
	phys_addr_t (*base)(const struct cma *cma);
	unsigned long (*size)(const struct cma *cma);
	int (*for_each)(int (*it)(struct cma *cma, void *data), void *data);
	struct cma *(*of_device)(struct device *dev);
	struct cma *(*by_index)(unsigned int idx);
	bool exported;
};

/**
 * kml_cma_find - look for the kernel's CMA functions
 * @calls: filled in
 * @resolve: may addresses of unexported functions be resolved?
 *
 * Context: process; may sleep.
 */
void kml_cma_find(struct kml_cma_calls *calls, bool resolve);

/* Whether this kernel lets resolved addresses be called at all. */
bool kml_cma_may_resolve(void);

/* Let @dev allocate from @cma; the area of NULL is the default area. */
void kml_cma_set_device_area(struct device *dev, struct cma *cma);

/**
 * struct kml_cma_events - what the kernel's tracepoints tell
 * @start: an allocation begins; @available and @total are ULONG_MAX where the
 *	   kernel does not tell. Not on kernels before 5.13
 * @finish: an allocation ended; @page is NULL if it failed, and @err then is
 *	    the kernel's errno or 0 where it does not tell. @name is NULL
 *	    before 5.13
 * @retry: a range was busy, the search goes on behind it
 * @release: pages go back; @name is NULL before 5.13
 * @isolated: an attempt on [@start, @end) got as far as @fin
 * @migrate: pages begin to move out of the way. Not on the oldest kernels
 *
 * Context: the task that allocates or releases; may not sleep.
 */
struct kml_cma_events {
	void (*start)(const char *name, unsigned long count,
		      unsigned long available, unsigned long total,
		      unsigned int align);
	void (*finish)(const char *name, const struct page *page,
		       unsigned long count, unsigned int align, int err);
	void (*retry)(void);
	void (*release)(const char *name, unsigned long pfn,
			unsigned long count);
	void (*isolated)(unsigned long start, unsigned long end,
			 unsigned long fin);
	void (*migrate)(void);
};

/**
 * kml_cma_watch - attach to the tracepoints of CMA
 * @events: what to call; NULL members are not attached. One set at a time
 *
 * Context: process; may sleep.
 * Return: 0, or a negative errno with nothing attached.
 */
int kml_cma_watch(const struct kml_cma_events *events);

/* Detach; no callback runs any more when this returns. */
void kml_cma_unwatch(void);

#endif /* _KMEMLAB_COMPAT_CMA_H */
