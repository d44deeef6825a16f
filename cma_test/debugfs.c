// SPDX-License-Identifier: GPL-2.0
/*
 * The reports in debugfs cma_test/. Read-only; documented in
 * Documentation/ABI/testing/debugfs-cma_test.
 */

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "cma_test.h"

static struct dentry *ct_dir;

unsigned long ct_shown_pfn(struct seq_file *m, unsigned long pfn)
{
	return file_ns_capable(m->file, &init_user_ns, CAP_SYS_ADMIN) ? pfn : 0;
}

static int areas_show(struct seq_file *m, void *unused)
{
	struct ct_area *area;
	struct ct_stats stats;

	seq_puts(m, "# area base pages free borrowed allocated largest_free largest_fit route bounds default\n");
	ct_for_each_area(area) {
		ct_scan_stats(area, &stats);
		seq_printf(m, "%s %#lx %lu %lu %lu %lu %lu %lu %s %s %s\n",
			   area->name, ct_shown_pfn(m, area->base), area->pages,
			   stats.pages[CT_FREE], stats.pages[CT_BORROWED],
			   stats.pages[CT_ALLOCATED], stats.largest_free,
			   stats.largest_fit, ct_route_name(area), area->bounds,
			   area->is_default ? "yes" : "no");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(areas);

static int allocations_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "# name area pfn pages via from age pid comm\n");
	ct_blocks_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(allocations);

static int verdict_show(struct seq_file *m, void *unused)
{
	kml_verdict_show(&ct_verdict, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(verdict);

void ct_debugfs_register(void)
{
	ct_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("areas", 0400, ct_dir, NULL, &areas_fops);
	debugfs_create_file("allocations", 0400, ct_dir, NULL,
			    &allocations_fops);
	debugfs_create_file("verdict", 0400, ct_dir, NULL, &verdict_fops);
}

void ct_debugfs_unregister(void)
{
	debugfs_remove_recursive(ct_dir);
}
