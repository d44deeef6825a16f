// SPDX-License-Identifier: GPL-2.0
/*
 * What an allocation costs. Under the harness's instruction clock a nanosecond
 * is an instruction. Loading it measures and prints one record a line:
 *
 *	bench: allocator=A live=N state=S fit=F align=BYTES cost=NS
 *
 * cost is that of one allocation plus one release of 8 KiB while N others live.
 * fresh: nothing was ever freed, the new block goes behind the others.
 * fragmented: of 2 N neighbours every other one was freed; each turn frees one
 * of the others at random and allocates again.
 */
#include <drm/drm_mm.h>
#include <linux/cblock.h>
#include <linux/err.h>
#include <linux/genalloc.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define BLOCK	8192
#define TURNS	4096

static char *region_name = "bench";
module_param_named(region, region_name, charp, 0444);
MODULE_PARM_DESC(region, "cblock region to measure in (default: bench)");

static unsigned int most = 262144;
module_param(most, uint, 0444);
MODULE_PARM_DESC(most, "largest number of live blocks (default: 262144)");

static struct cblock_region *region;
static struct gen_pool *pool;
static unsigned int cblock_flags;
static u64 cblock_align;

/**
 * struct allocator - what is measured
 * @name: as printed
 * @get: allocate BLOCK bytes; NULL if that fails
 * @put: free
 */
struct allocator {
	const char *name;
	void *(*get)(void);
	void (*put)(void *block);
};

static void *get_cblock(void)
{
	struct cblock *block = cblock_alloc_aligned(region, BLOCK, cblock_align,
						    cblock_flags);

	return IS_ERR(block) ? NULL : block;
}

static void put_cblock(void *block)
{
	cblock_free(block);
}

static void *get_genalloc(void)
{
	return (void *)gen_pool_alloc(pool, BLOCK);
}

static void put_genalloc(void *block)
{
	gen_pool_free(pool, (unsigned long)block, BLOCK);
}

#if IS_ENABLED(CONFIG_DRM)
static struct drm_mm drm_range;

static void *get_drm_mm(void)
{
	struct drm_mm_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (node && drm_mm_insert_node(&drm_range, node, BLOCK)) {
		kfree(node);
		return NULL;
	}
	return node;
}

static void put_drm_mm(void *node)
{
	drm_mm_remove_node(node);
	kfree(node);
}

static const struct allocator drm_mms = { "drm_mm", get_drm_mm, put_drm_mm };
#endif

static const struct allocator cblocks = { "cblock", get_cblock, put_cblock };
static const struct allocator genallocs = { "genalloc", get_genalloc, put_genalloc };

static u64 measure_fresh(const struct allocator *a, unsigned int turns)
{
	unsigned int i;
	u64 start;
	void *block;

	start = ktime_get_ns();
	for (i = 0; i < turns; i++) {
		block = a->get();
		if (!block)
			return 0;
		a->put(block);
	}
	return div_u64(ktime_get_ns() - start, turns);
}

static u64 measure_churn(const struct allocator *a, void **block,
			 unsigned int live, unsigned int turns)
{
	struct rnd_state rnd;
	unsigned int i;
	u64 start, draws;
	u32 sum = 0;

	/* what drawing the numbers costs is no part of it */
	prandom_seed_state(&rnd, 1);
	start = ktime_get_ns();
	for (i = 0; i < turns; i++)
		sum += prandom_u32_state(&rnd) % live;
	draws = ktime_get_ns() - start;
	OPTIMIZER_HIDE_VAR(sum);

	prandom_seed_state(&rnd, 1);
	start = ktime_get_ns();
	for (i = 0; i < turns; i++) {
		u32 n = prandom_u32_state(&rnd) % live;

		a->put(block[n]);
		block[n] = a->get();
		if (!block[n])
			return 0;
	}
	return div_u64(ktime_get_ns() - start - draws, turns);
}

static void report(const struct allocator *a, unsigned int live,
		   const char *state, u64 cost)
{
	bool best = a == &cblocks && cblock_flags & CBLOCK_BESTFIT;

	pr_info("bench: allocator=%s live=%u state=%s fit=%s align=%llu cost=%llu\n",
		a->name, live, state, best ? "best" : "first",
		a == &cblocks ? cblock_align : 0, cost);
}

static int measure(const struct allocator *a, void **block, unsigned int live)
{
	/* a slow one need not be measured as often */
	unsigned int turns = a == &cblocks ? TURNS : TURNS / 16;
	unsigned int i, have;
	int err = 0;

	for (have = 0; have < live; have++) {
		block[have] = a->get();
		if (!block[have])
			goto free_blocks;
		cond_resched();
	}
	report(a, live, "fresh", measure_fresh(a, turns));
	for (; have < 2 * live; have++) {
		block[have] = a->get();
		if (!block[have])
			goto free_blocks;
		cond_resched();
	}
	for (i = 0; i < live; i++) {
		a->put(block[2 * i + 1]);
		block[i] = block[2 * i];
		cond_resched();
	}
	have = live;
	report(a, live, "fragmented", measure_churn(a, block, live, turns));

free_blocks:
	if (have != live)
		err = -ENOMEM;
	while (have--) {
		if (block[have])
			a->put(block[have]);
		cond_resched();
	}
	return err;
}

static int measure_drm_mm(void **block, unsigned int live)
{
	int err = 0;

#if IS_ENABLED(CONFIG_DRM)
	drm_mm_init(&drm_range, 1UL << 30, 2ULL * live * BLOCK);
	err = measure(&drm_mms, block, live);
	drm_mm_takedown(&drm_range);
#endif
	return err;
}

static int measure_all(void **block, unsigned int live)
{
	struct cblock_stats stats;
	unsigned int mode;
	int err = 0;
	u64 room;

	/* alignment spreads the blocks, of which there are twice as many */
	cblock_region_stats(region, &stats);
	room = rounddown_pow_of_two(div_u64(stats.size, 2 * live));
	for (mode = 0; mode < 4 && !err; mode++) {
		cblock_flags = CBLOCK_NOWAIT | (mode & 1 ? CBLOCK_BESTFIT : 0);
		cblock_align = mode & 2 ? min_t(u64, room, 65536) : 0;
		err = measure(&cblocks, block, live);
	}
	if (!err)
		err = measure_drm_mm(block, live);
	/* genalloc walks its bitmap: setting it up is quadratic */
	if (!err && live <= 65536)
		err = measure(&genallocs, block, live);
	return err;
}

static int __init bench_init(void)
{
	unsigned int live;
	void **block;
	int err = -ENOMEM;

	region = cblock_region_find(region_name);
	if (!region) {
		pr_err("there is no region %s\n", region_name);
		return -ENODEV;
	}
	block = vmalloc(2UL * most * sizeof(*block));
	if (!block)
		return -ENOMEM;
	pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool)
		goto free_block;
	err = gen_pool_add(pool, 1UL << 30, 2UL * 65536 * BLOCK, NUMA_NO_NODE);
	for (live = 1024; !err && live <= most; live *= 4)
		err = measure_all(block, live);
	gen_pool_destroy(pool);
free_block:
	vfree(block);
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Cost of cblock's allocator beside the kernel's");
MODULE_LICENSE("GPL");
