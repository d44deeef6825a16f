// SPDX-License-Identifier: GPL-2.0
/* The reports below debugfs vmalloc_probe/. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/user_namespace.h>

#include "vp.h"

static struct dentry *dir;

/* --- reports that are made in one go ----------------------------------------- */

static int check_show(struct seq_file *m, void *v)
{
	vp_check_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(check);

static int storm_show(struct seq_file *m, void *v)
{
	vp_storm_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(storm);

static int verdict_show(struct seq_file *m, void *v)
{
	kml_verdict_show(&vp_verdict, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(verdict);

static int dump_open(struct inode *inode, struct file *file)
{
	return seq_open(file, &vp_dump_ops);
}

static const struct file_operations dump_fops = {
	.owner = THIS_MODULE,
	.open = dump_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release,
};

/* --- areas and callers: a snapshot for as long as the file is open ------------- */

/**
 * struct vp_walk - a reader's place in a snapshot
 * @snapshot: what is read
 * @list: its list of areas, or of callers
 * @at: the entry at @pos, so that a large report is not walked from its start
 *	for each buffer
 * @pos: 1 is the first entry; 0 is the header
 */
struct vp_walk {
	struct vp_snapshot *snapshot;
	struct list_head *list;
	struct list_head *at;
	loff_t pos;
};

static void *walk_start(struct seq_file *m, loff_t *pos)
{
	struct vp_walk *walk = m->private;

	if (!*pos)
		return SEQ_START_TOKEN;
	if (*pos != walk->pos) {
		walk->at = seq_list_start(walk->list, *pos - 1);
		walk->pos = *pos;
	}
	return walk->at;
}

static void *walk_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct vp_walk *walk = m->private;
	struct list_head *at = v == SEQ_START_TOKEN ? walk->list : v;

	walk->at = list_is_last(at, walk->list) ? NULL : at->next;
	walk->pos = ++*pos;
	return walk->at;
}

static void walk_stop(struct seq_file *m, void *v)
{
}

static int areas_show(struct seq_file *m, void *v)
{
	bool physical = file_ns_capable(m->file, &init_user_ns, CAP_SYS_ADMIN);
	struct vp_area *area;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "# areas by address; at: bytes from the start of the range, which has %lu\n",
			   VP_END - VP_START);
		return 0;
	}
	area = list_entry(v, struct vp_area, node);
	seq_printf(m, "area at=%ld size=%lu kind=%s pages=%lu order=%u",
		   (long)(area->map.start - VP_START), vp_area_size(area),
		   vp_kind_names[area->kind], area->map.nr_pages, area->map.page_order);
	if (area->map.phys && physical)
		seq_printf(m, " phys=%pap", &area->map.phys);
	if (area->map.caller)
		seq_printf(m, " caller=%pS", area->map.caller);
	seq_printf(m, " start=0x%pK\n", (void *)area->map.start);
	return 0;
}

/**
 * vp_caller_show - print what one caller holds
 * @m: where to
 * @area: an entry of &vp_snapshot.callers
 */
void vp_caller_show(struct seq_file *m, const struct vp_area *area)
{
	seq_printf(m, "caller areas=%lu bytes=%llu pages=%llu symbol=",
		   area->caller_areas, area->caller_bytes, area->caller_pages);
	if (area->map.caller)
		seq_printf(m, "%pS\n", area->map.caller);
	else
		seq_puts(m, "none\n");
}

static int callers_show(struct seq_file *m, void *v)
{
	if (v == SEQ_START_TOKEN)
		seq_puts(m, "# callers by bytes of the range, guard pages included\n");
	else
		vp_caller_show(m, list_entry(v, struct vp_area, caller_node));
	return 0;
}

static const struct seq_operations areas_ops = {
	.start = walk_start, .next = walk_next, .stop = walk_stop, .show = areas_show,
};

static const struct seq_operations callers_ops = {
	.start = walk_start, .next = walk_next, .stop = walk_stop, .show = callers_show,
};

static int walk_open(struct file *file, const struct seq_operations *ops)
{
	struct vp_snapshot *snapshot;
	struct vp_walk *walk;

	snapshot = vp_snapshot_take();
	if (IS_ERR(snapshot))
		return PTR_ERR(snapshot);
	walk = __seq_open_private(file, ops, sizeof(*walk));
	if (!walk) {
		vp_snapshot_free(snapshot);
		return -ENOMEM;
	}
	walk->snapshot = snapshot;
	walk->list = ops == &areas_ops ? &snapshot->areas : &snapshot->callers;
	return 0;
}

static int areas_open(struct inode *inode, struct file *file)
{
	return walk_open(file, &areas_ops);
}

static int callers_open(struct inode *inode, struct file *file)
{
	return walk_open(file, &callers_ops);
}

static int walk_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct vp_walk *walk = m->private;

	vp_snapshot_free(walk->snapshot);
	return seq_release_private(inode, file);
}

static const struct file_operations areas_fops = {
	.owner = THIS_MODULE,
	.open = areas_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = walk_release,
};

static const struct file_operations callers_fops = {
	.owner = THIS_MODULE,
	.open = callers_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = walk_release,
};

void vp_debugfs_init(void)
{
	dir = debugfs_create_dir("vmalloc_probe", NULL);
	debugfs_create_file("areas", 0400, dir, NULL, &areas_fops);
	debugfs_create_file("callers", 0400, dir, NULL, &callers_fops);
	debugfs_create_file("check", 0400, dir, NULL, &check_fops);
	debugfs_create_file("dump", 0400, dir, NULL, &dump_fops);
	debugfs_create_file("storm", 0400, dir, NULL, &storm_fops);
	debugfs_create_file("verdict", 0400, dir, NULL, &verdict_fops);
}

void vp_debugfs_exit(void)
{
	debugfs_remove_recursive(dir);
}
