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

	seq_puts(m, "# area base pages free borrowed allocated pinned largest_free largest_fit route bounds default\n");
	ct_for_each_area(area) {
		ct_scan_stats(area, &stats);
		seq_printf(m, "%s %#lx %lu %lu %lu %lu %lu %lu %lu %s %s %s\n",
			   area->name, ct_shown_pfn(m, area->base), area->pages,
			   stats.pages[CT_FREE], stats.pages[CT_BORROWED],
			   stats.pages[CT_ALLOCATED], stats.pages[CT_PINNED],
			   stats.largest_free, stats.largest_fit, ct_route_name(area), area->bounds,
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
	seq_puts(m, "# verdict\n");
	kml_verdict_show(&ct_verdict, m);
	ct_verdicts_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(verdict);

static int owners_show(struct seq_file *m, void *unused)
{
	ct_owners_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(owners);

struct ct_map_scan {
	struct seq_file *m;
	const struct ct_area *area;
};

static void ct_map_run(void *arg, unsigned long pfn, unsigned long pages,
		       enum ct_class class)
{
	struct ct_map_scan *scan = arg;

	seq_printf(scan->m, "%s %#lx %lu %s\n", scan->area->name,
		   pfn - scan->area->base, pages, ct_class_name(class));
}

static int map_show(struct seq_file *m, void *unused)
{
	struct ct_map_scan scan = { .m = m };
	struct ct_area *area;

	seq_puts(m, "# area offset pages class\n");
	ct_for_each_area(area) {
		scan.area = area;
		ct_scan(area, ct_map_run, &scan);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(map);

static int latency_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "# latency\n");
	ct_latency_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

static int pins_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "# pins\n");
	ct_pins_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pins);

static const struct {
	const char *name;
	const struct file_operations *fops;
} ct_reports[] = {
	{ "areas", &areas_fops },
	{ "allocations", &allocations_fops },
	{ "owners", &owners_fops },
	{ "map", &map_fops },
	{ "verdict", &verdict_fops },
	{ "latency", &latency_fops },
	{ "pins", &pins_fops },
};

void ct_debugfs_register(void)
{
	int i;

	ct_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < ARRAY_SIZE(ct_reports); i++)
		debugfs_create_file(ct_reports[i].name, 0400, ct_dir, NULL,
				    ct_reports[i].fops);
}

void ct_debugfs_unregister(void)
{
	debugfs_remove_recursive(ct_dir);
}
