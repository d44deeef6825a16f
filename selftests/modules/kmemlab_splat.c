// SPDX-License-Identifier: GPL-2.0
/*
 * Goes wrong on purpose, so that tests can see whether the harness notices:
 * loading it with what=warn, oops, report or leak does just that.
 */
#include <linux/module.h>
#include <linux/slab.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "warn (a WARN), oops (a bad pointer), report (only the words of lockdep's), leak (memory)");

static noinline void kmemlab_splat_leak(void)
{
	void *forgotten = kmalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(forgotten);
}

static int __init kmemlab_splat_init(void)
{
	if (!strcmp(what, "warn"))
		WARN(1, "on purpose\n");
	else if (!strcmp(what, "oops"))
		WRITE_ONCE(*(int *)8, 0);
	else if (!strcmp(what, "report"))
		pr_warn("WARNING: possible circular locking dependency detected, on purpose\n");
	else if (!strcmp(what, "leak"))
		kmemlab_splat_leak();
	else
		return -EINVAL;
	return 0;
}
module_init(kmemlab_splat_init);

static void __exit kmemlab_splat_exit(void)
{
}
module_exit(kmemlab_splat_exit);

MODULE_DESCRIPTION("Goes wrong on purpose, for the harness's own tests");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
