// SPDX-License-Identifier: GPL-2.0
/*
 * cblock: large, physically contiguous blocks from memory that was set aside
 * at boot, for shells, programs, drivers and devices.
 */
#include <linux/module.h>

#include "buffer.h"

static int __init cblock_init(void)
{
	int err;

	err = cblock_core_init();
	if (err)
		return err;
	cblock_add_boot();
	cblock_add_of();
	err = cblock_add_ranges();
	if (!err)
		err = cblock_add_cma();
	if (err)
		goto remove_regions;
	err = cblock_clean_start();
	if (err)
		goto remove_regions;
	err = cblock_buffers_init();
	if (err)
		goto stop_cleaner;
	cblock_debugfs_init();
	err = cblock_heaps_add();
	if (err)
		goto remove_debugfs;
	err = cblock_chardev_init();
	if (err)
		goto remove_heaps;
	if (list_empty(&cblock_regions))
		pr_info("no memory is set aside: see Documentation/cblock.rst\n");
	return 0;

remove_heaps:
	cblock_heaps_remove();
remove_debugfs:
	cblock_debugfs_exit();
	cblock_buffers_exit();
stop_cleaner:
	cblock_clean_stop();
remove_regions:
	cblock_regions_remove();
	cblock_core_exit();
	return err;
}

static void __exit cblock_exit(void)
{
	cblock_chardev_exit();
	cblock_heaps_remove();
	cblock_debugfs_exit();
	cblock_buffers_exit();
	cblock_clean_stop();
	cblock_regions_remove();
	cblock_core_exit();
}

module_init(cblock_init);
module_exit(cblock_exit);

MODULE_DESCRIPTION("Large contiguous blocks from reserved memory");
MODULE_LICENSE("GPL");
