// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that uses cblock from process, softirq and hardirq context: the
 * example of Documentation/cblock.rst, and a test. Loading it allocates from
 * each context, checks what it got, and fails with -EIO if something is wrong;
 * the blocks stay until it is unloaded.
 */
#include <linux/cblock.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

static char *region_name = "";
module_param_named(region, region_name, charp, 0444);
MODULE_PARM_DESC(region, "region to allocate from (default: the first with room)");

static unsigned int rounds = 1000;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "allocations in each context (default: 1000)");

enum { PROCESS, SOFTIRQ, HARDIRQ, CONTEXTS };

static struct cblock_region *region;
static struct cblock *kept[CONTEXTS];
static int result[CONTEXTS];
static DECLARE_COMPLETION(done);

/* What a driver does with a block; @flags say whether it may sleep. */
static int use_blocks(int context, unsigned int flags)
{
	struct cblock *block;
	unsigned int i;
	u8 *data;

	for (i = 0; i < rounds; i++) {
		block = cblock_alloc_aligned(region, SZ_64K, SZ_64K,
					     flags | CBLOCK_ZERO);
		if (IS_ERR(block))
			return PTR_ERR(block);
		if (cblock_size(block) != SZ_64K ||
		    !IS_ALIGNED(cblock_phys(block), SZ_64K))
			return -EIO;
		data = cblock_address(block);
		if (data && memchr_inv(data, 0, SZ_64K))
			return -EIO;
		if (data)
			memset(data, 0xa5 + context, SZ_64K);
		/* the one before stays until the next is there */
		cblock_free(kept[context]);
		kept[context] = block;
	}
	return 0;
}

/* A caller's mistake is told as one, whether there are regions or not. */
static bool mistakes_are_told(void)
{
	return cblock_alloc(NULL, 0, 0) == ERR_PTR(-EINVAL) &&
	       cblock_alloc(NULL, SZ_64K, ~0U) == ERR_PTR(-EINVAL) &&
	       cblock_alloc_aligned(NULL, SZ_64K, 3, 0) == ERR_PTR(-EINVAL);
}

static void in_softirq_context(struct tasklet_struct *tasklet)
{
	result[SOFTIRQ] = in_serving_softirq() ?
			  use_blocks(SOFTIRQ, CBLOCK_NOWAIT) : -EPROTO;
	complete(&done);
}

static DECLARE_TASKLET(softirq, in_softirq_context);

static void in_hardirq_context(struct irq_work *work)
{
	result[HARDIRQ] = hardirq_count() ?
			  use_blocks(HARDIRQ, CBLOCK_NOWAIT) : -EPROTO;
	complete(&done);
}

/* Without HARD it would be a thread with PREEMPT_RT, which 5.10 has not. */
#ifdef IRQ_WORK_INIT_HARD
static struct irq_work hardirq = IRQ_WORK_INIT_HARD(in_hardirq_context);
#else
static DEFINE_IRQ_WORK(hardirq, in_hardirq_context);
#endif

static void free_blocks(void)
{
	unsigned int i;

	for (i = 0; i < CONTEXTS; i++)
		cblock_free(kept[i]);
}

static int __init client_init(void)
{
	struct cblock_stats stats;
	int i;

	if (region_name[0]) {
		region = cblock_region_find(region_name);
		if (!region)
			return -ENODEV;
		cblock_region_stats(region, &stats);
		pr_info("region %s: %llu of %llu bytes free\n", region_name,
			stats.free, stats.size);
	}
	if (!mistakes_are_told())
		return -EIO;
	result[PROCESS] = use_blocks(PROCESS, 0);
	tasklet_schedule(&softirq);
	wait_for_completion(&done);
	tasklet_kill(&softirq);
	irq_work_queue(&hardirq);
	wait_for_completion(&done);
	irq_work_sync(&hardirq);

	for (i = 0; i < CONTEXTS; i++) {
		pr_info("context %d: %d\n", i, result[i]);
		if (result[i]) {
			free_blocks();
			return result[i];
		}
	}
	return 0;
}

static void __exit client_exit(void)
{
	free_blocks();
}

module_init(client_init);
module_exit(client_exit);

MODULE_DESCRIPTION("Uses cblock as a driver does");
MODULE_LICENSE("GPL");
