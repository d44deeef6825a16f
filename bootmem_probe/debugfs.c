// SPDX-License-Identifier: GPL-2.0
/* The report's parts, each a file; see Documentation/ABI. */
#include <linux/debugfs.h>

#include "bootmem_probe.h"

DEFINE_SHOW_ATTRIBUTE(bm_zones);
DEFINE_SHOW_ATTRIBUTE(bm_used);
DEFINE_SHOW_ATTRIBUTE(bm_memblock);
DEFINE_SHOW_ATTRIBUTE(bm_iomem);
DEFINE_SHOW_ATTRIBUTE(bm_layout);
DEFINE_SHOW_ATTRIBUTE(bm_regions);
DEFINE_SHOW_ATTRIBUTE(bm_params);
DEFINE_SHOW_ATTRIBUTE(bm_lint);
DEFINE_SHOW_ATTRIBUTE(bm_map);

static int bm_verdict_show(struct seq_file *s, void *unused)
{
	kml_verdict_show(&bm_verdict, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(bm_verdict);

static const struct {
	const char *name;
	const struct file_operations *fops;
} files[] = {
	{ "zones", &bm_zones_fops },
	{ "used", &bm_used_fops },
	{ "memblock", &bm_memblock_fops },
	{ "iomem", &bm_iomem_fops },
	{ "layout", &bm_layout_fops },
	{ "regions", &bm_regions_fops },
	{ "parameters", &bm_params_fops },
	{ "lint", &bm_lint_fops },
	{ "map", &bm_map_fops },
	{ "verdict", &bm_verdict_fops },
};

static struct dentry *dir;

void bm_debugfs_init(void)
{
	unsigned int i;

	dir = debugfs_create_dir("bootmem_probe", NULL);
	for (i = 0; i < ARRAY_SIZE(files); i++)
		debugfs_create_file(files[i].name, 0400, dir, NULL,
				    files[i].fops);
}

void bm_debugfs_exit(void)
{
	debugfs_remove(dir);
}
