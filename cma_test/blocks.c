// SPDX-License-Identifier: GPL-2.0
/*
 * Named allocations, and the ten slots of the classic interface, which are
 * named allocations too: slot i is the block "slot<i>" of i + 1 MiB.
 *
 * A block is in the list, and owns its name and its slot, before its pages are
 * allocated: the lock is not held meanwhile, so that allocations can run in
 * parallel, and two writers cannot race for the same slot.
 */

#include <linux/bitops.h>
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "cma_test.h"

static LIST_HEAD(ct_blocks);
static DEFINE_MUTEX(ct_lock);	/* protects ct_blocks and every ready flag */
static unsigned int ct_made_up;	/* the last name that was made up */

static struct ct_block *ct_block_find(const char *name)
{
	struct ct_block *block;

	lockdep_assert_held(&ct_lock);
	list_for_each_entry(block, &ct_blocks, list)
		if (!strcmp(block->name, name))
			return block;
	return NULL;
}

static struct ct_block *ct_slot_find(int slot)
{
	struct ct_block *block;

	lockdep_assert_held(&ct_lock);
	list_for_each_entry(block, &ct_blocks, list)
		if (block->slot == slot)
			return block;
	return NULL;
}

static u64 ct_block_kib(const struct ct_block *block)
{
	return (u64)block->run.pages << (PAGE_SHIFT - 10);
}

static void ct_block_log(const struct ct_block *block, const char *what)
{
	phys_addr_t first = PFN_PHYS(block->run.pfn);
	phys_addr_t last = PFN_PHYS(block->run.pfn + block->run.pages) - 1;

	pr_info("%s: %s %llu KiB at %pa-%pa (area %s%s)\n", block->name, what,
		ct_block_kib(block), &first, &last, block->run.area->name,
		block->in_area ? "" : ", but not from it");
}

static u64 *ct_map_page(const struct ct_run *run, unsigned long i)
{
	if (run->cpu)
		return run->cpu + i * PAGE_SIZE;
	return kmap_local_page(pfn_to_page(run->pfn + i));
}

static void ct_unmap_page(const struct ct_run *run, u64 *addr)
{
	if (!run->cpu)
		kunmap_local(addr);
}

/*
 * Every page is cleared and stamped, then every stamp is read back: a page that
 * is there twice, or not at all, shows.
 */
static int ct_block_touch(const struct ct_run *run)
{
	unsigned long i, wrong = 0;
	u64 *addr;

	for (i = 0; i < run->pages; i++) {
		addr = ct_map_page(run, i);
		memset(addr, 0, PAGE_SIZE);
		addr[0] = run->pfn + i;
		ct_unmap_page(run, addr);
		cond_resched();
	}
	for (i = 0; i < run->pages; i++) {
		addr = ct_map_page(run, i);
		wrong += addr[0] != run->pfn + i;
		addr[0] = 0;
		ct_unmap_page(run, addr);
		cond_resched();
	}
	return wrong ? -EIO : 0;
}

static int ct_block_verify(struct ct_block *block,
			   const struct ct_request *req, unsigned int order)
{
	const struct ct_area *area = req->area;
	struct ct_run *run = &block->run;
	unsigned long i;

	if (!block->in_area && area->pages && req->via != CT_VIA_DMA) {
		/* cma_alloc() cannot miss; the DMA API falls back silently */
		if (!run->cpu)
			return kml_fail(&ct_verdict, -EIO,
					"%s: pfn %#lx is outside the area",
					area->name, run->pfn);
		return kml_fail(&ct_verdict, -ENOMEM,
				"%s: the DMA API served %llu bytes from elsewhere",
				area->name, req->bytes);
	}
	if (!IS_ALIGNED(run->pfn, 1UL << order)) {
		if (!run->cpu)
			return kml_fail(&ct_verdict, -EIO,
					"%s: pfn %#lx is not aligned to %llu bytes",
					area->name, run->pfn, req->align);
		return kml_fail(&ct_verdict, -EOPNOTSUPP,
				"%s: the DMA API does not align to %llu bytes",
				area->name, req->align);
	}
	for (i = 0; i < run->pages; i++)
		if (ct_run_pfn(run, i) != run->pfn + i)
			return kml_fail(&ct_verdict, -EIO,
					"%s: page %lu is not contiguous",
					area->name, i);
	if (ct_block_touch(run))
		return kml_fail(&ct_verdict, -EIO,
				"%s: pages at pfn %#lx do not keep what is written",
				area->name, run->pfn);
	return 0;
}

/* Give the block its name, or make one up that nobody has. */
static int ct_block_name(struct ct_block *block, const char *name)
{
	lockdep_assert_held(&ct_lock);
	if (name) {
		strscpy(block->name, name, sizeof(block->name));
		if (ct_block_find(name))
			return kml_fail(&ct_verdict, -EEXIST,
					"'%s' is allocated already", name);
		return 0;
	}
	do {
		snprintf(block->name, sizeof(block->name), "a%u",
			 ++ct_made_up);
	} while (ct_block_find(block->name));
	return 0;
}

static struct ct_block *ct_block_new(void)
{
	struct ct_block *block = kzalloc(sizeof(*block), GFP_KERNEL);

	if (!block)
		return NULL;
	block->slot = CT_NO_SLOT;
	block->pid = task_tgid_nr(current);
	get_task_comm(block->comm, current);
	return block;
}

/* Fill a block that is in the list; take it out again if that fails. */
static int ct_block_fill(struct ct_block *block, const struct ct_request *req,
			 unsigned int order)
{
	struct ct_flight flight = {
		.own = true,
		.area = req->area,
		.pages = block->run.pages,
		.order = order,
		.available = ULONG_MAX,
	};
	int err;

	ct_flight_begin(&flight);
	err = ct_run_alloc(&block->run, order, req->via, req->mask_bits);
	ct_flight_end(&flight, !err);
	if (err == -ENOMEM)
		err = ct_verdict_own(&flight, err);
	if (err)
		goto unlist;
	block->in_area = ct_area_has(req->area, block->run.pfn,
				     block->run.pages);
	err = ct_block_verify(block, req, order);
	if (err)
		goto free_run;

	block->since = ktime_get_seconds();
	ct_block_log(block, "allocated");
	mutex_lock(&ct_lock);
	block->ready = true;
	mutex_unlock(&ct_lock);
	return 0;

free_run:
	ct_run_free(&block->run);
	/* the buddy allocator served it because the area did not */
	if (err == -ENOMEM)
		err = ct_verdict_own(&flight, err);
unlist:
	mutex_lock(&ct_lock);
	list_del(&block->list);
	mutex_unlock(&ct_lock);
	kfree(block);
	return err;
}

/**
 * ct_block_alloc - allocate, verify and keep a named block
 * @req: what is asked for; sizes are not trusted
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL for an alignment that is none, -ERANGE for one beyond the
 * area, -EEXIST, -ENOMEM, -EINTR, -EOPNOTSUPP for what the route cannot do,
 * -EIO if the kernel handed out something else than it was asked for.
 */
int ct_block_alloc(const struct ct_request *req)
{
	/* rounded up without overflowing */
	u64 pages = (req->bytes >> PAGE_SHIFT) + !!offset_in_page(req->bytes);
	u64 align = req->align ?: PAGE_SIZE;
	struct ct_flight flight = { .own = true, .area = req->area,
				    .available = ULONG_MAX };
	struct ct_block *block;
	int err;

	/* 64 bits also where a long, and with it is_power_of_2(), has 32 */
	if (hweight64(align) != 1 || align < PAGE_SIZE)
		return kml_fail(&ct_verdict, -EINVAL,
				"align=%llu is not a power of two of at least a page",
				req->align);
	if (align >> PAGE_SHIFT > max(req->area->pages, 1UL)) {
		flight.order = ilog2(align) - PAGE_SHIFT;
		flight.pages = min_t(u64, pages, ULONG_MAX >> PAGE_SHIFT);
		return ct_verdict_own(&flight, -ERANGE);
	}
	if (pages > totalram_pages() ||
	    (req->via != CT_VIA_DMA && req->area->pages &&
	     pages > req->area->pages)) {
		flight.pages = min_t(u64, pages, ULONG_MAX >> PAGE_SHIFT);
		return ct_verdict_own(&flight, -ENOMEM);
	}

	block = ct_block_new();
	if (!block)
		return -ENOMEM;
	block->run.area = req->area;
	block->run.pages = pages;

	mutex_lock(&ct_lock);
	err = ct_block_name(block, req->name);
	if (!err)
		list_add_tail(&block->list, &ct_blocks);
	mutex_unlock(&ct_lock);
	if (err) {
		kfree(block);
		return err;
	}
	return ct_block_fill(block, req, ilog2(align) - PAGE_SHIFT);
}

/**
 * ct_slot_alloc - fill the lowest empty classic slot
 *
 * Context: process; may sleep.
 * Return: 0; -ENOSPC if all ten are full; else as ct_block_alloc().
 */
int ct_slot_alloc(void)
{
	struct ct_request req = { .area = ct_area_default(), .mask_bits = 64 };
	struct ct_block *block;
	int slot;

	block = ct_block_new();
	if (!block)
		return -ENOMEM;
	mutex_lock(&ct_lock);
	for (slot = 0; slot < CT_SLOTS; slot++)
		if (!ct_slot_find(slot))
			break;
	if (slot < CT_SLOTS) {
		block->slot = slot;
		snprintf(block->name, sizeof(block->name), "slot%d", slot);
		req.bytes = (slot + 1) * SZ_1M;
		block->run.area = req.area;
		block->run.pages = req.bytes >> PAGE_SHIFT;
		list_add_tail(&block->list, &ct_blocks);
	}
	mutex_unlock(&ct_lock);
	if (slot == CT_SLOTS) {
		kfree(block);
		return kml_fail(&ct_verdict, -ENOSPC, "all %d slots are full",
				CT_SLOTS);
	}
	return ct_block_fill(block, &req, 0);
}

/* The block is out of the list: nobody else can reach it. */
static void ct_block_release(struct ct_block *block)
{
	u64 begun;

	ct_block_log(block, "freed");
	begun = ktime_get_ns();
	ct_run_free(&block->run);
	ct_latency_release(block->run.area, ktime_get_ns() - begun);
	kfree(block);
}

/**
 * ct_block_free - free a block
 * @name: its name
 *
 * Context: process; may sleep.
 * Return: 0; -ENOENT, or -EBUSY while it is still being allocated.
 */
int ct_block_free(const char *name)
{
	struct ct_block *block;
	int err = 0;

	mutex_lock(&ct_lock);
	block = ct_block_find(name);
	if (!block)
		err = kml_fail(&ct_verdict, -ENOENT, "'%s' is not allocated",
			       name);
	else if (!block->ready)
		err = kml_fail(&ct_verdict, -EBUSY,
			       "'%s' is still being allocated", name);
	else
		list_del(&block->list);
	mutex_unlock(&ct_lock);
	if (!err)
		ct_block_release(block);
	return err;
}

/**
 * ct_block_free_all - free every block whose allocation is complete
 *
 * Context: process; may sleep.
 */
void ct_block_free_all(void)
{
	struct ct_block *block, *next;
	LIST_HEAD(freed);

	mutex_lock(&ct_lock);
	list_for_each_entry_safe(block, next, &ct_blocks, list)
		if (block->ready)
			list_move_tail(&block->list, &freed);
	mutex_unlock(&ct_lock);
	list_for_each_entry_safe(block, next, &freed, list)
		ct_block_release(block);
}

/**
 * ct_slot_free - free the lowest full classic slot
 * @text: one line that says what was freed
 * @size: room in @text
 * @show_pfn: may the reader see where it was?
 *
 * Context: process; may sleep.
 * Return: length of @text, 0 if no slot is full.
 */
int ct_slot_free(char *text, size_t size, bool show_pfn)
{
	struct ct_block *block = NULL;
	int slot, len;

	mutex_lock(&ct_lock);
	for (slot = 0; slot < CT_SLOTS; slot++) {
		block = ct_slot_find(slot);
		if (block && block->ready)
			break;
	}
	if (slot < CT_SLOTS)
		list_del(&block->list);
	mutex_unlock(&ct_lock);
	if (slot == CT_SLOTS)
		return 0;
	len = scnprintf(text, size, "slot %d: freed %llu KiB at pfn %#lx of area %s\n",
			slot, ct_block_kib(block),
			show_pfn ? block->run.pfn : 0, block->run.area->name);
	ct_block_release(block);
	return len;
}

/**
 * ct_blocks_show - print every block
 * @m: where to
 */
void ct_blocks_show(struct seq_file *m)
{
	time64_t now = ktime_get_seconds();
	struct ct_block *block;

	mutex_lock(&ct_lock);
	list_for_each_entry(block, &ct_blocks, list) {
		if (!block->ready)
			continue;
		seq_printf(m, "%s area=%s pfn=%#lx pages=%lu via=%s from=%s age=%llds pid=%d comm=",
			   block->name, block->run.area->name,
			   ct_shown_pfn(m, block->run.pfn), block->run.pages,
			   block->run.cpu ? "dma" : "cma",
			   block->in_area ? "area" :
			   block->run.area->pages ? "buddy" : "unknown",
			   (long long)(now - block->since), block->pid);
		seq_escape(m, block->comm, " \t\n\\");
		seq_putc(m, '\n');
	}
	mutex_unlock(&ct_lock);
}
