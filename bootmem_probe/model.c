// SPDX-License-Identifier: GPL-2.0
/* The bitmap allocator, set up as boot would have set it up on this machine. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "bootmem_probe.h"
#include "core.h"

#define LOG_RUNS	64

/* Nodes are allocated with their bitmaps. */
struct model_node {
	struct bootmap_node node;
	unsigned long *map;
};

static DEFINE_MUTEX(model_lock);
static struct bootmap model;
static u64 last_addr, last_size;	/* of the last allocation */

static void free_nodes(struct bootmap *bm)
{
	struct model_node *n, *next;

	list_for_each_entry_safe(n, next, &bm->nodes, node.list) {
		kvfree(n->map);
		kfree(n);
	}
	bootmap_init(bm);
}

/* The first free range that the bitmap fits in, as architecture code chose. */
static unsigned long place_map(const struct bm_machine *m, unsigned long min,
			       unsigned long low)
{
	u64 pages = bootmap_map_pages(low - min);
	const struct bm_range *r;

	bm_for_each_range(r, &m->layout) {
		u64 start = PHYS_PFN(r->start);

		if (r->flags == BM_BUDDY && start >= min &&
		    start + pages <= low && bm_size(r) >= pages << PAGE_SHIFT)
			return start;
	}
	return min;
}

static int add_node(struct bootmap *bm, const struct bm_machine *m, int nid)
{
	unsigned long min = NODE_DATA(nid)->node_start_pfn;
	unsigned long low = min + NODE_DATA(nid)->node_spanned_pages;
	struct model_node *n;
	int err;

	if (min == low)
		return 0;
	if (low - min > BOOTMAP_PAGES_MAX)
		return kml_fail(&bm_verdict, -E2BIG,
				"no model: node %d spans %lu pages", nid,
				low - min);
	n = kzalloc(sizeof(*n), GFP_KERNEL);
	if (!n)
		return -ENOMEM;
	n->map = kvcalloc(bootmap_map_longs(low - min), sizeof(long),
			  GFP_KERNEL);
	if (!n->map) {
		kfree(n);
		return -ENOMEM;
	}
	err = bootmap_add_node(bm, &n->node, nid, n->map,
			       place_map(m, min, low), min, low);
	if (err) {
		kvfree(n->map);
		kfree(n);
	}
	return err;
}

/* Everything is reserved; free what is memory, reserve what is taken. */
static int build(struct bootmap *bm, const struct bm_machine *m)
{
	const struct bootmap_node *node;
	const struct bm_range *r, *ram;
	int nid, err = 0;

	for_each_online_node(nid)
		err = err ?: add_node(bm, m, nid);
	bm_for_each_range(r, &m->memory)
		if (!err && bm_size(r) >= PAGE_SIZE)
			err = bootmap_free(bm, r->start, bm_size(r));
	/* what is reserved outside RAM concerns no node */
	bm_for_each_range(r, &m->reserved)
		bm_for_each_range(ram, &m->memory)
			if (!err && bm_common(r, ram->start, ram->last))
				err = bootmap_reserve(bm, max(r->start, ram->start),
						      bm_common(r, ram->start, ram->last),
						      false);
	list_for_each_entry(node, &bm->nodes, list)
		err = err ?: bootmap_reserve(bm, PFN_PHYS((u64)node->map_pfn),
				PFN_PHYS((u64)bootmap_map_pages(node->low_pfn - node->min_pfn)),
				false);
	return err;
}

/**
 * bm_model_reset - set the model up anew, as the machine is now
 *
 * Return: 0, or a negative errno with the old model kept.
 */
int bm_model_reset(void)
{
	struct bm_machine *m = bm_machine_read();
	struct bootmap fresh;
	int err;

	if (IS_ERR(m))
		return kml_fail(&bm_verdict, PTR_ERR(m),
				"reset: cannot read the machine's state");
	bootmap_init(&fresh);
	err = build(&fresh, m);
	bm_machine_free(m);
	if (err) {
		if (err != -E2BIG)
			kml_fail(&bm_verdict, err, "reset: %s at %#llx",
				 fresh.why ?: "no memory", fresh.where);
		free_nodes(&fresh);
		return err;
	}
	mutex_lock(&model_lock);
	free_nodes(&model);
	list_splice(&fresh.nodes, &model.nodes);
	last_addr = 0;
	last_size = 0;
	mutex_unlock(&model_lock);
	return 0;
}

/**
 * bm_model_alloc - allocate in the model; the address is logged
 * @size: bytes
 * @align: bytes
 * @goal: physical address, 0 = anywhere
 * @limit: physical address, 0 = none
 *
 * Return: as bootmap_alloc().
 */
int bm_model_alloc(u64 size, u64 align, u64 goal, u64 limit)
{
	u64 addr;
	int err;

	mutex_lock(&model_lock);
	err = bootmap_alloc(&model, size, align, goal, limit, &addr);
	if (err)
		kml_fail(&bm_verdict, err, "alloc of %llu bytes: %s", size,
			 model.why);
	else
		pr_info("alloc: %llu bytes at %#llx\n", size, addr);
	if (!err) {
		last_addr = addr;
		last_size = size;
	}
	mutex_unlock(&model_lock);
	return err;
}

/**
 * bm_model_reserve - reserve in the model
 * @addr: physical address
 * @size: bytes
 * @exclusive: refuse if any of it is reserved
 *
 * Return: as bootmap_reserve().
 */
int bm_model_reserve(u64 addr, u64 size, bool exclusive)
{
	int err;

	mutex_lock(&model_lock);
	err = bootmap_reserve(&model, addr, size, exclusive);
	if (err)
		kml_fail(&bm_verdict, err,
			 "reserve of %#llx bytes at %#llx: %#llx is %s", size,
			 addr, model.where, model.why);
	mutex_unlock(&model_lock);
	return err;
}

/**
 * bm_model_free - free in the model
 * @addr: physical address
 * @size: bytes
 *
 * Return: as bootmap_free().
 */
int bm_model_free(u64 addr, u64 size)
{
	int err;

	mutex_lock(&model_lock);
	err = bootmap_free(&model, addr, size);
	if (err)
		kml_fail(&bm_verdict, err,
			 "free of %#llx bytes at %#llx: %#llx is %s", size,
			 addr, model.where, model.why);
	mutex_unlock(&model_lock);
	return err;
}

static void count_blocks(void *arg, unsigned long pfn, unsigned int order)
{
	unsigned long *blocks = arg;

	blocks[!!order]++;
}

/**
 * bm_model_free_all - end the model's boot
 *
 * Return: as bootmap_free_all().
 */
int bm_model_free_all(void)
{
	unsigned long pages, blocks[2] = { };
	int err;

	mutex_lock(&model_lock);
	err = bootmap_free_all(&model, count_blocks, blocks, &pages);
	if (err)
		kml_fail(&bm_verdict, err, "free_all: %s", model.why);
	else
		pr_info("free_all: %lu pages, as %lu single ones and %lu blocks of %d\n",
			pages, blocks[0], blocks[1], BITS_PER_LONG);
	mutex_unlock(&model_lock);
	return err;
}

static void print_run(struct seq_file *s, const struct bootmap_node *node,
		      unsigned long pfn, unsigned long end, bool reserved)
{
	u64 start = (u64)pfn << PAGE_SHIFT;
	u64 size = (u64)(end - pfn) << PAGE_SHIFT;

	if (s)
		seq_printf(s, "run node=%d %#llx-%#llx %s kib=%llu\n",
			   node->nid, start, start + size - 1,
			   reserved ? "reserved" : "free", size >> 10);
	else
		pr_info("run node=%d %#llx-%#llx %s kib=%llu\n", node->nid,
			start, start + size - 1, reserved ? "reserved" : "free",
			size >> 10);
}

/* To @s, or as much as is sensible to the log. */
static void print_runs(struct seq_file *s)
{
	const struct bootmap_node *node;
	unsigned long printed = 0;

	lockdep_assert_held(&model_lock);
	list_for_each_entry(node, &model.nodes, list) {
		unsigned long pfn = node->min_pfn, end;
		bool reserved;

		if (s)
			seq_printf(s, "model node=%d start=%#llx pages=%lu hint=%lu bitmap=%#llx%s\n",
				   node->nid, (u64)node->min_pfn << PAGE_SHIFT,
				   node->low_pfn - node->min_pfn,
				   node->hint_idx,
				   (u64)node->map_pfn << PAGE_SHIFT,
				   node->map ? "" : " dissolved");
		for (; node->map && pfn < node->low_pfn; pfn = end) {
			end = bootmap_run(node, pfn, &reserved);
			if (s || printed < LOG_RUNS)
				print_run(s, node, pfn, end, reserved);
			printed++;
		}
	}
	if (!s && printed > LOG_RUNS)
		pr_info("%lu more runs are in debugfs bootmem_probe/map\n",
			printed - LOG_RUNS);
}

/* The model's map, run by run, to the log. */
void bm_model_log(void)
{
	mutex_lock(&model_lock);
	print_runs(NULL);
	mutex_unlock(&model_lock);
}

/* The model's map, run by run. */
void bm_model_show(struct seq_file *s)
{
	mutex_lock(&model_lock);
	if (last_size)
		seq_printf(s, "allocated %#llx bytes=%llu\n", last_addr,
			   last_size);
	print_runs(s);
	mutex_unlock(&model_lock);
}

/* The reports are worth having without a model, too. */
int bm_model_init(void)
{
	int err;

	bootmap_init(&model);
	err = bm_model_reset();
	return err == -E2BIG ? 0 : err;
}

void bm_model_exit(void)
{
	free_nodes(&model);
}
