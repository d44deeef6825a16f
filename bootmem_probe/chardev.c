// SPDX-License-Identifier: GPL-2.0
/* /dev/bootmem_probe: commands on the model, and the whole report. */
#include <linux/cache.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "bootmem_probe.h"

struct kml_verdict bm_verdict = KML_VERDICT_INIT(bm_verdict);

static int get_address(struct kml_command *cmd, const char *word, u64 *addr)
{
	int err = kml_parse_size(word, addr);

	if (err)
		return kml_fail(cmd->verdict, err, "'%s' is not an address",
				word);
	return 0;
}

static int want_words(struct kml_command *cmd, int argc, const char *usage)
{
	if (cmd->argc < argc)
		return kml_fail(cmd->verdict, -EINVAL, "usage: %s %s",
				cmd->argv[0], usage);
	return 0;
}

static int want_alone(struct kml_command *cmd)
{
	if (cmd->argc > 1)
		return kml_fail(cmd->verdict, -EINVAL,
				"%s: unknown argument '%s'", cmd->argv[0],
				cmd->argv[1]);
	return 0;
}

enum { ALLOC_ALIGN, ALLOC_GOAL, ALLOC_LIMIT, ALLOC_OPTIONS };

static int run_alloc(struct kml_command *cmd)
{
	static const match_table_t options = {
		{ ALLOC_ALIGN, "align=%s" },
		{ ALLOC_GOAL, "goal=%s" },
		{ ALLOC_LIMIT, "limit=%s" },
		{ -1, NULL }
	};
	const char *value[ALLOC_OPTIONS] = { };
	u64 size, align = SMP_CACHE_BYTES, goal = 0, limit = 0;
	int err;

	err = want_words(cmd, 2, "SIZE [align=SIZE] [goal=ADDR] [limit=ADDR]");
	err = err ?: kml_command_size(cmd, cmd->argv[1], &size);
	err = err ?: kml_command_options(cmd, 2, options, value);
	if (!err && value[ALLOC_ALIGN])
		err = kml_command_size(cmd, value[ALLOC_ALIGN], &align);
	if (!err && value[ALLOC_GOAL])
		err = get_address(cmd, value[ALLOC_GOAL], &goal);
	if (!err && value[ALLOC_LIMIT])
		err = get_address(cmd, value[ALLOC_LIMIT], &limit);
	return err ?: bm_model_alloc(size, align, goal, limit);
}

static int run_reserve(struct kml_command *cmd)
{
	static const match_table_t options = {
		{ 0, "exclusive" },
		{ -1, NULL }
	};
	const char *exclusive[1] = { };
	u64 addr, size;
	int err;

	err = want_words(cmd, 3, "ADDR SIZE [exclusive]");
	err = err ?: get_address(cmd, cmd->argv[1], &addr);
	err = err ?: kml_command_size(cmd, cmd->argv[2], &size);
	err = err ?: kml_command_options(cmd, 3, options, exclusive);
	return err ?: bm_model_reserve(addr, size, exclusive[0]);
}

static int run_free(struct kml_command *cmd)
{
	u64 addr, size;
	int err;

	err = want_words(cmd, 3, "ADDR SIZE");
	if (!err && cmd->argc > 3)
		err = kml_fail(cmd->verdict, -EINVAL,
			       "free: unknown argument '%s'", cmd->argv[3]);
	err = err ?: get_address(cmd, cmd->argv[1], &addr);
	err = err ?: kml_command_size(cmd, cmd->argv[2], &size);
	return err ?: bm_model_free(addr, size);
}

static int run_free_all(struct kml_command *cmd)
{
	return want_alone(cmd) ?: bm_model_free_all();
}

static int run_map(struct kml_command *cmd)
{
	int err = want_alone(cmd);

	if (!err)
		bm_model_log();
	return err;
}

static int run_reset(struct kml_command *cmd)
{
	return want_alone(cmd) ?: bm_model_reset();
}

static int run_release(struct kml_command *cmd)
{
	int err = want_words(cmd, 2, "NAME");

	if (!err && cmd->argc > 2)
		err = kml_fail(cmd->verdict, -EINVAL,
			       "release: unknown argument '%s'", cmd->argv[2]);
	return err ?: bm_release(cmd->argv[1]);
}

static const struct kml_verb verbs[] = {
	{ "alloc", "SIZE [align=SIZE] [goal=ADDR] [limit=ADDR]: first fit in the model",
	  run_alloc },
	{ "reserve", "ADDR SIZE [exclusive]: in the model", run_reserve },
	{ "free", "ADDR SIZE: in the model", run_free },
	{ "free_all", ": end the model's boot", run_free_all },
	{ "map", ": the model's map to the log", run_map },
	{ "reset", ": set the model up anew", run_reset },
	{ "release", "NAME: a reserved-memory region goes to the buddy, for good",
	  run_release },
	{ }
};

/* Reports hold physical addresses, whatever the file's mode has become. */
static int bm_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* misc_open() leaves the device there, which seq_open() warns of */
	file->private_data = NULL;
	return single_open_size(file, bm_report_show, NULL, SZ_64K);
}

static ssize_t bm_write(struct file *file, const char __user *buf, size_t len,
			loff_t *pos)
{
	return kml_device_write(buf, len, verbs, &bm_verdict);
}

static const struct file_operations bm_fops = {
	.owner = THIS_MODULE,
	.open = bm_open,
	.read = seq_read,
	.write = bm_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct miscdevice bm_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bootmem_probe",
	.fops = &bm_fops,
	.mode = 0600,
};

int bm_chardev_init(void)
{
	return misc_register(&bm_device);
}

void bm_chardev_exit(void)
{
	misc_deregister(&bm_device);
}
