// SPDX-License-Identifier: GPL-2.0
/*
 * Zeroing: ahead in the background while memory is free, and the rest before a
 * block is handed out.
 */
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include "cblock.h"

/* Blocks that come and go at once need no cleaning in between. */
#define CLEAN_DELAY	(HZ / 10)

/* Bits looked at with interrupts off. */
#define CLEAN_STRIDE	8192

static bool clean = true;
module_param(clean, bool, 0444);
MODULE_PARM_DESC(clean, "zero free memory in the background (default: y)");

static struct kthread_worker *cleaner;
static struct kthread_delayed_work clean_work;
static bool clean_armed, clean_stopping;

static void page_clear(struct cblock_region *region, u32 n)
{
	void *window;

	if (region->vaddr) {
		clear_page(region->vaddr + ((size_t)n << PAGE_SHIFT));
		return;
	}
	window = kmap_local_pfn(PHYS_PFN(region->base) + n);
	clear_page(window);
	kunmap_local(window);
}

/*
 * Zero what is dirty in a block that has just been allocated. Nobody else looks
 * at its bits, but their words are shared: change them under the lock.
 */
void cblock_clean(struct cblock *block, bool nowait)
{
	struct cblock_region *region = block->region;
	u32 first = cblock_page(block), end = first + block->area.size;
	unsigned long flags;
	u32 n;

	if (block->clean)
		return;
	n = find_next_bit(region->dirty, end, first);
	if (n >= end)
		return;
	for (; n < end; n = find_next_bit(region->dirty, end, n + 1)) {
		page_clear(region, n);
		if (!nowait)
			cond_resched();
	}
	raw_spin_lock_irqsave(&region->lock, flags);
	bitmap_clear(region->dirty, first, block->area.size);
	raw_spin_unlock_irqrestore(&region->lock, flags);
}

/* Zero all of a block that is in use. Context: process. */
void cblock_wipe(struct cblock *block)
{
	u32 n = cblock_page(block), end = n + block->area.size;

	for (; n < end; n++) {
		page_clear(block->region, n);
		cond_resched();
	}
}

/*
 * Zero the first page at or behind @n that is free and dirty. Under the lock, so
 * that nobody can allocate it meanwhile: who allocates in an interrupt could not
 * wait for a thread that he may have interrupted. Return where to go on, 0 at
 * the end.
 */
static u32 region_clean_page(struct cblock_region *region, u32 n)
{
	u32 origin = region->arena.head.start, start, end;

	raw_spin_lock_irq(&region->lock);
	if (!n)
		region->state = CBLOCK_CLEANING;
	if (cblock_arena_gap(&region->arena, origin + n, &start, &end)) {
		n = max(n, start - origin);
		end = min(end - origin, n + CLEAN_STRIDE);
		n = find_next_bit(region->dirty, end, n);
		if (n < end) {
			page_clear(region, n);
			__clear_bit(n++, region->dirty);
		}
	} else {
		if (region->state == CBLOCK_CLEANING)
			region->state = CBLOCK_CLEAN;
		n = 0;
	}
	raw_spin_unlock_irq(&region->lock);
	return n;
}

static void clean_regions(struct kthread_work *work)
{
	struct cblock_region *region;
	u32 n;

	WRITE_ONCE(clean_armed, false);
	smp_mb(); /* a free that saw it armed has set its bits */
	for_each_region(region) {
		cblock_spares_fill(region, GFP_KERNEL);
		n = 0;
		do {
			n = region_clean_page(region, n);
			cond_resched();
		} while (n && !READ_ONCE(clean_stopping));
	}
}

/* There is something to clean. Context: any. */
void cblock_clean_wake(void)
{
	smp_mb(); /* the dirty bits are set before this looks */
	if (!cleaner || READ_ONCE(clean_armed))
		return;
	WRITE_ONCE(clean_armed, true);
	kthread_queue_delayed_work(cleaner, &clean_work, CLEAN_DELAY);
}

int cblock_clean_start(void)
{
	struct kthread_worker *worker;

	if (!clean)
		return 0;
	worker = kthread_create_worker(0, "cblock_clean");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	set_user_nice(worker->task, MAX_NICE);
	kthread_init_delayed_work(&clean_work, clean_regions);
	cleaner = worker;
	cblock_clean_wake();
	return 0;
}

void cblock_clean_stop(void)
{
	if (!cleaner)
		return;
	WRITE_ONCE(clean_stopping, true);
	kthread_cancel_delayed_work_sync(&clean_work);
	kthread_destroy_worker(cleaner);
	cleaner = NULL;
}
