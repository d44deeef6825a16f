// SPDX-License-Identifier: GPL-2.0
/*
 * Every region as a dma-heap: /dev/dma_heap/cblock-NAME with the kernel's ABI.
 * They are misc devices even where dma_heap_add() is exported: what that adds
 * can never be removed, so the module could not be unloaded.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/dma-heap.h>

#include "buffer.h"

/**
 * struct heap - the heap of a region
 * @node: in the list of heaps
 * @region: the region
 * @misc: its device
 * @name: cblock-NAME
 * @path: under /dev
 */
struct heap {
	struct list_head node;
	struct cblock_region *region;
	struct miscdevice misc;
	char name[KML_NAME_MAX + 8];
	char path[KML_NAME_MAX + 18];
};

static LIST_HEAD(heaps);

static int heap_open(struct inode *inode, struct file *file)
{
	struct heap *heap = container_of(file->private_data, struct heap, misc);

	file->private_data = heap->region;
	return nonseekable_open(inode, file);
}

static long heap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dma_heap_allocation_data __user *user = (void __user *)arg;
	struct dma_heap_allocation_data data;
	struct cblock_buffer *buffer;
	struct dma_buf *dmabuf;
	int fd;

	if (cmd != DMA_HEAP_IOCTL_ALLOC)
		return -ENOTTY;
	if (copy_from_user(&data, user, sizeof(data)))
		return -EFAULT;
	if (data.fd || !data.len || data.fd_flags & ~DMA_HEAP_VALID_FD_FLAGS ||
	    data.heap_flags & ~DMA_HEAP_VALID_HEAP_FLAGS)
		return -EINVAL;
	buffer = cblock_buffer_create(file->private_data, data.len, 0,
				      CBLOCK_CACHED, 0, _THIS_IP_);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	dmabuf = cblock_buffer_export(buffer);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = get_unused_fd_flags(data.fd_flags);
	if (fd < 0)
		goto put_dmabuf;
	data.fd = fd;
	if (copy_to_user(user, &data, sizeof(data))) {
		put_unused_fd(fd);
		fd = -EFAULT;
		goto put_dmabuf;
	}
	fd_install(fd, dmabuf->file);
	return 0;

put_dmabuf:
	dma_buf_put(dmabuf);
	return fd;
}

static const struct file_operations heap_fops = {
	.owner = THIS_MODULE,
	.open = heap_open,
	.unlocked_ioctl = heap_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static int heap_add(struct cblock_region *region)
{
	struct heap *heap = kzalloc(sizeof(*heap), GFP_KERNEL);
	int err;

	if (!heap)
		return -ENOMEM;
	heap->region = region;
	snprintf(heap->name, sizeof(heap->name), "cblock-%s", region->name);
	snprintf(heap->path, sizeof(heap->path), "dma_heap/%s", heap->name);
	heap->misc.minor = MISC_DYNAMIC_MINOR;
	heap->misc.name = heap->name;
	heap->misc.nodename = heap->path;
	heap->misc.fops = &heap_fops;
	heap->misc.mode = 0600;
	err = misc_register(&heap->misc);
	if (err) {
		kfree(heap);
		return err;
	}
	list_add(&heap->node, &heaps);
	return 0;
}

void cblock_heaps_remove(void)
{
	struct heap *heap, *next;

	list_for_each_entry_safe(heap, next, &heaps, node) {
		misc_deregister(&heap->misc);
		kfree(heap);
	}
	INIT_LIST_HEAD(&heaps);
}

int cblock_heaps_add(void)
{
	struct cblock_region *region;
	int err = 0;

	for_each_region(region) {
		err = heap_add(region);
		if (err)
			break;
	}
	if (err)
		cblock_heaps_remove();
	return err;
}
