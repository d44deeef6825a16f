/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The plain reference: allocated runs in an array by address, searched by
 * walking it (facts CB-6 with nothing cached), and the comparison of an arena
 * with it.
 */
#ifndef _MODEL_H
#define _MODEL_H

#include <stdbool.h>

#include "arena.h"

#define MODEL_MAX	512

struct model {
	u32 start, end;
	unsigned int count;
	struct {
		u32 start, size;
		struct cblock_area *area;
	} run[MODEL_MAX];
};

void model_arena(struct cblock_arena *arena, u32 start, u32 end);
void model_init(struct model *model, struct cblock_arena *arena, u32 start,
		u32 end);
bool model_first(const struct model *model, u32 size, unsigned int order,
		 u32 *at);
u32 model_gap_at(const struct model *model, u32 at);
u32 model_smallest(const struct model *model, u32 size);
u32 model_largest(const struct model *model, unsigned int order);
void model_add(struct model *model, struct cblock_area *area);
void model_del(struct model *model, unsigned int index);
void model_compare(const struct model *model, struct cblock_arena *arena);
void model_step(struct model *model, struct cblock_arena *arena,
		u32 choice, u32 size, unsigned int order,
		enum cblock_fit fit);

#define check(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__,	\
				__LINE__, #cond);			\
			abort();					\
		}							\
	} while (0)

#endif /* _MODEL_H */
