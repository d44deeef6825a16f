// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer's entry: the input is a program of operations, run on the
 * allocator and on the reference, compared after every step. The Makefile
 * gives the function the name that libFuzzer wants.
 */
#include <linux/mm.h>

#include "reference.h"

struct op {
	unsigned char verb, exclusive;
	unsigned char align, shift;	/* powers of two */
	unsigned short addr, size;	/* near a node's start, in 1 << shift */
	u64 wild;			/* used as it is, one time in eight */
};

int FUZZ_ENTRY(const unsigned char *data, size_t len)
{
	static struct pair pair;
	struct op op;

	if (!len)
		return 0;
	pair_init(&pair, data[0]);
	for (data++, len--; len >= sizeof(op); data += sizeof(op), len -= sizeof(op)) {
		u64 base, addr, size;

		memcpy(&op, data, sizeof(op));
		base = pair.ref.node[op.verb / 32 % pair.ref.nr].min * PAGE_SIZE;
		addr = base + ((u64)op.addr << op.shift % 13);
		size = (u64)op.size << op.shift / 13 % 13;
		if (op.exclusive & 0x70)
			op.wild = 0;

		switch (op.verb % 16) {
		case 0 ... 3:
			pair_reserve(&pair, addr + op.wild, size, op.exclusive & 1);
			break;
		case 4 ... 8:
			pair_free(&pair, addr, size + op.wild);
			break;
		case 9:
			pair_free_all(&pair);
			break;
		default:
			pair_alloc(&pair, size, op.align & 0x80 ? op.align :
				   1ULL << op.align % 64,
				   op.exclusive & 1 ? addr : op.wild,
				   op.exclusive & 2 ? addr + op.wild : 0);
		}
		pair_compare(&pair);
	}
	return 0;
}
