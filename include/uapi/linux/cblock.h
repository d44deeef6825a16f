/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ioctls of /dev/cblock: large, physically contiguous blocks as dma-buf file
 * descriptors.
 *
 * Structures grow at their end: a program and a kernel of different age
 * understand each other as long as what one does not know is 0, else E2BIG.
 * Fields that are reserved must be 0, else EINVAL; so does it end for a
 * cblock_ioc_alloc without room for the descriptor. They have the same layout for
 * 32-bit and 64-bit programs.
 */
#ifndef _UAPI_LINUX_CBLOCK_H
#define _UAPI_LINUX_CBLOCK_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CBLOCK_ABI_VERSION	1

#define CBLOCK_NAME_LEN		32	/* with the terminating NUL */

/* How a mapping is cached; bit numbers of cblock_ioc_region.caches. */
#define CBLOCK_CACHED		0	/* write-back */
#define CBLOCK_WRITECOMBINE	1
#define CBLOCK_UNCACHED		2

/* cblock_ioc_alloc.flags */
#define CBLOCK_ALLOC_BEST	(1U << 0)	/* smallest hole that fits, not lowest */
#define CBLOCK_ALLOC_PAGES	(1U << 1)	/* O_DIRECT, io_uring and RDMA may use mappings */
#define CBLOCK_ALLOC_FLAGS	(CBLOCK_ALLOC_BEST | CBLOCK_ALLOC_PAGES)

/* cblock_ioc_region.flags */
#define CBLOCK_REGION_PAGES	(1U << 0)	/* has struct pages: CBLOCK_ALLOC_PAGES works */

/**
 * struct cblock_ioc_info - what this driver can do
 * @version: out: CBLOCK_ABI_VERSION
 * @alloc_flags: out: what cblock_ioc_alloc.flags may hold
 * @regions: out: number of regions
 * @reserved: 0
 */
struct cblock_ioc_info {
	__u32 version;
	__u32 alloc_flags;
	__u32 regions;
	__u32 reserved;
};

/**
 * struct cblock_ioc_region - one region
 * @index: in: from 0; ENOENT behind the last
 * @flags: out: CBLOCK_REGION_*
 * @caches: out: bit n: cblock_ioc_alloc.cache may be n
 * @blocks: out: number of allocations
 * @size: out: bytes
 * @free: out: bytes
 * @largest: out: bytes of the largest hole
 * @name: out: NUL terminated
 */
struct cblock_ioc_region {
	__u32 index;
	__u32 flags;
	__u32 caches;
	__u32 blocks;
	__u64 size;
	__u64 free;
	__u64 largest;
	char name[CBLOCK_NAME_LEN];
};

/**
 * struct cblock_ioc_fit - would an allocation succeed now?
 * @size: in: bytes, not 0
 * @align: in: bytes, a power of two up to 1 GiB; 0 for a page
 * @largest: out: bytes of the largest allocation of that alignment
 * @region: in: name; empty for all regions
 * @fits: out: 1 or 0
 * @reserved: 0
 */
struct cblock_ioc_fit {
	__u64 size;
	__u64 align;
	__u64 largest;
	char region[CBLOCK_NAME_LEN];
	__u32 fits;
	__u32 reserved;
};

/**
 * struct cblock_ioc_alloc - allocate a block; all its bytes are 0
 * @size: in: bytes, not 0; out: rounded up to pages
 * @align: in: bytes, a power of two up to 1 GiB; 0 for what maps best
 * @region: in: name; empty for the first region with room
 * @cache: in: CBLOCK_CACHED, CBLOCK_WRITECOMBINE or CBLOCK_UNCACHED
 * @flags: in: CBLOCK_ALLOC_*
 * @fd: out: a dma-buf, close-on-exec; the block is freed with its last user
 * @reserved: 0
 * @phys: in: 0; out: physical address, 0 without CAP_SYS_RAWIO
 */
struct cblock_ioc_alloc {
	__u64 size;
	__u64 align;
	char region[CBLOCK_NAME_LEN];
	__u32 cache;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
	__u64 phys;
};

#define CBLOCK_IOC_MAGIC	0xcb
#define CBLOCK_IOC_INFO		_IOWR(CBLOCK_IOC_MAGIC, 0, struct cblock_ioc_info)
#define CBLOCK_IOC_REGION	_IOWR(CBLOCK_IOC_MAGIC, 1, struct cblock_ioc_region)
#define CBLOCK_IOC_FIT		_IOWR(CBLOCK_IOC_MAGIC, 2, struct cblock_ioc_fit)
#define CBLOCK_IOC_ALLOC	_IOWR(CBLOCK_IOC_MAGIC, 3, struct cblock_ioc_alloc)

#endif /* _UAPI_LINUX_CBLOCK_H */
