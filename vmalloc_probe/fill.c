// SPDX-License-Identifier: GPL-2.0
/*
 * Filling the range without filling the memory: areas that all map one page.
 */
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include "vp.h"

#define VP_FILL_MARK	0x66696c6c	/* "fill", at the start of the page */

/**
 * vp_fill_free - give a filling back
 * @fill: the filling, or NULL
 *
 * Context: process; may sleep.
 * Return: 0, or -EIO if an area did not show the page that it should map.
 */
int vp_fill_free(struct vp_fill *fill)
{
	unsigned long index, offset;
	int err = 0;
	void *addr;

	if (!fill)
		return 0;
	xa_for_each(&fill->areas, index, addr) {
		for (offset = 0; offset < fill->size; offset += PAGE_SIZE)
			if (*(u32 *)(addr + offset) != VP_FILL_MARK)
				err = -EIO;
		vunmap(addr);
		cond_resched();
	}
	xa_destroy(&fill->areas);
	if (fill->page)
		__free_page(fill->page);
	kfree(fill);
	return err;
}

/**
 * vp_fill_corrupt - flip a bit of the mark that all areas show
 * @fill: the filling
 */
void vp_fill_corrupt(struct vp_fill *fill)
{
	*(u32 *)page_address(fill->page) ^= 1;
}

static int fill_areas(struct vp_fill *fill, u64 count)
{
	unsigned long i, nr = fill->size >> PAGE_SHIFT;
	struct page **pages;
	void *addr;
	int err = 0;

	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		pages[i] = fill->page;

	while (fill->nr < count) {
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		addr = vmap(pages, nr, VM_MAP, PAGE_KERNEL);
		if (!addr)
			break;
		err = xa_err(xa_store(&fill->areas, fill->nr, addr, GFP_KERNEL));
		if (err) {
			vunmap(addr);
			break;
		}
		fill->nr++;
		cond_resched();
	}
	kvfree(pages);
	return err;
}

/**
 * vp_fill_take - take areas of one size
 * @size: bytes of each, whole pages
 * @count: how many, or 0 for as many as there are
 *
 * Context: process; may sleep.
 * Return: the filling, for vp_fill_free(); ERR_PTR with nothing taken: -ENOMEM
 * if there were fewer than @count or none at all, -EINTR.
 */
struct vp_fill *vp_fill_take(unsigned long size, u64 count)
{
	struct vp_fill *fill;
	int err = -ENOMEM;

	fill = kzalloc(sizeof(*fill), GFP_KERNEL);
	if (!fill)
		return ERR_PTR(-ENOMEM);
	xa_init(&fill->areas);
	fill->size = size;
	fill->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!fill->page)
		goto free_fill;
	*(u32 *)page_address(fill->page) = VP_FILL_MARK;

	err = fill_areas(fill, count ?: U64_MAX);
	if (!err && (!fill->nr || fill->nr < count))
		err = -ENOMEM;
	if (!err)
		return fill;

free_fill:
	vp_fill_free(fill);
	return ERR_PTR(err);
}
