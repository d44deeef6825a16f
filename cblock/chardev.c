// SPDX-License-Identifier: GPL-2.0
/* /dev/cblock: text commands, the report, and the door to the ioctls. */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "buffer.h"

struct kml_verdict cblock_verdict = KML_VERDICT_INIT(cblock_verdict);

/* A block that a text command made; it stays until a text command frees it. */
struct named {
	struct list_head node;
	struct cblock *block;
};

static LIST_HEAD(named_blocks);
static DEFINE_MUTEX(named_lock);

enum { OPT_ALIGN, OPT_REGION, OPT_NAME, OPT_FIT, OPT_COUNT };

static const match_table_t options = {
	{ OPT_ALIGN, "align=%s" },
	{ OPT_REGION, "region=%s" },
	{ OPT_NAME, "name=%s" },
	{ OPT_FIT, "fit=%s" },
	{ -1, NULL },
};

/**
 * struct request - what alloc and fit ask for
 * @size: bytes
 * @align: bytes, a power of two; 0 if not given
 * @region: NULL if not given
 * @name: NULL if not given
 * @flags: CBLOCK_BESTFIT or 0
 */
struct request {
	u64 size;
	u64 align;
	struct cblock_region *region;
	const char *name;
	unsigned int flags;
};

static int request_parse(struct kml_command *cmd, struct request *req)
{
	const char *value[OPT_COUNT] = {};
	int err;

	memset(req, 0, sizeof(*req));
	if (cmd->argc < 2)
		return kml_fail(cmd->verdict, -EINVAL, "%s: how much?",
				cmd->argv[0]);
	err = kml_command_size(cmd, cmd->argv[1], &req->size);
	if (!err)
		err = kml_command_options(cmd, 2, options, value);
	if (!err && value[OPT_ALIGN])
		err = kml_command_size(cmd, value[OPT_ALIGN], &req->align);
	if (err)
		return err;
	if (!cblock_align_valid(req->align))
		return kml_fail(cmd->verdict, -EINVAL,
				"align=%s: not a power of two up to 1G",
				value[OPT_ALIGN]);
	if (value[OPT_FIT] && !strcmp(value[OPT_FIT], "best"))
		req->flags = CBLOCK_BESTFIT;
	else if (value[OPT_FIT] && strcmp(value[OPT_FIT], "first"))
		return kml_fail(cmd->verdict, -EINVAL,
				"fit=%s: neither first nor best",
				value[OPT_FIT]);
	if (value[OPT_REGION]) {
		req->region = cblock_region_find(value[OPT_REGION]);
		if (!req->region)
			return kml_fail(cmd->verdict, -ENOENT,
					"there is no region '%s'",
					value[OPT_REGION]);
	}
	req->name = value[OPT_NAME];
	return req->name ? kml_command_name(cmd, req->name) : 0;
}

/* Say why @req finds no room. */
static int request_fail(struct kml_command *cmd, const struct request *req)
{
	u64 size = 0, free = 0, largest = 0, aligned = 0;
	struct cblock_region *region;
	struct cblock_stats stats;

	for_each_region(region) {
		if (req->region && req->region != region)
			continue;
		cblock_region_stats(region, &stats);
		size = max(size, stats.size);
		free += stats.free;
		largest = max(largest, stats.largest);
		aligned = max(aligned, cblock_region_largest(region, req->align));
	}
	return kml_fail(cmd->verdict, -ENOMEM,
			"%s %llu: %s: %llu free, largest hole %llu, of that alignment %llu",
			cmd->argv[0], req->size,
			size < req->size ? "larger than any region" :
			free < req->size ? "exhausted" : "fragmented",
			free, largest, aligned);
}

static struct named *named_find(const char *name)
{
	struct named *named;

	lockdep_assert_held(&named_lock);
	list_for_each_entry(named, &named_blocks, node)
		if (!strcmp(named->block->name, name))
			return named;
	return NULL;
}

/* A name that is not taken, for a user who gave none. */
static void named_choose(char *name, size_t size)
{
	static unsigned int count;

	do
		snprintf(name, size, "block%u", count++);
	while (named_find(name));
}

static int verb_alloc(struct kml_command *cmd)
{
	char name[KML_NAME_MAX + 1];
	struct cblock *block;
	struct named *named;
	struct request req;
	int err;

	err = request_parse(cmd, &req);
	if (err)
		return err;
	named = kmalloc(sizeof(*named), GFP_KERNEL);
	if (!named)
		return -ENOMEM;

	mutex_lock(&named_lock);
	if (!req.name) {
		named_choose(name, sizeof(name));
	} else if (named_find(req.name)) {
		err = kml_fail(cmd->verdict, -EEXIST,
			       "alloc: the name '%s' is taken", req.name);
		goto unlock;
	} else {
		strscpy(name, req.name, sizeof(name));
	}
	block = cblock_alloc_for(req.region, req.size, req.align, req.flags,
				 _THIS_IP_, name);
	if (IS_ERR(block)) {
		err = request_fail(cmd, &req);
		goto unlock;
	}
	__module_get(THIS_MODULE);
	named->block = block;
	list_add_tail(&named->node, &named_blocks);
	mutex_unlock(&named_lock);
	return 0;

unlock:
	mutex_unlock(&named_lock);
	kfree(named);
	return err;
}

static int verb_fit(struct kml_command *cmd)
{
	struct cblock_region *region;
	struct request req;
	int err;

	err = request_parse(cmd, &req);
	if (err)
		return err;
	if (req.name)
		return kml_fail(cmd->verdict, -EINVAL, "fit: takes no name=");
	for_each_region(region) {
		if (req.region && req.region != region)
			continue;
		if (cblock_region_largest(region, req.align) >= req.size)
			return 0;
	}
	return request_fail(cmd, &req);
}

/* Run @act on the block that the command names; it is taken off the list. */
static int named_apply(struct kml_command *cmd, bool keep,
		       void (*act)(struct cblock *block))
{
	struct named *named;

	if (cmd->argc != 2)
		return kml_fail(cmd->verdict, -EINVAL, "%s: one name",
				cmd->argv[0]);
	mutex_lock(&named_lock);
	named = named_find(cmd->argv[1]);
	if (!named) {
		mutex_unlock(&named_lock);
		return kml_fail(cmd->verdict, -ENOENT,
				"%s: no block has the name '%s'", cmd->argv[0],
				cmd->argv[1]);
	}
	act(named->block);
	if (!keep) {
		list_del(&named->node);
		kfree(named);
		module_put(THIS_MODULE);
	}
	mutex_unlock(&named_lock);
	return 0;
}

static int verb_free(struct kml_command *cmd)
{
	return named_apply(cmd, false, cblock_free);
}

static int verb_clear(struct kml_command *cmd)
{
	return named_apply(cmd, true, cblock_wipe);
}

static const struct kml_verb verbs[] = {
	{ "alloc", "SIZE [align=SIZE] [region=R] [name=N] [fit=first|best]: allocate",
	  verb_alloc },
	{ "free", "NAME: free what alloc made", verb_free },
	{ "fit", "SIZE [align=SIZE] [region=R]: would it fit? ENOMEM: no",
	  verb_fit },
	{ "clear", "NAME: fill it with zeroes", verb_clear },
	{ }
};

static ssize_t cblock_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	return kml_device_write(buf, len, verbs, &cblock_verdict);
}

static int cblock_open(struct inode *inode, struct file *file)
{
	return cblock_report_open(file);
}

static int cblock_release(struct inode *inode, struct file *file)
{
	cblock_report_release(file);
	return seq_release_private(inode, file);
}

static const struct file_operations cblock_fops = {
	.owner = THIS_MODULE,
	.open = cblock_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.write = cblock_write,
	.unlocked_ioctl = cblock_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = cblock_release,
};

static struct miscdevice cblock_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cblock",
	.fops = &cblock_fops,
	.mode = 0600,
};

int cblock_chardev_init(void)
{
	return misc_register(&cblock_device);
}

void cblock_chardev_exit(void)
{
	misc_deregister(&cblock_device);
}
