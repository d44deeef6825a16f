// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cma_test: a write is a command, a read frees the lowest classic slot.
 */

#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "cma_test.h"

enum {
	CT_OPT_ALIGN, CT_OPT_AREA, CT_OPT_NAME, CT_OPT_VIA, CT_OPT_MASK,
	CT_OPTS
};

static int ct_get_area(struct kml_command *cmd, const char *name,
		       struct ct_area **area)
{
	*area = name ? ct_area_find(name) : ct_area_default();
	if (*area)
		return 0;
	return kml_fail(cmd->verdict, -ENOENT, "no CMA area '%s'",
			name ?: "(default)");
}

static int ct_get_via(struct kml_command *cmd, const char *word,
		      enum ct_via *via)
{
	*via = CT_VIA_BEST;
	if (!word)
		return 0;
	if (!strcmp(word, "cma"))
		*via = CT_VIA_CMA;
	else if (!strcmp(word, "dma"))
		*via = CT_VIA_DMA;
	else
		return kml_fail(cmd->verdict, -EINVAL,
				"via=%s: it is cma or dma", word);
	return 0;
}

static int ct_get_mask(struct kml_command *cmd, const char *word,
		       const struct ct_request *req, unsigned int *bits)
{
	*bits = 64;
	if (!word)
		return 0;
	if (req->via != CT_VIA_DMA)
		return kml_fail(cmd->verdict, -EINVAL,
				"mask= goes with via=dma only");
	if (kstrtouint(word, 10, bits) || *bits < 20 || *bits > 64)
		return kml_fail(cmd->verdict, -EINVAL,
				"mask=%s: a number of bits from 20 to 64", word);
	return 0;
}

static int ct_get_name(struct kml_command *cmd, const char *name)
{
	if (!name)
		return 0;
	if (!strcmp(name, "all") ||
	    (!strncmp(name, "slot", 4) && isdigit(name[4])))
		return kml_fail(cmd->verdict, -EINVAL,
				"'%s' is a name with a meaning", name);
	return kml_command_name(cmd, name);
}

static int ct_do_alloc(struct kml_command *cmd)
{
	static const match_table_t options = {
		{ CT_OPT_ALIGN, "align=%s" },
		{ CT_OPT_AREA, "area=%s" },
		{ CT_OPT_NAME, "name=%s" },
		{ CT_OPT_VIA, "via=%s" },
		{ CT_OPT_MASK, "mask=%s" },
		{ -1, NULL }
	};
	const char *value[CT_OPTS] = {};
	struct ct_request req = {};
	int err;

	if (cmd->argc < 2)
		return kml_fail(cmd->verdict, -EINVAL, "alloc: which size?");
	err = kml_command_size(cmd, cmd->argv[1], &req.bytes) ?:
	      kml_command_options(cmd, 2, options, value) ?:
	      ct_get_area(cmd, value[CT_OPT_AREA], &req.area) ?:
	      ct_get_via(cmd, value[CT_OPT_VIA], &req.via) ?:
	      ct_get_mask(cmd, value[CT_OPT_MASK], &req, &req.mask_bits) ?:
	      ct_get_name(cmd, value[CT_OPT_NAME]);
	if (!err && value[CT_OPT_ALIGN])
		err = kml_command_size(cmd, value[CT_OPT_ALIGN], &req.align);
	if (err)
		return err;
	req.name = value[CT_OPT_NAME];
	return ct_block_alloc(&req);
}

static int ct_do_free(struct kml_command *cmd)
{
	if (cmd->argc != 2)
		return kml_fail(cmd->verdict, -EINVAL,
				"free: one name, or all");
	if (strcmp(cmd->argv[1], "all"))
		return ct_block_free(cmd->argv[1]);
	ct_block_free_all();
	return 0;
}

enum { CT_WHERE_ALIGN, CT_WHERE_AREA, CT_WHERES };

/* The SIZE [align=] [area=] of fit and pin. */
static int ct_get_where(struct kml_command *cmd, bool may_align, u64 *bytes,
			u64 *align, struct ct_area **area)
{
	static const match_table_t options = {
		{ CT_WHERE_AREA, "area=%s" },
		{ CT_WHERE_ALIGN, "align=%s" },
		{ -1, NULL }
	};
	const char *value[CT_WHERES] = {};
	int err;

	if (cmd->argc < 2)
		return kml_fail(cmd->verdict, -EINVAL, "%s: which size?",
				cmd->argv[0]);
	err = kml_command_size(cmd, cmd->argv[1], bytes) ?:
	      kml_command_options(cmd, 2, options, value) ?:
	      ct_get_area(cmd, value[CT_WHERE_AREA], area);
	*align = PAGE_SIZE;
	if (!err && value[CT_WHERE_ALIGN] && !may_align)
		return kml_fail(cmd->verdict, -EINVAL, "%s: no align= here",
				cmd->argv[0]);
	if (!err && value[CT_WHERE_ALIGN])
		err = kml_command_size(cmd, value[CT_WHERE_ALIGN], align);
	if (!err && (hweight64(*align) != 1 || *align < PAGE_SIZE))
		return kml_fail(cmd->verdict, -EINVAL,
				"align=%llu is not a power of two of at least a page",
				*align);
	return err;
}

static int ct_do_fit(struct kml_command *cmd)
{
	struct ct_fit fit = {};
	struct ct_area *area;
	u64 bytes, align;
	int err;

	err = ct_get_where(cmd, true, &bytes, &align, &area);
	if (err)
		return err;
	if (bytes > (u64)area->pages << PAGE_SHIFT ||
	    align > (u64)area->pages << PAGE_SHIFT) {
		kml_say(cmd->verdict, "fit: no; the whole area %s has %llu KiB",
			area->name, (u64)area->pages << (PAGE_SHIFT - 10));
		return 0;
	}
	fit.pages = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	fit.order = ilog2(align) - PAGE_SHIFT;
	ct_scan_fit(area, &fit);
	if (fit.found)
		kml_say(cmd->verdict, "fit: yes; area=%s pfn=%#lx pages=%lu borrowed=%lu",
			area->name, fit.pfn, fit.pages, fit.borrowed);
	else
		kml_say(cmd->verdict, "fit: no; area=%s pages=%lu largest=%lu",
			area->name, fit.pages, fit.largest);
	return 0;
}

static int ct_do_pin(struct kml_command *cmd)
{
	struct ct_area *area;
	u64 bytes, align;

	return ct_get_where(cmd, false, &bytes, &align, &area) ?:
	       ct_pin(area, bytes);
}

static int ct_do_unpin(struct kml_command *cmd)
{
	if (cmd->argc != 1)
		return kml_fail(cmd->verdict, -EINVAL, "unpin: no argument");
	if (ct_unpin())
		return kml_fail(cmd->verdict, -ENOENT, "nothing is pinned");
	return 0;
}

static int ct_do_reset(struct kml_command *cmd)
{
	if (cmd->argc != 1)
		return kml_fail(cmd->verdict, -EINVAL, "reset: no argument");
	ct_latency_reset();
	ct_lost_reset();
	return 0;
}

/* Any number, or an empty line, fills the next slot. */
static int ct_do_classic(struct kml_command *cmd)
{
	u64 number;

	if (cmd->argc > 1 ||
	    (cmd->argc == 1 && kstrtoull(cmd->argv[0], 0, &number)))
		return kml_fail(cmd->verdict, -EINVAL,
				"unknown verb '%s'; try 'help'", cmd->argv[0]);
	if (!ct_area_default())
		return kml_fail(cmd->verdict, -ENOENT,
				"there is no default CMA area");
	return ct_slot_alloc();
}

static const struct kml_verb ct_verbs[] = {
	{ "alloc", "SIZE [align=SIZE] [area=NAME] [name=NAME] [via=cma|dma] [mask=BITS]: allocate",
	  ct_do_alloc },
	{ "free", "NAME|all: free what alloc or a number allocated",
	  ct_do_free },
	{ "fit", "SIZE [align=SIZE] [area=NAME]: would it fit? the answer is in the verdict report",
	  ct_do_fit },
	{ "pin", "SIZE [area=NAME]: hold pages so that they cannot move",
	  ct_do_pin },
	{ "unpin", ": let go of them", ct_do_unpin },
	{ "reset", ": clear the statistics", ct_do_reset },
	{ NULL, "a number or an empty line: fill the next of ten slots",
	  ct_do_classic },
};

/**
 * struct ct_reader - an open file
 * @lock: readers of one file take turns
 * @text: what the slot that this file freed was
 * @len: its length, 0 while the file has freed nothing
 */
struct ct_reader {
	struct mutex lock;	/* protects the rest */
	char text[192];
	int len;
};

static int ct_open(struct inode *inode, struct file *file)
{
	struct ct_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	file->private_data = reader;
	return 0;
}

static int ct_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/*
 * The first read frees a slot; the following ones hand out the rest of the
 * line, however small the buffer is, and then end-of-file.
 */
static ssize_t ct_read(struct file *file, char __user *buf, size_t len,
		       loff_t *pos)
{
	struct ct_reader *reader = file->private_data;
	ssize_t ret;

	if (!len)
		return 0;
	/* a buffer that cannot be written must not cost a slot */
	if (clear_user(buf, 1))
		return -EFAULT;
	ret = mutex_lock_interruptible(&reader->lock);
	if (ret)
		return ret;
	if (!reader->len) {
		*pos = 0;
		reader->len = ct_slot_free(reader->text, sizeof(reader->text),
					   capable(CAP_SYS_ADMIN));
	}
	ret = simple_read_from_buffer(buf, len, pos, reader->text, reader->len);
	mutex_unlock(&reader->lock);
	return ret;
}

static ssize_t ct_write(struct file *file, const char __user *buf, size_t len,
			loff_t *pos)
{
	if (!len)
		return kml_fail(&ct_verdict, -EINVAL, "a write of no bytes");
	return kml_device_write(buf, len, ct_verbs, &ct_verdict);
}

static const struct file_operations ct_fops = {
	.owner = THIS_MODULE,
	.open = ct_open,
	.release = ct_release,
	.read = ct_read,
	.write = ct_write,
	.llseek = noop_llseek,
};

static struct miscdevice ct_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &ct_fops,
	.mode = 0600,
};

int ct_chardev_register(void)
{
	return misc_register(&ct_device);
}

void ct_chardev_unregister(void)
{
	misc_deregister(&ct_device);
}
