// SPDX-License-Identifier: GPL-2.0
/* /dev/vmalloc_probe: verbs in, the summary out. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nodemask.h>

#include "vp.h"

#define VP_TOP_CALLERS	10

/* --- the verbs --------------------------------------------------------------- */

static int parse_gfp(const char *word, gfp_t *gfp)
{
	static const struct {
		const char *name;
		gfp_t gfp;
		bool here;
	} classes[] = {
		{ "kernel", GFP_KERNEL, true },
		{ "account", GFP_KERNEL_ACCOUNT, true },
		{ "nofs", GFP_NOFS, true },
		{ "noio", GFP_NOIO, true },
		{ "dma32", GFP_KERNEL | __GFP_DMA32, IS_ENABLED(CONFIG_ZONE_DMA32) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		if (strcmp(word, classes[i].name))
			continue;
		if (!classes[i].here)
			return kml_fail(&vp_verdict, -EOPNOTSUPP,
					"this kernel has no zone for gfp=%s", word);
		*gfp = classes[i].gfp;
		return 0;
	}
	return kml_fail(&vp_verdict, -EINVAL,
			"gfp=%s is none of kernel, account, nofs, noio, dma32", word);
}

static int parse_node(const char *word, int *node)
{
	unsigned int number;

	if (kstrtouint(word, 0, &number))
		return kml_fail(&vp_verdict, -EINVAL, "node=%s is not a number", word);
	if (number >= MAX_NUMNODES || !node_state(number, N_MEMORY))
		return kml_fail(&vp_verdict, -EINVAL, "no node %u with memory", number);
	*node = number;
	return 0;
}

static int parse_name(struct kml_command *cmd, const char *word, char *name)
{
	int err = kml_command_name(cmd, word);

	if (!err)
		strscpy(name, word, KML_NAME_MAX + 1);
	return err;
}

static int run_alloc(struct kml_command *cmd)
{
	enum { ALIGN_, NODE, GFP, NAME, HUGE, UNREFERENCED, EXEC, KEYS };
	static const match_table_t keys = {
		{ ALIGN_, "align=%s" }, { NODE, "node=%s" }, { GFP, "gfp=%s" },
		{ NAME, "name=%s" }, { HUGE, "huge" },
		{ UNREFERENCED, "unreferenced" }, { EXEC, "exec" }, { -1, NULL },
	};
	struct vp_request request = { .align = 1, .gfp = GFP_KERNEL, .node = NUMA_NO_NODE };
	const char *value[KEYS] = {};
	int err;

	if (cmd->argc < 2)
		return kml_fail(&vp_verdict, -EINVAL, "alloc: no size");
	err = kml_command_size(cmd, cmd->argv[1], &request.size) ?:
	      kml_command_options(cmd, 2, keys, value);
	if (err)
		return err;
	if (value[EXEC])
		return kml_fail(&vp_verdict, -EPERM,
				"executable memory is for the kernel's own loaders");
	if (value[ALIGN_]) {
		err = kml_command_size(cmd, value[ALIGN_], &request.align);
		if (err)
			return err;
		if (request.align & (request.align - 1))
			return kml_fail(&vp_verdict, -EINVAL,
					"align=%s is not a power of two", value[ALIGN_]);
	}
	if (value[NODE])
		err = parse_node(value[NODE], &request.node);
	if (!err && value[GFP])
		err = parse_gfp(value[GFP], &request.gfp);
	if (!err && value[NAME])
		err = parse_name(cmd, value[NAME], request.name);
	if (err)
		return err;
	request.gfp |= __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	request.huge = value[HUGE];
	request.unreferenced = value[UNREFERENCED];
	return vp_alloc(&request);
}

static int run_fill(struct kml_command *cmd)
{
	enum { COUNT, NAME, KEYS };
	static const match_table_t keys = {
		{ COUNT, "count=%s" }, { NAME, "name=%s" }, { -1, NULL },
	};
	char name[KML_NAME_MAX + 1] = "";
	const char *value[KEYS] = {};
	u64 size, count = 0;
	int err;

	if (cmd->argc < 2)
		return kml_fail(&vp_verdict, -EINVAL, "fill: no size");
	err = kml_command_size(cmd, cmd->argv[1], &size) ?:
	      kml_command_options(cmd, 2, keys, value);
	if (!err && value[COUNT])
		err = kml_command_size(cmd, value[COUNT], &count);
	if (!err && value[NAME])
		err = parse_name(cmd, value[NAME], name);
	if (err)
		return err;
	if (!count && (u64)(VP_END - VP_START) >> 32)
		return kml_fail(&vp_verdict, -EINVAL,
				"fill: a range of %lu bytes needs a count=",
				VP_END - VP_START);
	return vp_fill(size, count, name);
}

/* The one argument of verbs that take a name; NULL, with an errno, for others. */
static const char *only_name(struct kml_command *cmd, int *err)
{
	if (cmd->argc != 2) {
		*err = kml_fail(&vp_verdict, -EINVAL, "%s: takes one name", cmd->argv[0]);
		return NULL;
	}
	*err = kml_command_name(cmd, cmd->argv[1]);
	return *err ? NULL : cmd->argv[1];
}

static int run_free(struct kml_command *cmd)
{
	int err;
	const char *name = only_name(cmd, &err);

	if (!name)
		return err;
	return strcmp(name, "all") ? vp_free(name) : vp_free_all();
}

static int run_dump(struct kml_command *cmd)
{
	int err;
	const char *name = only_name(cmd, &err);

	return name ? vp_dump_select(name) : err;
}

static int run_corrupt(struct kml_command *cmd)
{
	static const match_table_t keys = { { 0, "at=%s" }, { -1, NULL } };
	const char *value[1] = {};
	u64 at;
	int err;

	if (cmd->argc < 2)
		return kml_fail(&vp_verdict, -EINVAL, "corrupt: no name");
	err = kml_command_name(cmd, cmd->argv[1]) ?:
	      kml_command_options(cmd, 2, keys, value);
	if (!err && value[0]) {
		/* a size, but may be 0 */
		err = kml_parse_size(value[0], &at);
		if (err)
			kml_fail(&vp_verdict, err, "at=%s is no byte", value[0]);
	}
	return err ?: vp_corrupt(cmd->argv[1], value[0] ? &at : NULL);
}

static int run_check(struct kml_command *cmd)
{
	static const match_table_t keys = { { 0, "zero" }, { -1, NULL } };
	const char *value[1] = {};
	int err = kml_command_options(cmd, 1, keys, value);

	return err ?: vp_check(value[0]);
}

static int run_storm(struct kml_command *cmd)
{
	enum { CASE, CORRUPT, KEYS };
	static const match_table_t keys = {
		{ CASE, "case=%s" }, { CORRUPT, "corrupt" }, { -1, NULL },
	};
	const char *value[KEYS] = {};
	u64 operations;
	int err;

	if (cmd->argc < 2)
		return kml_fail(&vp_verdict, -EINVAL, "storm: no number of operations");
	err = kml_command_size(cmd, cmd->argv[1], &operations) ?:
	      kml_command_options(cmd, 2, keys, value);
	return err ?: vp_storm(value[CASE] ?: "mixed", operations, value[CORRUPT]);
}

static const struct kml_verb verbs[] = {
	{ "alloc",
	  "SIZE [align=SIZE] [node=N] [gfp=kernel|account|nofs|noio|dma32] [huge] [unreferenced] [name=NAME]: vmalloc, write a pattern",
	  run_alloc },
	{ "fill",
	  "SIZE [count=N] [name=NAME]: N areas that map one page; all that fit on 32 bits",
	  run_fill },
	{ "free", "NAME|all: verify the pattern, give back", run_free },
	{ "corrupt", "NAME [at=BYTE]: flip a bit, which free will find", run_corrupt },
	{ "dump", "NAME: choose what the dump report shows", run_dump },
	{ "check", "[zero]: try the contract of vmalloc; see the check report", run_check },
	{ "storm",
	  "N [case=mixed|fix_size|full_fit|long_busy|random_size|align|pcpu] [corrupt]: N operations on each CPU; see the storm report",
	  run_storm },
	{ }
};

static ssize_t vp_write(struct file *file, const char __user *buf, size_t len,
			loff_t *pos)
{
	return kml_device_write(buf, len, verbs, &vp_verdict);
}

/* --- the summary --------------------------------------------------------------- */

static void show_range(struct seq_file *m, const struct vp_snapshot *snapshot,
		       const struct vp_usage *usage)
{
	unsigned int fragmentation = vp_fragmentation(usage);

	seq_printf(m, "range start=0x%pK end=0x%pK size=%lu used=%llu free=%llu areas=%lu pages=%llu holes=%lu largest_hole=%lu largest_hole_at=%lu fragmentation=%u.%03u",
		   (void *)VP_START, (void *)VP_END, VP_END - VP_START,
		   usage->used.bytes, usage->hole_bytes, usage->used.areas,
		   usage->used.pages, usage->holes, usage->largest,
		   usage->largest ? usage->largest_at - VP_START : 0,
		   fragmentation / 1000, fragmentation % 1000);
	if (kml_vmap_lists(KML_VMAP_LAZY))
		seq_printf(m, " lazy=%llu\n", usage->kinds[VP_LAZY].bytes);
	else
		seq_puts(m, " lazy=hidden\n");
	seq_printf(m, "outside areas=%lu bytes=%llu pages=%llu\n", usage->outside.areas,
		   usage->outside.bytes, usage->outside.pages);
	seq_printf(m, "gathered areas=%lu locked_ns_max=%llu locked_ns_mean=%llu way=\"%s\"\n",
		   snapshot->nr, snapshot->held_max,
		   div64_u64(snapshot->held_sum, max(snapshot->nr, 1UL)), kml_vmap_way());
}

static void show_kinds(struct seq_file *m, const struct vp_usage *usage)
{
	unsigned int i;

	for (i = 0; i < VP_KINDS; i++)
		if (usage->kinds[i].areas)
			seq_printf(m, "kind name=%s areas=%lu bytes=%llu pages=%llu\n",
				   vp_kind_names[i], usage->kinds[i].areas,
				   usage->kinds[i].bytes, usage->kinds[i].pages);
}

static void show_holes(struct seq_file *m, const struct vp_usage *usage)
{
	unsigned int i;

	for (i = 0; i < BITS_PER_LONG; i++)
		if (usage->classes[i].areas)
			seq_printf(m, "holes from=%lu count=%lu bytes=%llu\n", 1UL << i,
				   usage->classes[i].areas, usage->classes[i].bytes);
}

static void show_callers(struct seq_file *m, const struct vp_snapshot *snapshot)
{
	unsigned int left = VP_TOP_CALLERS;
	struct vp_area *area;

	list_for_each_entry(area, &snapshot->callers, caller_node) {
		if (!left--)
			break;
		vp_caller_show(m, area);
	}
}

static int vp_show(struct seq_file *m, void *v)
{
	struct vp_snapshot *snapshot;
	struct vp_usage *usage;

	seq_puts(m, "# vmalloc_probe: the range, its kinds of area, its holes, who holds most, our own; bytes\n");
	if (!kml_vmap_lists(KML_VMAP_BUSY)) {
		seq_printf(m, "range start=0x%pK end=0x%pK size=%lu used=hidden\n",
			   (void *)VP_START, (void *)VP_END, VP_END - VP_START);
		vp_allocs_show(m);
		return 0;
	}
	usage = kmalloc(sizeof(*usage), GFP_KERNEL);
	if (!usage)
		return -ENOMEM;
	snapshot = vp_snapshot_take();
	if (IS_ERR(snapshot)) {
		kfree(usage);
		return PTR_ERR(snapshot);
	}
	vp_usage_count(snapshot, usage);
	show_range(m, snapshot, usage);
	show_kinds(m, usage);
	show_holes(m, usage);
	show_callers(m, snapshot);
	vp_snapshot_free(snapshot);
	kfree(usage);
	vp_allocs_show(m);
	return 0;
}

static int vp_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;	/* misc_open() left the device there */
	return single_open_size(file, vp_show, NULL, 16 * 1024);
}

static const struct file_operations vp_fops = {
	.owner = THIS_MODULE,
	.open = vp_open,
	.read = seq_read,
	.write = vp_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct miscdevice vp_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmalloc_probe",
	.fops = &vp_fops,
	.mode = 0600,
};

int vp_chardev_init(void)
{
	return misc_register(&vp_device);
}

void vp_chardev_exit(void)
{
	misc_deregister(&vp_device);
}
