// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading cma_test.
 */

#include <linux/module.h>
#include <linux/moduleparam.h>

#include "cma_test.h"

struct kml_verdict ct_verdict = KML_VERDICT_INIT(ct_verdict);

static bool ct_resolve = true;
module_param_named(resolve, ct_resolve, bool, 0444);
MODULE_PARM_DESC(resolve, "call unexported functions through resolved addresses where that is safe (default: yes)");

static char *ct_area;
module_param_named(area, ct_area, charp, 0444);
MODULE_PARM_DESC(area, "CMA area of commands that name none (default: the kernel's default area)");

static bool ct_track = true;
module_param_named(track, ct_track, bool, 0444);
MODULE_PARM_DESC(track, "watch all CMA allocations in the system through tracepoints (default: yes)");

static int __init ct_init(void)
{
	int err;

	if (ct_resolve && !kml_cma_may_resolve())
		pr_info("this kernel's build does not allow calls to resolved addresses; going without\n");
	err = ct_areas_init(ct_resolve && kml_cma_may_resolve(), ct_area);
	if (err)
		return err;
	err = ct_track_start(ct_track);
	if (err)
		goto exit_areas;
	ct_debugfs_register();
	err = ct_chardev_register();
	if (err)
		goto unregister_debugfs;
	return 0;

unregister_debugfs:
	ct_debugfs_unregister();
	ct_track_stop();
exit_areas:
	ct_areas_exit();
	return err;
}

static void __exit ct_exit(void)
{
	ct_chardev_unregister();
	ct_debugfs_unregister();
	ct_block_free_all();
	ct_unpin();
	ct_track_stop();
	ct_areas_exit();
}

module_init(ct_init);
module_exit(ct_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Allocate from CMA by hand, watch who does, and say why it fails");
