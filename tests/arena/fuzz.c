// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer's entry: each four bytes of input are one operation on arena and
 * model. The Makefile gives the function the name that libFuzzer wants.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

int FUZZ_ENTRY(const u8 *data, size_t len);

int FUZZ_ENTRY(const u8 *data, size_t len)
{
	static struct cblock_arena arena;
	static struct model model;
	u32 start, end;

	if (len < 4)
		return 0;
	start = data[0] | (data[1] & 3) << 8;
	end = start + 1 + (data[2] << data[3] % 12);
	model_init(&model, &arena, start, end);
	for (data += 4, len -= 4; len >= 4; data += 4, len -= 4)
		model_step(&model, &arena, data[0],
			   data[1] << (data[2] & 15),
			   (data[3] & 31) % CBLOCK_CLASSES,
			   data[3] >> 7 ? CBLOCK_BEST : CBLOCK_FIRST);
	model_compare(&model, &arena);
	while (model.count)
		model_step(&model, &arena, model.count - 1, 0, 0, 0);
	model_compare(&model, &arena);
	return 0;
}
