/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cblock for other drivers: large, physically contiguous blocks from memory
 * that was set aside at boot.
 */
#ifndef _LINUX_CBLOCK_H
#define _LINUX_CBLOCK_H

#include <linux/bits.h>
#include <linux/types.h>

struct cblock;
struct cblock_region;
struct device_node;

/*
 * CBLOCK_ZERO: no byte of a former owner is in the block. What the background
 * has not cleaned yet is cleaned before the call returns.
 * CBLOCK_NOWAIT: do not sleep. Needed in atomic context.
 * CBLOCK_BESTFIT: the smallest hole that fits, not the lowest address.
 */
#define CBLOCK_ZERO	BIT(0)
#define CBLOCK_NOWAIT	BIT(1)
#define CBLOCK_BESTFIT	BIT(2)

/**
 * struct cblock_stats - the state of a region at one moment
 * @base: physical address of its first byte
 * @size: bytes, a multiple of the page size
 * @free: bytes that are not allocated
 * @largest: bytes of the largest hole
 * @blocks: number of allocations
 */
struct cblock_stats {
	phys_addr_t base;
	u64 size;
	u64 free;
	u64 largest;
	unsigned int blocks;
};

struct cblock_region *cblock_region_find(const char *name);
struct cblock_region *cblock_region_of_node(const struct device_node *node);
void cblock_region_stats(struct cblock_region *region,
			 struct cblock_stats *stats);

struct cblock *cblock_alloc(struct cblock_region *region, u64 size,
			    unsigned int flags);
struct cblock *cblock_alloc_aligned(struct cblock_region *region, u64 size,
				    u64 align, unsigned int flags);
void cblock_free(struct cblock *block);

u64 cblock_size(const struct cblock *block);
phys_addr_t cblock_phys(const struct cblock *block);
void *cblock_address(const struct cblock *block);

#endif /* _LINUX_CBLOCK_H */
