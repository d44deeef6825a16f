// SPDX-License-Identifier: GPL-2.0
/*
 * What boot left behind and no export hands to a module: see bootmem.h. No
 * unexported function is called and no symbol looked up.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pageblock-flags.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>

#include "bootmem.h"

#ifdef CONFIG_DEBUG_FS
/*
 * What a debugfs file was created with is its inode's private data: for a file
 * of the kernel proper it stays as long as the kernel does.
 */
static void *debugfs_data(const char *const *path)
{
	struct dentry *dir = NULL, *next;
	void *data = NULL;

	for (; *path; path++) {
		next = debugfs_lookup(*path, dir);
		dput(dir);
		dir = next;
		if (!dir)
			return NULL;
	}
	if (d_is_reg(dir))
		data = d_inode(dir)->i_private;
	dput(dir);
	return data;
}
#else
static void *debugfs_data(const char *const *path)
{
	return NULL;
}
#endif

const struct memblock_type *kml_memblock(const char *name)
{
	const char *const path[] = { "memblock", name, NULL };
	const struct memblock_type *type;

	if (!IS_ENABLED(CONFIG_ARCH_KEEP_MEMBLOCK))
		return NULL;
	type = debugfs_data(path);
	return type && !strcmp(type->name, name) ? type : NULL;
}

const char *kml_memblock_flag(unsigned int bit)
{
	/*
	 * As memblock_debug_show() has them in 7.3; a kernel that lacks one
	 * never sets it.
	 */
	static const char *const names[] = {
		"HOTPLUG", "MIRROR", "NOMAP", "DRV_MNG", "RSV_NIT", "RSV_KERN",
		"KHO_SCRATCH", "RSV_HUGETLB",
	};

	return bit < ARRAY_SIZE(names) ? names[bit] : NULL;
}

struct iomem_walk {
	void (*visit)(void *arg, const struct resource *res,
		      unsigned int depth);
	void *arg;
	bool done;
};

static void iomem_walk_tree(struct iomem_walk *walk)
{
	const struct resource *res = iomem_resource.child;
	unsigned int depth = 0;

	if (walk->done)
		return;
	walk->done = true;
	while (res) {
		walk->visit(walk->arg, res, depth);
		if (res->child) {
			res = res->child;
			depth++;
			continue;
		}
		while (!res->sibling && depth) {
			res = res->parent;
			depth--;
		}
		res = res->sibling;
	}
}

/*
 * allocate_resource() calls this with resource_lock held, for every gap. The
 * last byte of a gap as the place for two bytes is one that it cannot take.
 */
static resource_size_t iomem_align(void *data, const struct resource *gap,
				   resource_size_t size, resource_size_t align)
{
	iomem_walk_tree(data);
	return gap->end;
}

/*
 * The callback has one more argument in 7.3 than in 6.12; found by looking.
 */
static resource_size_t iomem_align_full(void *data, const struct resource *gap,
					const struct resource *full,
					resource_size_t size,
					resource_size_t align)
{
	iomem_walk_tree(data);
	return full->end;
}

typedef int allocate_resource_fn(struct resource *root, struct resource *new,
				 resource_size_t size, resource_size_t min,
				 resource_size_t max, resource_size_t align,
				 typeof(iomem_align) *alignf, void *data);

#define IOMEM_ALIGN							\
	__builtin_choose_expr(						\
		__builtin_types_compatible_p(typeof(allocate_resource),	\
					     allocate_resource_fn),	\
		iomem_align, iomem_align_full)

int kml_iomem_walk(void (*visit)(void *arg, const struct resource *res,
				 unsigned int depth),
		   void *arg)
{
	struct iomem_walk walk = { .visit = visit, .arg = arg };
	struct resource probe = { .name = "bootmem_probe" };

	if (!allocate_resource(&iomem_resource, &probe, 2, 0, (resource_size_t)~0,
			       1, IOMEM_ALIGN, &walk))
		release_resource(&probe);
	return walk.done ? 0 : -EIO;
}

#if defined(MODULE) || defined(CONFIG_X86)
static ssize_t read_file(const char *name, void *buffer, size_t size)
{
	struct file *file = filp_open(name, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_read(file, buffer, size, &pos);
	fput(file);
	return len;
}
#endif

#ifndef MODULE
#include <linux/init.h>

/* Built in, this runs before there is a /proc to read. */
char *kml_command_line(void)
{
	return kstrdup(saved_command_line, GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
}
#else
/* saved_command_line is not exported. */
char *kml_command_line(void)
{
	const size_t max = SZ_64K;
	ssize_t len;
	char *line;

	line = kmalloc(max, GFP_KERNEL);
	if (!line)
		return ERR_PTR(-ENOMEM);
	len = read_file("/proc/cmdline", line, max - 1);
	if (len < 0) {
		kfree(line);
		return ERR_PTR(len);
	}
	line[len] = '\0';
	strim(line);
	return line;
}
#endif

#ifdef CONFIG_X86
#include <asm/bootparam.h>

/* boot_params is not exported. */
int kml_initrd(u64 *start, u64 *size)
{
	struct boot_params *params;
	int err = -ENOENT;

	params = kmalloc(sizeof(*params), GFP_KERNEL);
	if (!params)
		return -ENOMEM;
	if (read_file("/sys/kernel/boot_params/data", params, sizeof(*params)) ==
	    sizeof(*params)) {
		*start = params->hdr.ramdisk_image |
			 (u64)params->ext_ramdisk_image << 32;
		*size = params->hdr.ramdisk_size |
			(u64)params->ext_ramdisk_size << 32;
		err = 0;
	}
	kfree(params);
	return err;
}
#else
int kml_initrd(u64 *start, u64 *size)
{
	return -ENOENT;
}
#endif

int kml_reserve_mem(const char *name, phys_addr_t *start, phys_addr_t *size)
{
	/* Linux 6.12, "mm/memblock: Add "reserve_mem" to reserved named memory at boot up" */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return reserve_mem_find_by_name(name, start, size) ? 0 : -ENOENT;
#else
	return -EOPNOTSUPP;
#endif
}
