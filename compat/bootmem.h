/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What boot left behind and no export hands to a module.
 */
#ifndef _KMEMLAB_COMPAT_BOOTMEM_H
#define _KMEMLAB_COMPAT_BOOTMEM_H

#include <linux/cma.h>
#include <linux/ioport.h>
#include <linux/memblock.h>
#include <linux/types.h>

/*
 * e16faf26780f ("cma: factor out minimum alignment requirement", v5.18), which
 * stable kernels took over
 */
#ifndef CMA_MIN_ALIGNMENT_BYTES
#define CMA_MIN_ALIGNMENT_BYTES \
	(PAGE_SIZE << max_t(unsigned int, MAX_ORDER - 1, pageblock_order))
#endif

/**
 * kml_memblock - one of memblock's arrays, where the kernel keeps them
 * @name: "memory" or "reserved"
 *
 * Return: the array, not locked, as debugfs shows it; NULL where the kernel
 * has dropped it after boot, or has no debugfs.
 */
const struct memblock_type *kml_memblock(const char *name);

/* The debugfs name of a region's flag; NULL beyond the last. */
const char *kml_memblock_flag(unsigned int bit);

/**
 * kml_iomem_walk - visit the tree of /proc/iomem, parents first
 * @visit: called with a resource and its depth, 0 under the root; must not
 *	   sleep, nor use the resource later
 * @arg: for @visit
 *
 * Return: 0; -EIO if this kernel did not let us in.
 */
int kml_iomem_walk(void (*visit)(void *arg, const struct resource *res,
				 unsigned int depth),
		   void *arg);

/**
 * kml_command_line - the kernel's command line
 *
 * Context: process, /proc mounted.
 * Return: a string to be freed with kfree(), or ERR_PTR().
 */
char *kml_command_line(void);

/**
 * kml_initrd - where the boot loader put the initial RAM disk (x86)
 * @start: physical address
 * @size: bytes
 *
 * Context: process, /sys mounted.
 * Return: 0; -ENOENT if nobody tells (on other architectures the device tree
 * does); -ENOMEM.
 */
int kml_initrd(u64 *start, u64 *size);

/**
 * kml_reserve_mem - what became of a reserve_mem= on the command line
 * @name: its name
 * @start: physical address
 * @size: bytes
 *
 * Return: 0; -ENOENT for no such region; -EOPNOTSUPP where the kernel does not
 * know the parameter.
 */
int kml_reserve_mem(const char *name, phys_addr_t *start, phys_addr_t *size);

#endif /* _KMEMLAB_COMPAT_BOOTMEM_H */
