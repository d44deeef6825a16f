// SPDX-License-Identifier: GPL-2.0
/*
 * What marking and freeing 64 GiB of 4 KiB pages costs: by bootmem_probe's
 * allocator, and bit by bit as bootmem did. Under an instruction clock
 * (scripts/vm --icount) nanoseconds are instructions.
 */
#ifndef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#endif

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "../../bootmem_probe/core.c"

#define PAGES	(64UL << (30 - 12))

static u64 by_words(struct bootmap *bm, bool reserve)
{
	u64 size = (u64)PAGES << PAGE_SHIFT, start = ktime_get_ns();

	if (reserve ? bootmap_reserve(bm, 0, size, true) :
		      bootmap_free(bm, 0, size))
		return 0;
	return ktime_get_ns() - start;
}

static u64 by_bits(unsigned long *map, bool reserve)
{
	u64 start = ktime_get_ns();
	unsigned long bit;

	for (bit = 0; bit < PAGES; bit++)
		if (reserve ? test_and_set_bit(bit, map) :
			      !test_and_clear_bit(bit, map))
			return 0;
	return ktime_get_ns() - start;
}

static int __init bench_bootmem_init(void)
{
	unsigned long *map = vzalloc(bootmap_map_longs(PAGES) * sizeof(long));
	struct bootmap_node node;
	struct bootmap bm;
	u64 words, bits;
	int err;

	if (!map)
		return -ENOMEM;
	bootmap_init(&bm);
	err = bootmap_add_node(&bm, &node, 0, map, 0, 0, PAGES);
	if (err)
		goto free_map;
	words = by_words(&bm, false);
	bits = by_bits(map, true);
	pr_info("free: words %llu\n", words);
	pr_info("reserve: bits %llu\n", bits);
	bits = by_bits(map, false);
	words = by_words(&bm, true);
	pr_info("reserve: words %llu\n", words);
	pr_info("free: bits %llu\n", bits);
	if (!words || !bits)
		err = -EIO;
free_map:
	vfree(map);
	return err;
}
module_init(bench_bootmem_init);

static void __exit bench_bootmem_exit(void)
{
}
module_exit(bench_bootmem_exit);

MODULE_DESCRIPTION("What bootmem_probe's bitmap costs, against bit by bit");
MODULE_LICENSE("GPL");
MODULE_INFO(test, "Y");
