// SPDX-License-Identifier: GPL-2.0
/* Read-only reports in debugfs. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "cblock.h"

static struct dentry *cblock_dir;

static int verdict_show(struct seq_file *m, void *unused)
{
	kml_verdict_show(&cblock_verdict, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(verdict);

void cblock_debugfs_init(void)
{
	cblock_dir = debugfs_create_dir("cblock", NULL);
	debugfs_create_file("verdict", 0400, cblock_dir, NULL, &verdict_fops);
}

void cblock_debugfs_exit(void)
{
	debugfs_remove_recursive(cblock_dir);
}
