// SPDX-License-Identifier: GPL-2.0
/* The ioctls of /dev/cblock, see include/uapi/linux/cblock.h. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "buffer.h"

static int ioctl_info(void *arg, struct dma_buf **dmabuf)
{
	struct cblock_ioc_info *info = arg;
	struct cblock_region *region;

	if (info->reserved)
		return -EINVAL;
	info->version = CBLOCK_ABI_VERSION;
	info->alloc_flags = CBLOCK_ALLOC_FLAGS;
	info->regions = 0;
	for_each_region(region)
		info->regions++;
	return 0;
}

static int ioctl_region(void *arg, struct dma_buf **dmabuf)
{
	struct cblock_ioc_region *info = arg;
	struct cblock_region *region;
	struct cblock_stats stats;
	u32 index = 0;

	for_each_region(region) {
		if (index++ != info->index)
			continue;
		cblock_region_stats(region, &stats);
		info->flags = region->pages ? CBLOCK_REGION_PAGES : 0;
		info->caches = cblock_region_caches(region);
		info->blocks = stats.blocks;
		info->size = stats.size;
		info->free = stats.free;
		info->largest = stats.largest;
		memset(info->name, 0, sizeof(info->name));
		strscpy(info->name, region->name, sizeof(info->name));
		return 0;
	}
	return -ENOENT;
}

/* The region that @name stands for: NULL for an empty one. */
static struct cblock_region *region_by_name(const char *name)
{
	struct cblock_region *region;

	if (strnlen(name, CBLOCK_NAME_LEN) == CBLOCK_NAME_LEN)
		return ERR_PTR(-EINVAL);
	if (!name[0])
		return NULL;
	region = cblock_region_find(name);
	return region ?: ERR_PTR(-ENOENT);
}

static int ioctl_fit(void *arg, struct dma_buf **dmabuf)
{
	struct cblock_region *only, *region;
	struct cblock_ioc_fit *fit = arg;

	if (!fit->size || !cblock_align_valid(fit->align) || fit->reserved)
		return -EINVAL;
	only = region_by_name(fit->region);
	if (IS_ERR(only))
		return PTR_ERR(only);
	fit->largest = 0;
	for_each_region(region)
		if (!only || region == only)
			fit->largest = max(fit->largest,
					   cblock_region_largest(region,
								 fit->align));
	fit->fits = fit->largest >= fit->size;
	return 0;
}

static int ioctl_alloc(void *arg, struct dma_buf **dmabuf)
{
	struct cblock_ioc_alloc *alloc = arg;
	struct cblock_buffer *buffer;
	struct cblock_region *only;

	if (!alloc->size || !cblock_align_valid(alloc->align) ||
	    alloc->cache > CBLOCK_UNCACHED ||
	    alloc->flags & ~CBLOCK_ALLOC_FLAGS || alloc->reserved ||
	    alloc->fd || alloc->phys)
		return -EINVAL;
	/* page by page, by references: the kernel's own mapping is cached */
	if (alloc->flags & CBLOCK_ALLOC_PAGES && alloc->cache != CBLOCK_CACHED)
		return -EINVAL;
	only = region_by_name(alloc->region);
	if (IS_ERR(only))
		return PTR_ERR(only);
	buffer = cblock_buffer_create(only, alloc->size, alloc->align,
				      alloc->cache, alloc->flags, _THIS_IP_);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	alloc->size = cblock_size(buffer->block);
	if (capable(CAP_SYS_RAWIO))
		alloc->phys = cblock_phys(buffer->block);
	*dmabuf = cblock_buffer_export(buffer);
	if (IS_ERR(*dmabuf))
		return PTR_ERR(*dmabuf);
	alloc->fd = get_unused_fd_flags(O_CLOEXEC);
	if (alloc->fd < 0)
		dma_buf_put(*dmabuf);
	return min(alloc->fd, 0);
}

/*
 * @run may set a dma-buf to install as the descriptor that it reserved. @least is
 * what a program must have of the structure: it is to know that descriptor.
 */
static const struct {
	size_t least;
	size_t size;
	int (*run)(void *arg, struct dma_buf **dmabuf);
} ioctls[] = {
	{ 1, sizeof(struct cblock_ioc_info), ioctl_info },
	{ 1, sizeof(struct cblock_ioc_region), ioctl_region },
	{ 1, sizeof(struct cblock_ioc_fit), ioctl_fit },
	{ offsetofend(struct cblock_ioc_alloc, fd),
	  sizeof(struct cblock_ioc_alloc), ioctl_alloc },
};

long cblock_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	unsigned int nr = _IOC_NR(cmd), len = _IOC_SIZE(cmd);
	union {
		struct cblock_ioc_info info;
		struct cblock_ioc_region region;
		struct cblock_ioc_fit fit;
		struct cblock_ioc_alloc alloc;
	} copy;
	struct dma_buf *dmabuf = NULL;
	int err;

	if (_IOC_TYPE(cmd) != CBLOCK_IOC_MAGIC || nr >= ARRAY_SIZE(ioctls) ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE) || !len)
		return -ENOTTY;
	if (len < ioctls[nr].least)
		return -EINVAL;
	memset(&copy, 0, sizeof(copy));
	err = copy_struct_from_user(&copy, ioctls[nr].size, user, len);
	if (err)
		return err;
	err = ioctls[nr].run(&copy, &dmabuf);
	if (err)
		return err;
	if (copy_to_user(user, &copy, min_t(size_t, len, ioctls[nr].size)))
		err = -EFAULT;
	if (dmabuf && err) {
		put_unused_fd(copy.alloc.fd);
		dma_buf_put(dmabuf);
	} else if (dmabuf) {
		fd_install(copy.alloc.fd, dmabuf->file);
	}
	return err;
}
