// SPDX-License-Identifier: GPL-2.0
/* Blocks for programs and devices: zeroed, cached as asked, freed when safe. */
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/libnvdimm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#ifdef CONFIG_X86
#include <asm/set_memory.h>
#endif

#include "buffer.h"

/* How often pages that somebody still references are looked at again. */
#define PARKED_DELAY	(HZ / 5)

/*
 * A device that is not coherent: mapping pages for it maintains the caches, on
 * 32-bit ARM, which offers nothing else. Elsewhere it may be given a copy.
 */
static struct platform_device *flusher;

static LIST_HEAD(parked);
static DEFINE_MUTEX(parked_lock);

static void parked_check(struct work_struct *work);
static DECLARE_DELAYED_WORK(parked_work, parked_check);

/* What this machine can do with the memory of a region: bit n is cache mode n. */
u32 cblock_region_caches(const struct cblock_region *region)
{
	/*
	 * Without pages x86 keeps the type of the kernel's own mapping, and
	 * 32-bit ARM offers a module nothing to maintain caches with.
	 */
	if (region->pages ||
	    (!IS_ENABLED(CONFIG_X86) && IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API)))
		return BIT(CBLOCK_CACHED) | BIT(CBLOCK_WRITECOMBINE) |
		       BIT(CBLOCK_UNCACHED);
	return BIT(CBLOCK_CACHED);
}

pgprot_t cblock_buffer_prot(const struct cblock_buffer *buffer, pgprot_t prot)
{
	switch (buffer->cache) {
	case CBLOCK_WRITECOMBINE:
		return pgprot_writecombine(prot);
	case CBLOCK_UNCACHED:
		/* memory, not a device register: unaligned access works */
		return pgprot_dmacoherent(prot);
	default:
		return prot;
	}
}

/* Write back and drop what the caches hold of a buffer. */
void cblock_buffer_flush(struct cblock_buffer *buffer)
{
	struct cblock *block = buffer->block;
	struct device *dev = &flusher->dev;
	u32 done, pages;
	dma_addr_t addr;

	if (IS_ENABLED(CONFIG_X86))
		return;
	for (done = 0; done < block->area.size; done += pages) {
		size_t len;

		cond_resched();
		pages = min_t(u32, block->area.size - done, SZ_1M / PAGE_SIZE);
		len = (size_t)pages << PAGE_SHIFT;
		if (IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API)) {
			void *vaddr = cblock_address(block) +
				      ((size_t)done << PAGE_SHIFT);

			arch_wb_cache_pmem(vaddr, len);
			arch_invalidate_pmem(vaddr, len);
			continue;
		}
		addr = dma_map_page(dev, pfn_to_page(cblock_pfn(block) + done),
				    0, len, DMA_BIDIRECTIONAL);
		if (!dma_mapping_error(dev, addr))
			dma_unmap_page(dev, addr, len, DMA_BIDIRECTIONAL);
	}
}

/* x86 has one memory type for all mappings of a page: the linear map's. */
static int set_memory_type(struct cblock_buffer *buffer, u32 cache)
{
#ifdef CONFIG_X86
	unsigned long vaddr = (unsigned long)cblock_address(buffer->block);
	int pages = buffer->block->area.size;

	switch (cache) {
	case CBLOCK_WRITECOMBINE:
		return set_memory_wc(vaddr, pages);
	case CBLOCK_UNCACHED:
		return set_memory_uc(vaddr, pages);
	default:
		return set_memory_wb(vaddr, pages);
	}
#else
	return 0;
#endif
}

/* What @align of 0 means: mappings by PMD need both ends congruent. */
static u64 default_align(u64 size)
{
	return size >= PMD_SIZE && PMD_SIZE <= CBLOCK_ALIGN_MAX ? PMD_SIZE : 0;
}

static bool region_suits(const struct cblock_region *region, u32 cache,
			 u32 flags)
{
	return cblock_region_caches(region) & BIT(cache) &&
	       (region->pages || !(flags & CBLOCK_ALLOC_PAGES));
}

static struct cblock *block_create(struct cblock_region *only, u64 size,
				   u64 align, u32 cache, u32 flags,
				   unsigned long caller)
{
	unsigned int how = CBLOCK_ZERO |
			   (flags & CBLOCK_ALLOC_BEST ? CBLOCK_BESTFIT : 0);
	struct cblock *block = ERR_PTR(-EOPNOTSUPP);
	struct cblock_region *region;
	u64 hint;

	for_each_region(region) {
		if ((only && region != only) ||
		    !region_suits(region, cache, flags))
			continue;
		/* an alignment that nobody asked for must not be why it fails */
		hint = align ? 0 : default_align(size);
		if (hint && cblock_region_largest(region, hint) < size)
			hint = 0;
		block = cblock_alloc_for(region, size, align ?: hint, how,
					 caller, "");
		if (IS_ERR(block) && hint)
			block = cblock_alloc_for(region, size, 0, how, caller,
						 "");
		if (!IS_ERR(block))
			break;
	}
	return block;
}

/**
 * cblock_buffer_create - allocate a block to be exported
 * @region: where; NULL for the first with room
 * @size: bytes
 * @align: bytes, a power of two; 0 for what maps best
 * @cache: CBLOCK_CACHED, CBLOCK_WRITECOMBINE or CBLOCK_UNCACHED
 * @flags: CBLOCK_ALLOC_*
 * @caller: for the report
 *
 * Context: process.
 * Return: the buffer, all zero, or ERR_PTR: -EOPNOTSUPP if the region has no
 * pages or the machine cannot cache its memory so, else as cblock_alloc().
 */
struct cblock_buffer *cblock_buffer_create(struct cblock_region *region,
					   u64 size, u64 align, u32 cache,
					   u32 flags, unsigned long caller)
{
	struct cblock_buffer *buffer;
	int err;

	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->attachments);
	buffer->cache = cache;
	buffer->pages = flags & CBLOCK_ALLOC_PAGES;
	buffer->block = block_create(region, size, align, cache, flags, caller);
	err = PTR_ERR_OR_ZERO(buffer->block);
	if (err)
		goto free_buffer;
	if (cache != CBLOCK_CACHED) {
		cblock_buffer_flush(buffer);
		err = set_memory_type(buffer, cache);
		if (err)
			goto free_block;
	}
	return buffer;

free_block:
	cblock_free(buffer->block);
free_buffer:
	kfree(buffer);
	return ERR_PTR(err);
}

/* Does somebody still reference a page, e.g. for I/O that is under way? */
static bool buffer_referenced(const struct cblock_buffer *buffer)
{
	unsigned long pfn = cblock_pfn(buffer->block);
	unsigned long end = pfn + buffer->block->area.size;

	if (!buffer->pages)
		return false;
	for (; pfn < end; pfn++)
		if (page_count(pfn_to_page(pfn)) != 1)
			return true;
	return false;
}

static void buffer_free(struct cblock_buffer *buffer)
{
	if (buffer->cache != CBLOCK_CACHED)
		set_memory_type(buffer, CBLOCK_CACHED);
	cblock_free(buffer->block);
	kfree(buffer);
}

static void parked_check(struct work_struct *work)
{
	struct cblock_buffer *buffer, *next;

	mutex_lock(&parked_lock);
	list_for_each_entry_safe(buffer, next, &parked, parked) {
		if (buffer_referenced(buffer))
			continue;
		list_del(&buffer->parked);
		buffer_free(buffer);
		module_put(THIS_MODULE);
	}
	if (!list_empty(&parked))
		schedule_delayed_work(&parked_work, PARKED_DELAY);
	mutex_unlock(&parked_lock);
}

/* No file and no mapping of @buffer is left. Context: process. */
void cblock_buffer_destroy(struct cblock_buffer *buffer)
{
	if (!buffer_referenced(buffer)) {
		buffer_free(buffer);
		return;
	}
	__module_get(THIS_MODULE);
	mutex_lock(&parked_lock);
	list_add(&buffer->parked, &parked);
	schedule_delayed_work(&parked_work, PARKED_DELAY);
	mutex_unlock(&parked_lock);
}

int cblock_buffers_init(void)
{
	struct platform_device_info info = {
		.name = "cblock",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};

	flusher = platform_device_register_full(&info);
	return PTR_ERR_OR_ZERO(flusher);
}

void cblock_buffers_exit(void)
{
	cancel_delayed_work_sync(&parked_work);
	platform_device_unregister(flusher);
}
