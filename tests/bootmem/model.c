// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on the allocator and on the reference, which must agree
 * about every result, and every so often about every page.
 *
 *	model [OPERATIONS [SEED]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/mm.h>

#include "reference.h"

static u64 state;

static u64 rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Mostly inside a node, often at its edges, sometimes anywhere at all. */
static u64 some_address(struct pair *pair)
{
	struct ref_node *node = &pair->ref.node[rnd() % pair->ref.nr];
	u64 pfn;

	switch (rnd() % 16) {
	case 0:
		return rnd() >> rnd() % 64;
	case 1:
		pfn = node->min + rnd() % 3 - 1;
		break;
	case 2:
		pfn = node->low + rnd() % 3 - 1;
		break;
	default:
		pfn = node->min + rnd() % (node->low - node->min);
	}
	return pfn * PAGE_SIZE + (rnd() % 4 ? 0 : rnd() % PAGE_SIZE);
}

static u64 some_size(void)
{
	switch (rnd() % 16) {
	case 0:
		return rnd() >> rnd() % 64;
	case 1:
		return rnd() % 1000 * PAGE_SIZE;
	case 2 ... 5:
		return rnd() % PAGE_SIZE;
	case 6 ... 9:
		return rnd() % (3 * PAGE_SIZE);
	default:
		return rnd() % 20 * PAGE_SIZE;
	}
}

static u64 some_align(void)
{
	switch (rnd() % 16) {
	case 0:
		return rnd() % 5000;
	case 1:
		return 1ULL << rnd() % 64;
	default:
		return 1ULL << rnd() % 17;
	}
}

int main(int argc, char **argv)
{
	unsigned long ops = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000000;
	static struct pair pair;
	unsigned long op;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x9e3779b97f4a7c15;
	pair_init(&pair, 0);
	for (op = 0; op < ops; op++) {
		if (op % 20000 == 0)
			pair_init(&pair, op / 20000);
		switch (rnd() % 8) {
		case 0:
		case 1:
			pair_reserve(&pair, some_address(&pair), some_size(),
				     rnd() % 2);
			break;
		case 2 ... 4:
			pair_free(&pair, some_address(&pair), some_size());
			break;
		default:
			pair_alloc(&pair, some_size(), some_align(),
				   rnd() % 2 ? some_address(&pair) : 0,
				   rnd() % 4 ? 0 : some_address(&pair));
		}
		if (op % 20000 == 19990)
			pair_free_all(&pair);
		if (op % 64 == 0)
			pair_compare(&pair);
	}
	pair_compare(&pair);
	printf("ok 1 %lu random operations agree with the reference\n", ops);
	return 0;
}
