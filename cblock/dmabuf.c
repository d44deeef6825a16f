// SPDX-License-Identifier: GPL-2.0
/* Buffers as dma-bufs: what importers and programs do with them. */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "../compat/dmabuf.h"
#include "buffer.h"

/* The length of a scatterlist entry is 32 bits wide. */
#define SEGMENT_MAX	SZ_1G

/**
 * struct attachment - a device that uses a buffer
 * @node: in &cblock_buffer.attachments
 * @dev: the device
 * @table: the buffer as the device sees it
 * @dir: of the transfer, valid while @mapped
 * @mapped: @table is mapped for @dev
 */
struct attachment {
	struct list_head node;
	struct device *dev;
	struct sg_table table;
	enum dma_data_direction dir;
	bool mapped;
};

/* Asked only where nothing else knows: for memory without pages. */
static bool device_coherent(struct device *dev)
{
	return !IS_ENABLED(CONFIG_ARM) && dev_is_dma_coherent(dev);
}

static void flush_for(struct cblock_buffer *buffer, struct device *dev)
{
	if (buffer->cache == CBLOCK_CACHED && !device_coherent(dev))
		cblock_buffer_flush(buffer);
}

static int buffer_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attach)
{
	struct cblock_buffer *buffer = dmabuf->priv;
	u64 size = cblock_size(buffer->block), done = 0;
	bool pages = buffer->block->region->pages;
	struct attachment *mine;
	struct scatterlist *sg;
	unsigned int i;
	int err;

	/* without pages nobody maintains the caches for a device */
	if (!pages && buffer->cache == CBLOCK_CACHED &&
	    !device_coherent(attach->dev) &&
	    !(cblock_region_caches(buffer->block->region) &
	      BIT(CBLOCK_WRITECOMBINE)))
		return -EOPNOTSUPP;
	mine = kzalloc(sizeof(*mine), GFP_KERNEL);
	if (!mine)
		return -ENOMEM;
	err = sg_alloc_table(&mine->table,
			     DIV_ROUND_UP_ULL(size, SEGMENT_MAX), GFP_KERNEL);
	if (err) {
		kfree(mine);
		return err;
	}
	for_each_sgtable_sg(&mine->table, sg, i) {
		sg->length = min_t(u64, size - done, SEGMENT_MAX);
		if (pages)
			sg_set_page(sg, pfn_to_page(cblock_pfn(buffer->block) +
						    (done >> PAGE_SHIFT)),
				    sg->length, 0);
		done += sg->length;
	}
	mine->dev = attach->dev;
	attach->priv = mine;
	mutex_lock(&buffer->lock);
	list_add(&mine->node, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return 0;
}

static void buffer_detach(struct dma_buf *dmabuf,
			  struct dma_buf_attachment *attach)
{
	struct cblock_buffer *buffer = dmabuf->priv;
	struct attachment *mine = attach->priv;

	mutex_lock(&buffer->lock);
	list_del(&mine->node);
	mutex_unlock(&buffer->lock);
	sg_free_table(&mine->table);
	kfree(mine);
}

/*
 * What a device cannot reach the kernel copies to where it can. Memory without
 * pages it cannot copy: that is in no mapping of its own.
 */
static bool would_bounce(struct device *dev, phys_addr_t phys, size_t size)
{
	u64 limit = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	dma_addr_t addr = phys_to_dma(dev, phys);

	return dma_max_mapping_size(dev) != SIZE_MAX &&
	       (is_swiotlb_force_bounce(dev) || addr > limit ||
		size - 1 > limit - addr);
}

/*
 * Memory without pages is mapped by address. Some of it has struct pages after
 * all, that nobody initialized; then the kernel insists on the other call.
 */
static dma_addr_t segment_map(struct device *dev, phys_addr_t phys, size_t size,
			      enum dma_data_direction dir)
{
	if (would_bounce(dev, phys, size))
		return DMA_MAPPING_ERROR;
	if (pfn_valid(PHYS_PFN(phys)))
		return dma_map_page_attrs(dev, pfn_to_page(PHYS_PFN(phys)), 0,
					  size, dir, DMA_ATTR_SKIP_CPU_SYNC);
	return dma_map_resource(dev, phys, size, dir, DMA_ATTR_SKIP_CPU_SYNC);
}

static void segment_unmap(struct device *dev, phys_addr_t phys, dma_addr_t addr,
			  size_t size, enum dma_data_direction dir)
{
	if (pfn_valid(PHYS_PFN(phys)))
		dma_unmap_page_attrs(dev, addr, size, dir,
				     DMA_ATTR_SKIP_CPU_SYNC);
	else
		dma_unmap_resource(dev, addr, size, dir,
				   DMA_ATTR_SKIP_CPU_SYNC);
}

static void unmap_segments(struct attachment *mine, phys_addr_t phys,
			   unsigned int count)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(mine->table.sgl, sg, count, i) {
		segment_unmap(mine->dev, phys, sg_dma_address(sg),
			      sg_dma_len(sg), mine->dir);
		phys += sg->length;
	}
}

static int map_segments(struct attachment *mine, phys_addr_t phys)
{
	phys_addr_t start = phys;
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&mine->table, sg, i) {
		dma_addr_t addr = segment_map(mine->dev, phys, sg->length,
					      mine->dir);

		if (dma_mapping_error(mine->dev, addr)) {
			unmap_segments(mine, start, i);
			return -EIO;
		}
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		phys += sg->length;
	}
	mine->table.nents = mine->table.orig_nents;
	return 0;
}

static unsigned long sync_attrs(const struct cblock_buffer *buffer)
{
	return buffer->cache == CBLOCK_CACHED ? 0 : DMA_ATTR_SKIP_CPU_SYNC;
}

static struct sg_table *buffer_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct cblock_buffer *buffer = attach->dmabuf->priv;
	struct attachment *mine = attach->priv;
	int err;

	mine->dir = dir;
	if (buffer->block->region->pages) {
		err = dma_map_sgtable(mine->dev, &mine->table, dir,
				      sync_attrs(buffer));
	} else {
		flush_for(buffer, mine->dev);
		err = map_segments(mine, cblock_phys(buffer->block));
	}
	if (err)
		return ERR_PTR(err);
	mine->mapped = true;
	return &mine->table;
}

static void buffer_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *table, enum dma_data_direction dir)
{
	struct cblock_buffer *buffer = attach->dmabuf->priv;
	struct attachment *mine = attach->priv;

	mine->mapped = false;
	if (buffer->block->region->pages) {
		dma_unmap_sgtable(mine->dev, table, dir, sync_attrs(buffer));
		return;
	}
	unmap_segments(mine, cblock_phys(buffer->block), table->orig_nents);
	flush_for(buffer, mine->dev);
}

/* Make the CPU see what devices wrote, or devices what the CPU wrote. */
static int buffer_sync(struct cblock_buffer *buffer, enum dma_data_direction dir,
		       bool for_cpu)
{
	struct attachment *mine;

	if (buffer->cache != CBLOCK_CACHED)
		return 0;
	mutex_lock(&buffer->lock);
	list_for_each_entry(mine, &buffer->attachments, node) {
		if (!mine->mapped)
			continue;
		if (!buffer->block->region->pages)
			flush_for(buffer, mine->dev);
		else if (for_cpu)
			dma_sync_sgtable_for_cpu(mine->dev, &mine->table, dir);
		else
			dma_sync_sgtable_for_device(mine->dev, &mine->table, dir);
	}
	mutex_unlock(&buffer->lock);
	return 0;
}

static int buffer_begin_cpu_access(struct dma_buf *dmabuf,
				   enum dma_data_direction dir)
{
	return buffer_sync(dmabuf->priv, dir, true);
}

static int buffer_end_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	return buffer_sync(dmabuf->priv, dir, false);
}

static int buffer_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	return cblock_buffer_mmap(dmabuf->priv, vma);
}

static void *buffer_map_kernel(struct cblock_buffer *buffer)
{
	struct cblock *block = buffer->block;
	u32 i, count = block->area.size;
	struct page **pages;
	void *vaddr;

	if (buffer->cache == CBLOCK_CACHED && block->region->vaddr)
		return cblock_address(block);
	if (!block->region->pages)
		return memremap(cblock_phys(block), cblock_size(block),
				buffer->cache == CBLOCK_CACHED ? MEMREMAP_WB :
								 MEMREMAP_WC);
	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < count; i++)
		pages[i] = pfn_to_page(cblock_pfn(block) + i);
	vaddr = vmap(pages, count, VM_MAP,
		     cblock_buffer_prot(buffer, PAGE_KERNEL));
	kvfree(pages);
	return vaddr;
}

static void buffer_unmap_kernel(struct cblock_buffer *buffer)
{
	struct cblock *block = buffer->block;

	if (buffer->cache == CBLOCK_CACHED && block->region->vaddr)
		return;
	if (block->region->pages)
		vunmap(buffer->vaddr);
	else
		memunmap(buffer->vaddr);
}

static int buffer_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct cblock_buffer *buffer = dmabuf->priv;
	int err = 0;

	mutex_lock(&buffer->lock);
	if (!buffer->vmaps)
		buffer->vaddr = buffer_map_kernel(buffer);
	if (buffer->vaddr) {
		buffer->vmaps++;
		iosys_map_set_vaddr(map, buffer->vaddr);
	} else {
		err = -ENOMEM;
	}
	mutex_unlock(&buffer->lock);
	return err;
}

static void buffer_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct cblock_buffer *buffer = dmabuf->priv;

	mutex_lock(&buffer->lock);
	if (!--buffer->vmaps) {
		buffer_unmap_kernel(buffer);
		buffer->vaddr = NULL;
	}
	mutex_unlock(&buffer->lock);
}

KML_DMA_BUF_VMAP(buffer_vmap)
KML_DMA_BUF_VUNMAP(buffer_vunmap)

static void buffer_release(struct dma_buf *dmabuf)
{
	cblock_buffer_destroy(dmabuf->priv);
}

static const struct dma_buf_ops buffer_ops = {
	.attach = buffer_attach,
	.detach = buffer_detach,
	.map_dma_buf = buffer_map,
	.unmap_dma_buf = buffer_unmap,
	.begin_cpu_access = buffer_begin_cpu_access,
	.end_cpu_access = buffer_end_cpu_access,
	.mmap = buffer_mmap,
	.vmap = kml_dma_buf_vmap(buffer_vmap),
	.vunmap = kml_dma_buf_vunmap(buffer_vunmap),
	.release = buffer_release,
};

/**
 * cblock_buffer_export - a dma-buf of a buffer
 * @buffer: the buffer; it belongs to the dma-buf, and is gone on failure
 *
 * Context: process.
 * Return: the dma-buf or ERR_PTR.
 */
struct dma_buf *cblock_buffer_export(struct cblock_buffer *buffer)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &buffer_ops;
	info.size = cblock_size(buffer->block);
	info.flags = O_RDWR;
	info.priv = buffer;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		cblock_buffer_destroy(buffer);
	return dmabuf;
}

KML_IMPORT_NS(DMA_BUF);
