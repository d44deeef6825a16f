/* SPDX-License-Identifier: GPL-2.0 */
/* dma-buf as the newest kernel has it, on older ones. */
#ifndef _KMEMLAB_COMPAT_DMABUF_H
#define _KMEMLAB_COMPAT_DMABUF_H

#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/version.h>

/*
 * Linux 6.13, "module: Convert symbol namespace to string literal"; the
 * namespace DMA_BUF itself is there since 5.16 and harmless before.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define KML_IMPORT_NS(ns)	MODULE_IMPORT_NS(ns)
#else
#define KML_IMPORT_NS(ns)	MODULE_IMPORT_NS(#ns)
#endif

/*
 * Linux 5.11, "dma-buf: Use struct dma_buf_map in dma_buf_vmap() interfaces";
 * Linux 5.18, "dma-buf-map: Rename to iosys-map".
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
#include <linux/iosys-map.h>
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#include <linux/dma-buf-map.h>
#define iosys_map		dma_buf_map
#define iosys_map_set_vaddr	dma_buf_map_set_vaddr
#else
struct iosys_map {
	void *vaddr;
};

#define iosys_map_set_vaddr(map, address)	((map)->vaddr = (address))
#endif

/*
 * KML_DMA_BUF_VMAP(vmap) and KML_DMA_BUF_VUNMAP(vunmap) after the functions, and
 * in the table of operations kml_dma_buf_vmap(vmap), kml_dma_buf_vunmap(vunmap).
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#define KML_DMA_BUF_VMAP(...)
#define KML_DMA_BUF_VUNMAP(...)
#define kml_dma_buf_vmap(vmap)		vmap
#define kml_dma_buf_vunmap(vunmap)	vunmap
#else
#define KML_DMA_BUF_VMAP(vmap)						\
static void *vmap##_pointer(struct dma_buf *dmabuf)			\
{									\
	struct iosys_map map;						\
									\
	return vmap(dmabuf, &map) ? NULL : map.vaddr;			\
}

#define KML_DMA_BUF_VUNMAP(vunmap)					\
static void vunmap##_pointer(struct dma_buf *dmabuf, void *vaddr)	\
{									\
	vunmap(dmabuf, NULL);						\
}

#define kml_dma_buf_vmap(vmap)		vmap##_pointer
#define kml_dma_buf_vunmap(vunmap)	vunmap##_pointer
#endif

/* Linux 6.2, "dma-buf: Add unlocked variant of attachment-mapping functions" */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define dma_buf_map_attachment_unlocked		dma_buf_map_attachment
#define dma_buf_unmap_attachment_unlocked	dma_buf_unmap_attachment
#endif

/*
 * Linux 5.15, "swiotlb: Update is_swiotlb_active to add a struct device argument"
 * and its series. Before, a device without a limit of its own has one only then.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 15, 0)
#define is_swiotlb_force_bounce(dev)	(!dma_addressing_limited(dev))
#endif

#endif /* _KMEMLAB_COMPAT_DMABUF_H */
