// SPDX-License-Identifier: GPL-2.0
/*
 * bootmem_probe: what boot did with the memory, what contradicts what, and the
 * bitmap allocator of early boot on this machine's own map.
 */
#include <linux/module.h>

#include "bootmem_probe.h"

static int __init bootmem_probe_init(void)
{
	int err;

	err = bm_params_init();
	if (err)
		return err;
	err = bm_model_init();
	if (err)
		goto free_params;
	bm_debugfs_init();
	err = bm_chardev_init();
	if (err)
		goto remove_debugfs;
	return 0;

remove_debugfs:
	bm_debugfs_exit();
	bm_model_exit();
free_params:
	bm_params_exit();
	return err;
}

static void __exit bootmem_probe_exit(void)
{
	bm_chardev_exit();
	bm_debugfs_exit();
	bm_model_exit();
	bm_params_exit();
}

module_init(bootmem_probe_init);
module_exit(bootmem_probe_exit);

MODULE_DESCRIPTION("What boot did with the memory, and the bootmem allocator on this machine's map");
MODULE_LICENSE("GPL");
