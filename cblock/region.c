// SPDX-License-Identifier: GPL-2.0
/* The table of regions, and allocation from them in any context. */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "cblock.h"

LIST_HEAD(cblock_regions);
static struct kmem_cache *cblock_cache;

/* Positions of an arena count from an address of the largest alignment. */
static u32 region_origin(phys_addr_t base)
{
	return PHYS_PFN(base) & (CBLOCK_ALIGN_MAX / PAGE_SIZE - 1);
}

/**
 * cblock_region_find - look a region up
 * @name: its name
 *
 * Context: any.
 * Return: the region, which stays for as long as the caller's module is loaded,
 * or NULL.
 */
struct cblock_region *cblock_region_find(const char *name)
{
	struct cblock_region *region;

	for_each_region(region)
		if (!strcmp(region->name, name))
			return region;
	return NULL;
}
EXPORT_SYMBOL_GPL(cblock_region_find);

/**
 * cblock_region_of_node - the region of a device-tree node
 * @node: what a driver's memory-region property points to
 *
 * Context: any.
 * Return: as cblock_region_find().
 */
struct cblock_region *cblock_region_of_node(const struct device_node *node)
{
	struct cblock_region *region;

	for_each_region(region)
		if (node && region->of_node == node)
			return region;
	return NULL;
}
EXPORT_SYMBOL_GPL(cblock_region_of_node);

/**
 * cblock_region_stats - the state of a region
 * @region: the region
 * @stats: filled in
 *
 * Context: any. Takes the same time however many blocks there are.
 */
void cblock_region_stats(struct cblock_region *region,
			 struct cblock_stats *stats)
{
	unsigned long flags;

	stats->base = region->base;
	stats->size = region->size;
	raw_spin_lock_irqsave(&region->lock, flags);
	stats->free = (u64)region->arena.free << PAGE_SHIFT;
	stats->largest = (u64)cblock_arena_largest(&region->arena, 0) <<
			 PAGE_SHIFT;
	stats->blocks = region->arena.count;
	raw_spin_unlock_irqrestore(&region->lock, flags);
}
EXPORT_SYMBOL_GPL(cblock_region_stats);

/* The largest block of a valid alignment that would fit now. */
u64 cblock_region_largest(struct cblock_region *region, u64 align)
{
	unsigned int order = ilog2(max_t(u64, align, PAGE_SIZE)) - PAGE_SHIFT;
	unsigned long flags;
	u32 pages;

	raw_spin_lock_irqsave(&region->lock, flags);
	pages = cblock_arena_largest(&region->arena, order);
	raw_spin_unlock_irqrestore(&region->lock, flags);
	return (u64)pages << PAGE_SHIFT;
}

static void spare_put(struct cblock_region *region, struct cblock *block)
{
	lockdep_assert_held(&region->lock);
	block->area.next = region->spares;
	region->spares = &block->area;
	region->nr_spares++;
}

static struct cblock *spare_get(struct cblock_region *region)
{
	struct cblock_area *area = region->spares;

	lockdep_assert_held(&region->lock);
	if (!area)
		return NULL;
	region->spares = area->next;
	region->nr_spares--;
	return cblock_of_area(area);
}

/* Keep some descriptors for those who cannot wait for the slab. */
void cblock_spares_fill(struct cblock_region *region, gfp_t gfp)
{
	struct cblock *block;
	unsigned long flags;

	while (READ_ONCE(region->nr_spares) < CBLOCK_SPARES_MIN) {
		block = kmem_cache_alloc(cblock_cache, gfp);
		if (!block)
			return;
		raw_spin_lock_irqsave(&region->lock, flags);
		spare_put(region, block);
		raw_spin_unlock_irqrestore(&region->lock, flags);
	}
}

/* With PREEMPT_RT the slab may be used only where one may sleep. */
static bool slab_usable(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible();
}

static struct cblock *region_alloc(struct cblock_region *region, u32 pages,
				   unsigned int order, unsigned int wanted)
{
	enum cblock_fit fit = wanted & CBLOCK_BESTFIT ? CBLOCK_BEST : CBLOCK_FIRST;
	gfp_t gfp = wanted & CBLOCK_NOWAIT ? GFP_NOWAIT : GFP_KERNEL;
	struct cblock *block, *extra = NULL;
	unsigned long flags;
	bool found;

	for (;;) {
		raw_spin_lock_irqsave(&region->lock, flags);
		block = extra ?: spare_get(region);
		if (block)
			break;
		raw_spin_unlock_irqrestore(&region->lock, flags);
		if (slab_usable())
			extra = kmem_cache_alloc(cblock_cache, gfp | __GFP_NOWARN);
		if (!extra)
			return NULL;
	}
	found = cblock_arena_alloc(&region->arena, &block->area, pages, order,
				   fit);
	if (found) {
		block->clean = region->state == CBLOCK_CLEAN;
	} else {
		spare_put(region, block);
		region->failed++;
	}
	raw_spin_unlock_irqrestore(&region->lock, flags);
	return found ? block : NULL;
}

static bool request_valid(u64 size, u64 align, unsigned int flags)
{
	return size && cblock_align_valid(align) &&
	       !(flags & ~(CBLOCK_ZERO | CBLOCK_NOWAIT | CBLOCK_BESTFIT));
}

static struct cblock *alloc_in(struct cblock_region *region, u64 size,
			       u64 align, unsigned int flags,
			       unsigned long caller, const char *name)
{
	struct cblock *block;
	unsigned int order;
	u64 pages;

	if (!request_valid(size, align, flags))
		return ERR_PTR(-EINVAL);
	pages = size >> PAGE_SHIFT;
	pages += !!(size & ~PAGE_MASK);
	if (pages >= CBLOCK_POS_MAX)
		return ERR_PTR(-ENOMEM);
	order = ilog2(max_t(u64, align, PAGE_SIZE)) - PAGE_SHIFT;

	block = region_alloc(region, pages, order, flags);
	if (!block)
		return ERR_PTR(-ENOMEM);

	block->region = region;
	block->caller = caller;
	block->since = jiffies;
	block->name[0] = '\0';
	if (name[0])
		strscpy(block->name, name, sizeof(block->name));
	block->pid = 0;
	if (in_task()) {
		block->pid = current->pid;
		memcpy(block->comm, current->comm, sizeof(block->comm));
	}
	if (flags & CBLOCK_ZERO)
		cblock_clean(block, flags & CBLOCK_NOWAIT);
	return block;
}

/*
 * Allocate for @caller, from @region or, where that is NULL, from the first
 * region with room. @name is for the report; it may be empty.
 */
struct cblock *cblock_alloc_for(struct cblock_region *region, u64 size,
				u64 align, unsigned int flags,
				unsigned long caller, const char *name)
{
	struct cblock *block = ERR_PTR(-ENOMEM);

	if (region)
		return alloc_in(region, size, align, flags, caller, name);
	/* there may be no region that would say so */
	if (!request_valid(size, align, flags))
		return ERR_PTR(-EINVAL);
	for_each_region(region) {
		block = alloc_in(region, size, align, flags, caller, name);
		if (!IS_ERR(block))
			break;
	}
	return block;
}

/**
 * cblock_alloc - allocate a block
 * @region: where; NULL for the first region with room
 * @size: bytes; rounded up to pages
 * @flags: CBLOCK_ZERO, CBLOCK_NOWAIT, CBLOCK_BESTFIT or 0
 *
 * Context: any with CBLOCK_NOWAIT, else process.
 * Return: the block, or ERR_PTR: -EINVAL for a size of 0 or unknown flags,
 * -ENOMEM if no hole is large enough or there is no memory for bookkeeping.
 */
struct cblock *cblock_alloc(struct cblock_region *region, u64 size,
			    unsigned int flags)
{
	return cblock_alloc_for(region, size, 0, flags, _RET_IP_, "");
}
EXPORT_SYMBOL_GPL(cblock_alloc);

/**
 * cblock_alloc_aligned - allocate a block at an aligned physical address
 * @region: where; NULL for the first region with room
 * @size: bytes; rounded up to pages
 * @align: bytes, a power of two up to 1 GiB; 0 for a page
 * @flags: CBLOCK_ZERO, CBLOCK_NOWAIT, CBLOCK_BESTFIT or 0
 *
 * Context: as cblock_alloc().
 * Return: as cblock_alloc(), -EINVAL also for a bad @align.
 */
struct cblock *cblock_alloc_aligned(struct cblock_region *region, u64 size,
				    u64 align, unsigned int flags)
{
	return cblock_alloc_for(region, size, align, flags, _RET_IP_, "");
}
EXPORT_SYMBOL_GPL(cblock_alloc_aligned);

/**
 * cblock_free - give a block back
 * @block: what cblock_alloc() returned; NULL and ERR_PTR are ignored
 *
 * Context: any.
 */
void cblock_free(struct cblock *block)
{
	struct cblock_region *region;
	struct cblock_cursor *cursor;
	bool keep, may_free = slab_usable();
	unsigned long flags;

	if (IS_ERR_OR_NULL(block))
		return;
	region = block->region;
	raw_spin_lock_irqsave(&region->lock, flags);
	list_for_each_entry(cursor, &region->cursors, node)
		if (cursor->next == &block->area)
			cursor->next = block->area.next;
	bitmap_set(region->dirty, cblock_page(block), block->area.size);
	region->state = CBLOCK_DIRTY;
	cblock_arena_free(&region->arena, &block->area);
	keep = region->nr_spares < CBLOCK_SPARES_MAX || !may_free;
	if (keep)
		spare_put(region, block);
	raw_spin_unlock_irqrestore(&region->lock, flags);
	if (!keep)
		kmem_cache_free(cblock_cache, block);
	cblock_clean_wake();
}
EXPORT_SYMBOL_GPL(cblock_free);

/**
 * cblock_size - the size of a block
 * @block: the block
 *
 * Context: any.
 * Return: bytes, whole pages.
 */
u64 cblock_size(const struct cblock *block)
{
	return (u64)block->area.size << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(cblock_size);

/**
 * cblock_phys - where a block is
 * @block: the block
 *
 * Context: any.
 * Return: its physical address.
 */
phys_addr_t cblock_phys(const struct cblock *block)
{
	return block->region->base + cblock_offset(block);
}
EXPORT_SYMBOL_GPL(cblock_phys);

/**
 * cblock_address - where the kernel sees a block
 * @block: the block
 *
 * Context: any.
 * Return: the address, cached; NULL where the kernel has no room to map all
 * reserved memory (32 bits). There memremap() cblock_phys(), or kmap a page.
 */
void *cblock_address(const struct cblock *block)
{
	void *vaddr = block->region->vaddr;

	return vaddr ? vaddr + cblock_offset(block) : NULL;
}
EXPORT_SYMBOL_GPL(cblock_address);

/* Visit every block once; those that come after the start may be left out. */
void cblock_cursor_start(struct cblock_region *region,
			 struct cblock_cursor *cursor)
{
	raw_spin_lock_irq(&region->lock);
	cursor->next = region->arena.head.next;
	list_add(&cursor->node, &region->cursors);
	raw_spin_unlock_irq(&region->lock);
}

bool cblock_cursor_next(struct cblock_region *region,
			struct cblock_cursor *cursor, struct cblock *copy)
{
	bool found;

	raw_spin_lock_irq(&region->lock);
	found = cursor->next;
	if (found) {
		*copy = *cblock_of_area(cursor->next);
		cursor->next = cursor->next->next;
	}
	raw_spin_unlock_irq(&region->lock);
	return found;
}

void cblock_cursor_stop(struct cblock_region *region,
			struct cblock_cursor *cursor)
{
	raw_spin_lock_irq(&region->lock);
	list_del(&cursor->node);
	raw_spin_unlock_irq(&region->lock);
}

static int region_check(const struct cblock_region *wanted)
{
	struct cblock_region *other;
	u64 end = wanted->base + wanted->size - 1;

	if (cblock_region_find(wanted->name)) {
		pr_err("region %s: the name is taken\n", wanted->name);
		return -EEXIST;
	}
	if (region_origin(wanted->base) + (wanted->size >> PAGE_SHIFT) >=
	    CBLOCK_POS_MAX) {
		pr_err("region %s: larger than this version manages\n",
		       wanted->name);
		return -E2BIG;
	}
	for_each_region(other) {
		if (end < other->base ||
		    wanted->base > other->base + other->size - 1)
			continue;
		pr_err("region %s: overlaps region %s\n", wanted->name,
		       other->name);
		return -EBUSY;
	}
	return 0;
}

/* Where the kernel sees the region, if it can see all of it at once. */
static int region_map(struct cblock_region *region)
{
	struct page *page = NULL;

	if (region->pages) {
		page = pfn_to_page(PHYS_PFN(region->base));
		if (!PageHighMem(pfn_to_page(PHYS_PFN(region->base +
						      region->size - 1))))
			region->vaddr = page_address(page);
		return 0;
	}
	if (!IS_ENABLED(CONFIG_64BIT) && !KML_KMAP_NEEDS_PAGES)
		return 0;
	region->vaddr = memremap(region->base, region->size, MEMREMAP_WB);
	return region->vaddr ? 0 : -ENOMEM;
}

static void region_free(struct cblock_region *region)
{
	struct cblock_area *area;

	while ((area = region->spares)) {
		region->spares = area->next;
		kmem_cache_free(cblock_cache, cblock_of_area(area));
	}
	if (!region->pages && region->vaddr)
		memunmap(region->vaddr);
	if (region->put)
		region->put(region);
	kvfree(region->dirty);
	vfree(region->index);
	kfree(region);
}

/*
 * Add a region to the table. What @wanted describes is proven to be ours; on
 * failure it is given back with its put(). Context: module init.
 */
struct cblock_region *cblock_region_add(const struct cblock_region *wanted)
{
	struct cblock_region *region;
	u32 start, end;
	int err;

	region = kmemdup(wanted, sizeof(*wanted), GFP_KERNEL);
	if (!region) {
		if (wanted->put)
			wanted->put((struct cblock_region *)wanted);
		return ERR_PTR(-ENOMEM);
	}
	raw_spin_lock_init(&region->lock);
	region->spares = NULL;
	region->index = NULL;
	INIT_LIST_HEAD(&region->cursors);
	region->vaddr = NULL;
	region->dirty = NULL;
	region->state = CBLOCK_DIRTY;

	err = region_check(region);
	if (err)
		goto free_region;
	start = region_origin(region->base);
	end = start + region_pages(region);
	err = -ENOMEM;
	region->index = vzalloc(cblock_arena_bytes(start, end));
	if (!region->index)
		goto free_region;
	cblock_arena_init(&region->arena, start, end, region->index);
	region->dirty = kvmalloc_array(BITS_TO_LONGS(region_pages(region)),
				       sizeof(long), GFP_KERNEL | __GFP_NOWARN);
	if (!region->dirty)
		goto free_region;
	bitmap_fill(region->dirty, region_pages(region));
	cblock_spares_fill(region, GFP_KERNEL);
	if (region->nr_spares < CBLOCK_SPARES_MIN)
		goto free_region;
	err = region_map(region);
	if (err) {
		pr_err("region %s: the kernel has no addresses left to map it%s\n",
		       region->name, IS_ENABLED(CONFIG_64BIT) ? "" :
		       "; vmalloc=SIZE on its command line gives more");
		goto free_region;
	}
	list_add_tail(&region->node, &cblock_regions);
	pr_info("region %s: %llu KiB from %s%s\n", region->name,
		region->size >> 10, region->source,
		region->pages ? "" : ", without struct pages");
	return region;

free_region:
	region_free(region);
	return ERR_PTR(err);
}

/* No block lives any more. Context: module exit. */
void cblock_regions_remove(void)
{
	struct cblock_region *region, *next;

	list_for_each_entry_safe(region, next, &cblock_regions, node) {
		WARN_ON(region->arena.count);
		list_del(&region->node);
		region_free(region);
	}
}

int cblock_core_init(void)
{
	cblock_cache = KMEM_CACHE(cblock, 0);
	return cblock_cache ? 0 : -ENOMEM;
}

void cblock_core_exit(void)
{
	kmem_cache_destroy(cblock_cache);
}
