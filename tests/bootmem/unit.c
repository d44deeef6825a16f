// SPDX-License-Identifier: GPL-2.0
/* The rules of bootmem one by one, with numbers worked out by hand. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/mm.h>

#include "core.h"

#define PAGES(n)	((u64)(n) * PAGE_SIZE)

static int failures;

#define expect(got, want) do {						\
	long long got_ = (got), want_ = (want);				\
	if (got_ != want_) {						\
		printf("# %s:%d: %s is %lld, not %lld\n", __FILE__,	\
		       __LINE__, #got, got_, want_);			\
		failures++;						\
	}								\
} while (0)

/* Pages 16..79 and 80..127 adjoin; 200..263 stands apart. */
static struct bootmap bm;
static struct bootmap_node node[3];
static unsigned long map[3][4];

static void fresh(void)
{
	bootmap_init(&bm);
	/* the list is by address, whatever the order of the calls */
	expect(bootmap_add_node(&bm, &node[2], 2, map[2], 263, 200, 264), 0);
	expect(bootmap_add_node(&bm, &node[0], 0, map[0], 79, 16, 80), 0);
	expect(bootmap_add_node(&bm, &node[1], 1, map[1], 127, 80, 128), 0);
}

static void all_free(void)
{
	fresh();
	expect(bootmap_free(&bm, PAGES(16), PAGES(112)), 0);
	expect(bootmap_free(&bm, PAGES(200), PAGES(64)), 0);
}

static int reserved(unsigned long from, unsigned long to)
{
	struct bootmap_node *n;
	int count = 0;

	list_for_each_entry(n, &bm.nodes, list)
		for (unsigned long pfn = n->min_pfn; pfn < n->low_pfn; pfn++)
			if (pfn >= from && pfn < to)
				count += test_bit(pfn - n->min_pfn, n->map);
	return count;
}

static void nodes(void)
{
	struct bootmap_node extra;
	unsigned long bits[1];
	bool is_reserved;

	fresh();
	expect(list_entry(bm.nodes.next, struct bootmap_node, list) == &node[0], 1);
	expect(list_entry(bm.nodes.prev, struct bootmap_node, list) == &node[2], 1);
	expect(reserved(0, 1000), 64 + 48 + 64);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 10, 10, 17), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 127, 127, 130), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 0, 0, 1000), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 5, 5, 5), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 8, 5, 8), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 4, 5, 8), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 1000 + PAGE_SIZE * 8, 1000,
				1001 + PAGE_SIZE * 8), -EINVAL);
	expect(bootmap_add_node(&bm, &extra, 3, bits, 999, 999,
				1000 + BOOTMAP_PAGES_MAX), -E2BIG);
	expect(bootmap_map_pages(1), 1);
	expect(bootmap_map_pages(PAGE_SIZE * 8), 1);
	expect(bootmap_map_pages(PAGE_SIZE * 8 + 1), 2);
	expect(bootmap_free(&bm, PAGES(20), PAGES(5)), 0);
	expect(bootmap_run(&node[0], 16, &is_reserved), 20);
	expect(is_reserved, 1);
	expect(bootmap_run(&node[0], 20, &is_reserved), 25);
	expect(is_reserved, 0);
	expect(bootmap_run(&node[0], 25, &is_reserved), 80);
}

static void rounding(void)
{
	fresh();
	/* free: inwards */
	expect(bootmap_free(&bm, PAGES(20) + 1, PAGES(3)), 0);
	expect(reserved(16, 80), 64 - 2);
	expect(bootmap_free(&bm, PAGES(30) + 1, PAGES(1)), -EINVAL);
	expect(bootmap_free(&bm, PAGES(30), PAGES(1) - 1), -EINVAL);
	/* reserve: outwards */
	all_free();
	expect(bootmap_reserve(&bm, PAGES(21) - 1, 2, false), 0);
	expect(reserved(16, 80), 2);
	expect(reserved(20, 22), 2);
}

static void over_nodes(void)
{
	all_free();
	expect(bootmap_reserve(&bm, PAGES(70), PAGES(20), true), 0);
	expect(reserved(70, 90), 20);
	expect(bootmap_free(&bm, PAGES(70), PAGES(20)), 0);
	expect(reserved(0, 1000), 0);
	/* the gap, both ends, and beyond the last node */
	expect(bootmap_reserve(&bm, PAGES(120), PAGES(100), false), -ERANGE);
	expect(bm.where, PAGES(128));
	expect(bootmap_reserve(&bm, PAGES(150), PAGES(1), false), -ERANGE);
	expect(bootmap_reserve(&bm, PAGES(15), PAGES(2), false), -ERANGE);
	expect(bootmap_reserve(&bm, PAGES(263), PAGES(2), false), -ERANGE);
	expect(bootmap_reserve(&bm, 0, ~0ULL, false), -ERANGE);
	expect(bootmap_reserve(&bm, ~0ULL, 2, false), -ERANGE);
	expect(bootmap_reserve(&bm, ~0ULL, 1, false), -ERANGE);
	expect(bootmap_free(&bm, PAGES(20), ~0ULL), -ERANGE);
	expect(bootmap_reserve(&bm, PAGES(20), 0, false), -EINVAL);
	expect(reserved(0, 1000), 0);
}

static void exclusive(void)
{
	all_free();
	expect(bootmap_reserve(&bm, PAGES(90), PAGES(1), true), 0);
	expect(bootmap_reserve(&bm, PAGES(70), PAGES(30), true), -EBUSY);
	expect(bm.where, PAGES(90));
	expect(reserved(0, 1000), 1);
	expect(bootmap_reserve(&bm, PAGES(70), PAGES(30), false), 0);
	expect(bootmap_reserve(&bm, PAGES(70), PAGES(30), false), 0);
	expect(reserved(0, 1000), 30);
	/* half free */
	expect(bootmap_free(&bm, PAGES(60), PAGES(20)), -EINVAL);
	expect(bm.where, PAGES(60));
	expect(reserved(0, 1000), 30);
}

static void placement(void)
{
	u64 addr;

	all_free();
	expect(bootmap_alloc(&bm, PAGES(2), PAGE_SIZE, 0, 0, &addr), 0);
	expect(addr, PAGES(16));
	expect(node[0].hint_idx, 2);
	expect(bootmap_alloc(&bm, PAGES(1), PAGES(8), 0, 0, &addr), 0);
	expect(addr, PAGES(24));
	/* the hint stands behind the hole; a free below moves it back */
	expect(bootmap_alloc(&bm, PAGES(1), PAGE_SIZE, 0, 0, &addr), 0);
	expect(addr, PAGES(25));
	expect(bootmap_free(&bm, PAGES(17), PAGES(1)), 0);
	expect(node[0].hint_idx, 1);
	expect(bootmap_alloc(&bm, PAGES(1), PAGE_SIZE, 0, 0, &addr), 0);
	expect(addr, PAGES(17));
	/* goal and limit */
	expect(bootmap_alloc(&bm, PAGES(1), PAGE_SIZE, PAGES(100), 0, &addr), 0);
	expect(addr, PAGES(100));
	expect(bootmap_alloc(&bm, PAGES(1), PAGE_SIZE, PAGES(150), 0, &addr), 0);
	expect(addr, PAGES(200));
	expect(bootmap_alloc(&bm, PAGES(60), PAGE_SIZE, 0, PAGES(70), &addr), -ENOMEM);
	expect(bootmap_alloc(&bm, PAGES(60), PAGE_SIZE, PAGES(60), PAGES(70), &addr), -EINVAL);
	expect(bootmap_alloc(&bm, PAGES(1), PAGE_SIZE, PAGES(500), 0, &addr), 0);
	expect(addr, PAGES(18));	/* without the goal */
	/* nothing but the hole below the hint is left */
	expect(bootmap_alloc(&bm, PAGES(54), PAGE_SIZE, 0, PAGES(80), &addr), 0);
	expect(addr, PAGES(26));
	expect(bootmap_alloc(&bm, PAGES(5), PAGE_SIZE, 0, PAGES(80), &addr), 0);
	expect(addr, PAGES(19));
	/* no node has 65 pages in a row */
	expect(bootmap_alloc(&bm, PAGES(65), PAGE_SIZE, 0, 0, &addr), -ENOMEM);
	expect(bootmap_alloc(&bm, ~0ULL, PAGE_SIZE, 0, 0, &addr), -ENOMEM);
	expect(bootmap_alloc(&bm, 1, 1ULL << 63, 0, 0, &addr), -ENOMEM);
	expect(bootmap_alloc(&bm, 1, 0, 0, 0, &addr), -EINVAL);
	expect(bootmap_alloc(&bm, 1, 12, 0, 0, &addr), -EINVAL);
	expect(bootmap_alloc(&bm, 0, 1, 0, 0, &addr), -EINVAL);
	expect(bootmap_alloc(&bm, 1, 1, 0, 100, &addr), -ENOMEM);
}

static void packing(void)
{
	u64 addr;

	all_free();
	expect(bootmap_alloc(&bm, 100, 64, 0, 0, &addr), 0);
	expect(addr, PAGES(16));
	expect(bootmap_alloc(&bm, 100, 64, 0, 0, &addr), 0);
	expect(addr, PAGES(16) + 128);
	expect(reserved(0, 1000), 1);
	expect(bootmap_alloc(&bm, PAGES(1), 1, 0, 0, &addr), 0);
	expect(addr, PAGES(16) + 228);
	expect(reserved(0, 1000), 2);
	expect(bootmap_alloc(&bm, 8, PAGE_SIZE, 0, 0, &addr), 0);
	expect(addr, PAGES(18));
	/* a page that was freed is not shared */
	expect(bootmap_free(&bm, PAGES(18), PAGES(1)), 0);
	expect(bootmap_alloc(&bm, 8, 1, PAGES(19), 0, &addr), 0);
	expect(addr, PAGES(19));
}

static unsigned long words, singles;

static void hand_over(void *arg, unsigned long pfn, unsigned int order)
{
	(void)arg;
	(void)pfn;
	if (order)
		words++;
	else
		singles++;
}

static void end_of_boot(void)
{
	unsigned long pages;
	u64 addr;

	all_free();
	expect(bootmap_reserve(&bm, PAGES(127), PAGES(1), true), 0);
	expect(bootmap_reserve(&bm, PAGES(79), PAGES(1), true), 0);
	expect(bootmap_reserve(&bm, PAGES(40), PAGES(2), true), 0);
	expect(bootmap_free_all(&bm, hand_over, NULL, &pages), 0);
	/* all but the two of page 40; the bitmaps' pages come along once */
	expect(pages, 64 + 48 + 64 - 2);
	/* pages 64..127 lie in two nodes; 200..263 holds no aligned word */
	expect(words, 0);
	expect(singles, pages);
	expect(bootmap_free_all(&bm, hand_over, NULL, &pages), -EINVAL);
	expect(bootmap_alloc(&bm, 1, 1, 0, 0, &addr), -ENOMEM);
	expect(bootmap_reserve(&bm, PAGES(20), 1, false), -EINVAL);
	expect(bootmap_free(&bm, PAGES(20), PAGES(1)), -EINVAL);

	static unsigned long big[4];

	singles = 0;
	bootmap_init(&bm);
	expect(bootmap_add_node(&bm, &node[0], 0, big, 255, 64, 256), 0);
	expect(bootmap_free(&bm, PAGES(64), PAGES(191)), 0);
	expect(bootmap_free_all(&bm, hand_over, NULL, &pages), 0);
	expect(pages, 192);
	expect(words, 2);
	expect(singles, 64);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "BM-1: nodes in one list, by address", nodes },
	{ "BM-2: free rounds inwards, reserve outwards", rounding },
	{ "BM-3: a range over nodes that adjoin, and over a gap", over_nodes },
	{ "BM-4, 5, 6: exclusive and half-free ranges change nothing", exclusive },
	{ "BM-6, 7: first fit, hint, goal, limit", placement },
	{ "BM-7: small requests share a page", packing },
	{ "BM-8: free_all, by words, and the bitmaps", end_of_boot },
};

int main(void)
{
	int nr = ARRAY_SIZE(cases), bad = 0;

	printf("TAP version 13\n1..%d\n", nr);
	for (int i = 0; i < nr; i++) {
		failures = 0;
		cases[i].run();
		bad += !!failures;
		printf("%sok %d %s\n", failures ? "not " : "", i + 1, cases[i].name);
	}
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
