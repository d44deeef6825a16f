// SPDX-License-Identifier: GPL-2.0
/*
 * What a storm consists of. The cases named as in the kernel's
 * lib/test_vmalloc.c allocate what those allocate, so that both can be run side
 * by side; "mixed" does everything at once and verifies what it wrote.
 */
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/sizes.h>

#include "vp.h"
#include "storm.h"

/* What vmalloc() uses, but failing in silence and without killing anybody. */
#define VP_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static unsigned int below(unsigned int limit)
{
	return get_random_u32() % limit;
}

static bool one_vmalloc(struct vp_worker *worker, unsigned long pages)
{
	u8 *p = __vmalloc(pages * PAGE_SIZE, VP_GFP);

	if (p)
		*p = 1;
	else
		worker->failures++;
	vfree(p);
	return p;
}

static void run_fix_size(struct vp_worker *worker)
{
	for (; vp_worker_goes_on(worker); worker->done++)
		one_vmalloc(worker, 1);
}

static void run_random_size(struct vp_worker *worker)
{
	for (; vp_worker_goes_on(worker); worker->done++)
		one_vmalloc(worker, 1 + below(100));
}

static void run_random_align(struct vp_worker *worker)
{
	struct vp_request request = { .gfp = VP_GFP | __GFP_ZERO, .node = NUMA_NO_NODE };
	struct vp_memory memory;

	for (; vp_worker_goes_on(worker); worker->done++) {
		unsigned int random = below(256);

		request.align = 1UL << random % 23;
		request.size = (random % 10 + 1) * PAGE_SIZE;
		if (vp_memory_get(&memory, &request)) {
			worker->failures++;
			continue;
		}
		if (worker->spoil)
			vp_memory_corrupt(&memory, below(memory.size));
		worker->corrupt += !!vp_memory_put(&memory);
	}
}

/* Allocate @nr single pages, each with a hole behind it if @holes. */
static void **many_pages(struct vp_worker *worker, unsigned long nr, bool holes)
{
	void **pages = kvcalloc(nr, sizeof(*pages), GFP_KERNEL), **junk = NULL;
	unsigned long i;

	if (holes)
		junk = kvcalloc(nr, sizeof(*junk), GFP_KERNEL);
	if (!pages || (holes && !junk)) {
		worker->failures++;
		kvfree(pages);
		kvfree(junk);
		return NULL;
	}
	for (i = 0; i < nr && !READ_ONCE(*worker->stop); i++) {
		pages[i] = __vmalloc(PAGE_SIZE, VP_GFP);
		worker->failures += !pages[i];
		if (holes)
			junk[i] = __vmalloc(PAGE_SIZE, VP_GFP);
		cond_resched();
	}
	for (i = 0; holes && i < nr; i++)
		vfree(junk[i]);
	kvfree(junk);
	return pages;
}

static void free_pages_of(void **pages, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		vfree(pages[i]);
		cond_resched();
	}
	kvfree(pages);
}

static void run_full_fit(struct vp_worker *worker)
{
	unsigned long nr = fls(num_online_cpus()) * (SZ_32M / PAGE_SIZE);
	void **pages = many_pages(worker, nr, true);

	if (!pages)
		return;
	for (; vp_worker_goes_on(worker); worker->done++)
		one_vmalloc(worker, 1);
	free_pages_of(pages, nr);
}

static void run_long_busy(struct vp_worker *worker)
{
	const unsigned long nr = 15000;
	void **pages = many_pages(worker, nr, false);

	if (!pages)
		return;
	for (; vp_worker_goes_on(worker); worker->done++) {
		one_vmalloc(worker, 100);
		one_vmalloc(worker, 1);
	}
	free_pages_of(pages, nr);
}

static void run_pcpu(struct vp_worker *worker)
{
	const unsigned int batch = 512;
	void __percpu **objects;
	unsigned int i, nr;

	objects = kcalloc(batch, sizeof(*objects), GFP_KERNEL);
	if (!objects) {
		worker->failures++;
		return;
	}
	do {
		for (nr = 0; nr < batch && vp_worker_goes_on(worker); nr++) {
			objects[nr] = __alloc_percpu(1 + below(PAGE_SIZE / 4),
						     2UL << below(PAGE_SHIFT - 1));
			worker->failures += !objects[nr];
			worker->done++;
		}
		for (i = 0; i < nr; i++)
			free_percpu(objects[i]);
	} while (nr == batch);
	kfree(objects);
}

/* --- mixed ------------------------------------------------------------------ */

#define VP_SLOTS	24
#define VP_MAP_MAX	16	/* pages of a vmap or vm_map_ram */

enum vp_holding { VP_NOTHING, VP_BLOCK, VP_MAPPED, VP_RAM_MAPPED };

struct vp_slot {
	enum vp_holding holding;
	struct vp_memory memory;
	struct page *pages[VP_MAP_MAX];
	unsigned int nr;
	u64 *map;
	u64 seed;
};

static void drop_pages(struct vp_slot *slot)
{
	while (slot->nr)
		__free_page(slot->pages[--slot->nr]);
}

static void take_block(struct vp_worker *worker, struct vp_slot *slot)
{
	struct vp_request request = {
		.size = 1 + below(64 * PAGE_SIZE),
		.align = 1UL << below(17),
		.gfp = VP_GFP,
		.node = NUMA_NO_NODE,
	};

	/* now and then a large one, which may get huge pages */
	if (!below(64)) {
		request.size = SZ_2M;
		request.align = 1;
		request.huge = true;
	}
	if (vp_memory_get(&slot->memory, &request))
		worker->failures++;
	else
		slot->holding = VP_BLOCK;
}

static void take_map(struct vp_worker *worker, struct vp_slot *slot, bool ram)
{
	unsigned int i, nr = 1 + below(VP_MAP_MAX);

	for (slot->nr = 0; slot->nr < nr; slot->nr++) {
		slot->pages[slot->nr] = alloc_page(VP_GFP);
		if (!slot->pages[slot->nr])
			goto fail;
	}
	slot->map = ram ? vm_map_ram(slot->pages, nr, NUMA_NO_NODE) :
			  vmap(slot->pages, nr, VM_MAP, PAGE_KERNEL);
	if (!slot->map)
		goto fail;
	slot->seed = get_random_u64();
	for (i = 0; i < nr; i++)
		slot->map[i * PAGE_SIZE / sizeof(u64)] = slot->seed + i;
	slot->holding = ram ? VP_RAM_MAPPED : VP_MAPPED;
	return;

fail:
	drop_pages(slot);
	worker->failures++;
}

static void spoil(struct vp_slot *slot)
{
	if (slot->holding == VP_BLOCK)
		vp_memory_corrupt(&slot->memory, below(slot->memory.size));
	else
		slot->map[below(slot->nr) * (PAGE_SIZE / sizeof(u64))] ^= 1;
}

static void drop(struct vp_worker *worker, struct vp_slot *slot)
{
	bool wrong = false;
	unsigned int i;

	if (worker->spoil)
		spoil(slot);
	if (slot->holding == VP_BLOCK) {
		wrong = vp_memory_put(&slot->memory);
	} else {
		for (i = 0; i < slot->nr; i++)
			wrong |= slot->map[i * PAGE_SIZE / sizeof(u64)] != slot->seed + i;
		if (slot->holding == VP_RAM_MAPPED)
			vm_unmap_ram(slot->map, slot->nr);
		else
			vunmap(slot->map);
		drop_pages(slot);
	}
	worker->corrupt += wrong;
	slot->holding = VP_NOTHING;
}

/* The block that vm_map_ram() put @addr into; 0 if that cannot be told. */
static unsigned long ram_block(unsigned long addr, unsigned long *start)
{
	struct kml_vmap area;
	unsigned int list;
	u64 held;

	for (list = 0; list < kml_vmap_lists(KML_VMAP_BUSY); list++) {
		if (!kml_vmap_next(KML_VMAP_BUSY, list, addr, &area, &held) ||
		    area.start > addr || !area.ram)
			continue;
		*start = area.start;
		return area.end - area.start;
	}
	return 0;
}

/*
 * vm_map_ram() cuts pieces from blocks that it keeps for each CPU, and never
 * hands out a piece twice: a block goes when all of it was used and given back.
 * So use up what this CPU's blocks still have, and then a whole fresh one, to
 * leave none behind.
 */
static void use_up_ram_blocks(void)
{
	unsigned long size, start, left;
	bool fresh = false;
	struct page *page;
	void *p;

	page = alloc_page(VP_GFP);
	if (!page)
		return;
	while (!fresh) {
		p = vm_map_ram(&page, 1, NUMA_NO_NODE);
		if (!p)
			break;
		size = ram_block((unsigned long)p, &start);
		fresh = (unsigned long)p == start;
		left = size ? (start + size - (unsigned long)p) / PAGE_SIZE - 1 : 0;
		vm_unmap_ram(p, 1);
		if (!size)
			break;
		for (; left; left--) {
			p = vm_map_ram(&page, 1, NUMA_NO_NODE);
			if (p)
				vm_unmap_ram(p, 1);
			cond_resched();
		}
	}
	__free_page(page);
}

static void run_mixed(struct vp_worker *worker)
{
	struct vp_slot *slots, *slot;

	slots = kcalloc(VP_SLOTS, sizeof(*slots), GFP_KERNEL);
	if (!slots) {
		worker->failures++;
		return;
	}
	for (; vp_worker_goes_on(worker); worker->done++) {
		slot = &slots[below(VP_SLOTS)];
		if (slot->holding != VP_NOTHING)
			drop(worker, slot);
		else if (below(2))
			take_block(worker, slot);
		else
			take_map(worker, slot, below(2));
	}
	for (slot = slots; slot < slots + VP_SLOTS; slot++)
		if (slot->holding != VP_NOTHING)
			drop(worker, slot);
	kfree(slots);
	use_up_ram_blocks();
}

const struct vp_storm_case vp_storm_cases[] = {
	{ "mixed", run_mixed },
	{ "fix_size", run_fix_size },
	{ "full_fit", run_full_fit },
	{ "long_busy", run_long_busy },
	{ "random_size", run_random_size },
	{ "align", run_random_align },
	{ "pcpu", run_pcpu },
};

const unsigned int vp_storm_cases_nr = ARRAY_SIZE(vp_storm_cases);
