/* SPDX-License-Identifier: GPL-2.0 */
/* A block on its way to programs and devices. */
#ifndef _CBLOCK_BUFFER_H
#define _CBLOCK_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/mutex.h>
#include <uapi/linux/cblock.h>

#include "cblock.h"

/**
 * struct cblock_buffer - a block that is exported as a dma-buf
 * @block: its memory
 * @cache: CBLOCK_CACHED, CBLOCK_WRITECOMBINE or CBLOCK_UNCACHED
 * @pages: mapped page by page, so that others may take references to pages
 * @parked: in the list of those whose pages are still referenced
 * @lock: protects what follows
 * @attachments: devices that use it
 * @vmaps: number of kernel mappings handed out
 * @vaddr: the one that they share
 */
struct cblock_buffer {
	struct cblock *block;
	u32 cache;
	bool pages;
	struct list_head parked;
	struct mutex lock;	/* protects what follows */
	struct list_head attachments;
	unsigned int vmaps;
	void *vaddr;
};

/* buffer.c */
int cblock_buffers_init(void);
void cblock_buffers_exit(void);
u32 cblock_region_caches(const struct cblock_region *region);
struct cblock_buffer *cblock_buffer_create(struct cblock_region *region,
					   u64 size, u64 align, u32 cache,
					   u32 flags, unsigned long caller);
void cblock_buffer_destroy(struct cblock_buffer *buffer);
void cblock_buffer_flush(struct cblock_buffer *buffer);
pgprot_t cblock_buffer_prot(const struct cblock_buffer *buffer, pgprot_t prot);

/* dmabuf.c */
struct dma_buf *cblock_buffer_export(struct cblock_buffer *buffer);

/* mmap.c */
int cblock_buffer_mmap(struct cblock_buffer *buffer, struct vm_area_struct *vma);

/* heap.c */
int cblock_heaps_add(void);
void cblock_heaps_remove(void);

/* ioctl.c */
long cblock_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _CBLOCK_BUFFER_H */
