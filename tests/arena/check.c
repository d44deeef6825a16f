// SPDX-License-Identifier: GPL-2.0
/*
 * check [OPERATIONS [SEED]]: unit tests, then random operations on an arena and
 * on the plain reference, compared after each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static struct cblock_arena arena;
static struct cblock_area area[8];

static bool take(unsigned int i, u32 size, unsigned int order)
{
	return cblock_arena_alloc(&arena, &area[i], size, order, CBLOCK_FIRST);
}

static void give(unsigned int i)
{
	cblock_arena_free(&arena, &area[i]);
}

static void fills_to_the_last_page(void)
{
	model_arena(&arena, 3, 11);
	check(take(0, 8, 0) && area[0].start == 3);
	check(arena.free == 0 && cblock_arena_largest(&arena, 0) == 0);
	check(!take(1, 1, 0));
	give(0);
	check(arena.free == 8 && cblock_arena_largest(&arena, 0) == 8);
	check(!take(0, 9, 0) && !take(0, 0, 0));
	check(!take(0, UINT32_MAX, 0));
	/* position 0 has every alignment, but this one is not known */
	model_arena(&arena, 0, 8);
	check(!take(0, 1, CBLOCK_CLASSES) && take(0, 1, CBLOCK_CLASSES - 1));
}

static void joins_in_every_order(void)
{
	static const unsigned char orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	unsigned int i, j;

	for (i = 0; i < 6; i++) {
		model_arena(&arena, 0, 16);
		for (j = 0; j < 4; j++)
			check(take(j, 4, 0) && area[j].start == 4 * j);
		for (j = 0; j < 3; j++)
			give(orders[i][j]);
		check(cblock_arena_largest(&arena, 0) == 12);
		give(3);
		check(cblock_arena_largest(&arena, 0) == 16 && !arena.count);
	}
}

static void aligns(void)
{
	model_arena(&arena, 1, 1U << 20);
	check(take(0, 1, 18) && area[0].start == 1U << 18);
	check(take(1, 1, 0) && area[1].start == 1);
	check(take(2, 2, 1) && area[2].start == 2);
	check(take(3, 1, 18) && area[3].start == 2U << 18);
	check(cblock_arena_largest(&arena, 18) == 1U << 18);
	check(take(4, 1, 18) && area[4].start == 3U << 18);
	check(!take(5, 1, 18));
	check(cblock_arena_largest(&arena, 18) == 0);
	check(cblock_arena_largest(&arena, 17) == 1U << 17);
}

static void best_takes_the_smallest(void)
{
	model_arena(&arena, 0, 1024);
	check(take(0, 100, 0) && take(1, 1, 0));
	check(take(2, 90, 0) && take(3, 1, 0));
	check(take(4, 10, 0) && take(5, 1, 0));
	give(0);
	give(2);
	give(4);
	check(cblock_arena_alloc(&arena, &area[6], 9, 0, CBLOCK_BEST));
	check(area[6].start == 192);
	check(cblock_arena_alloc(&arena, &area[7], 80, 0, CBLOCK_BEST));
	check(area[7].start == 101);
	give(6);
	check(take(6, 9, 0) && area[6].start == 0);
}

static void works_at_the_upper_end(void)
{
	model_arena(&arena, CBLOCK_POS_MAX - 4, CBLOCK_POS_MAX);
	check(take(0, 1, 2) && area[0].start == CBLOCK_POS_MAX - 4);
	check(!take(1, 1, 2));
	check(take(1, 3, 0));
}

static u64 state;

static u32 draw(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void follows_the_reference(unsigned long operations)
{
	static const u32 ends[] = { 64, 700, 5000, 100000, 1U << 22 };
	struct model *model = malloc(sizeof(*model));
	unsigned long n, left = 0;
	u32 largest = 1, live = 1;
	unsigned int orders = 1;

	check(model);
	model->count = 0;
	for (n = 0; n < operations; n++) {
		if (!left) {
			u32 end = ends[draw() % 5];

			while (model->count)
				model_step(model, &arena, draw() % model->count,
					   0, 0, 0);
			left = 20000;
			model_init(model, &arena, draw() % (end / 2), end);
			largest = 1 + draw() % (1U << draw() % 10);
			orders = draw() % 3 ? 1 + draw() % 19 : 1;
			live = 8 + draw() % 200;
		}
		left--;
		model_step(model, &arena, draw() % (2 * live),
			   draw() % (largest + 1),
			   draw() % (1 + draw() % orders),
			   draw() % 8 ? CBLOCK_FIRST : CBLOCK_BEST);
		if (n % 512 == 0)
			model_compare(model, &arena);
	}
	model_compare(model, &arena);
	while (model->count)
		model_step(model, &arena, 0, 0, 0, 0);
	model_compare(model, &arena);
	free(model);
}

int main(int argc, char **argv)
{
	unsigned long operations = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000000;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	printf("TAP version 13\n1..6\n");
	fills_to_the_last_page();
	printf("ok 1 an arena fills to the last page and empties\n");
	joins_in_every_order();
	printf("ok 2 gaps join in every order of release\n");
	aligns();
	printf("ok 3 alignment up to 2^18 pages\n");
	best_takes_the_smallest();
	printf("ok 4 best takes the smallest gap\n");
	works_at_the_upper_end();
	printf("ok 5 the last positions\n");
	fflush(stdout);
	follows_the_reference(operations);
	printf("ok 6 %lu random operations as the reference does them\n",
	       operations);
	return 0;
}
