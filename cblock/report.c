// SPDX-License-Identifier: GPL-2.0
/* What reading /dev/cblock shows: regions, then the blocks of each. */
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "cblock.h"

/**
 * struct report - a reader
 * @pos: number of the record in hand
 * @region: whose records are being shown; NULL before the first
 * @cursor: where in @region; started while @region is not NULL
 * @block: a copy of the block in hand; of size 0 while the record in hand is
 *	   that of @region itself
 * @privileged: may see physical addresses
 */
struct report {
	loff_t pos;
	struct cblock_region *region;
	struct cblock_cursor cursor;
	struct cblock block;
	bool privileged;
};

static void report_rewind(struct report *report)
{
	if (report->region)
		cblock_cursor_stop(report->region, &report->cursor);
	report->region = NULL;
	report->pos = 0;
}

/* Step to the next record; false behind the last. */
static bool report_step(struct report *report)
{
	struct cblock_region *region = report->region;

	report->pos++;
	if (region) {
		if (cblock_cursor_next(region, &report->cursor, &report->block))
			return true;
		cblock_cursor_stop(region, &report->cursor);
		report->region = NULL;
		if (list_is_last(&region->node, &cblock_regions))
			return false;
		region = list_next_entry(region, node);
	} else {
		region = list_first_entry_or_null(&cblock_regions,
						  struct cblock_region, node);
		if (!region)
			return false;
	}
	report->region = region;
	report->block.area.size = 0;
	cblock_cursor_start(region, &report->cursor);
	return true;
}

static void *report_start(struct seq_file *m, loff_t *pos)
{
	struct report *report = m->private;

	if (!*pos) {
		report_rewind(report);
		return SEQ_START_TOKEN;
	}
	if (*pos < report->pos)
		report_rewind(report);
	while (report->pos < *pos)
		if (!report_step(report))
			return NULL;
	return report->region ? report : NULL;
}

static void *report_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return report_step(m->private) ? m->private : NULL;
}

static void report_stop(struct seq_file *m, void *v)
{
}

static void show_region(struct seq_file *m, struct cblock_region *region,
			bool privileged)
{
	struct cblock_stats stats;

	cblock_region_stats(region, &stats);
	seq_printf(m, "region name=%s source=%s", region->name, region->source);
	if (privileged)
		seq_printf(m, " base=%pa", &stats.base);
	/* how much of the free memory is not in the largest hole */
	seq_printf(m, " size=%llu free=%llu largest=%llu fragmentation=%llu%%",
		   stats.size, stats.free, stats.largest,
		   stats.free ? div64_u64(100 * (stats.free - stats.largest),
					  stats.free) : 0);
	seq_printf(m, " blocks=%u failed=%llu dirty=%llu pages=%s\n",
		   stats.blocks, READ_ONCE(region->failed),
		   (u64)bitmap_weight(region->dirty, region_pages(region)) <<
		   PAGE_SHIFT, region->pages ? "yes" : "no");
}

static int report_show(struct seq_file *m, void *v)
{
	struct report *report = m->private;
	struct cblock *block = &report->block;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "# cblock 1\n");
		return 0;
	}
	if (!block->area.size) {
		show_region(m, report->region, report->privileged);
		return 0;
	}
	seq_printf(m, "block name=%s region=%s offset=%llu size=%llu",
		   block->name[0] ? block->name : "-", block->region->name,
		   cblock_offset(block), cblock_size(block));
	seq_printf(m, " age=%lu pid=%d owner=", (jiffies - block->since) / HZ,
		   block->pid);
	seq_escape(m, block->pid ? block->comm : "-", " \t\n\\=");
	seq_printf(m, " caller=%pS\n", (void *)block->caller);
	return 0;
}

static const struct seq_operations report_ops = {
	.start = report_start,
	.next = report_next,
	.stop = report_stop,
	.show = report_show,
};

int cblock_report_open(struct file *file)
{
	struct report *report;

	file->private_data = NULL; /* the miscdevice until now */
	report = __seq_open_private(file, &report_ops, sizeof(*report));
	if (!report)
		return -ENOMEM;
	report->privileged = capable(CAP_SYS_ADMIN);
	return 0;
}

void cblock_report_release(struct file *file)
{
	struct seq_file *m = file->private_data;

	report_rewind(m->private);
}
