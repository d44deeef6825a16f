// SPDX-License-Identifier: GPL-2.0
/* vmalloc_probe: see the vmalloc range, and hold vmalloc to its contract. */
#include <linux/module.h>

#include "vp.h"

struct kml_verdict vp_verdict = KML_VERDICT_INIT(vp_verdict);

static int __init vp_init(void)
{
	int err = kml_vmap_init();

	if (err == -ENOMEM)
		return err;
	if (err)
		pr_warn("the areas of this kernel are hidden (%pe)\n", ERR_PTR(err));

	vp_debugfs_init();
	err = vp_chardev_init();
	if (err)
		vp_debugfs_exit();
	return err;
}

static void __exit vp_exit(void)
{
	vp_chardev_exit();
	vp_debugfs_exit();
	vp_free_all();
}

module_init(vp_init);
module_exit(vp_exit);

MODULE_DESCRIPTION("See the vmalloc range, and hold vmalloc to its contract");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
