/* SPDX-License-Identifier: GPL-2.0 */
/* The few kernel helpers that bootmem_probe/core.c uses, for user space. */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t u64;

#define BITS_PER_LONG		((int)(8 * sizeof(long)))
#define BITS_TO_LONGS(n)	DIV_ROUND_UP(n, BITS_PER_LONG)
#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)

#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(!((x) & ((typeof(x))(a) - 1)))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), d)
#define ilog2(n)		(BITS_PER_LONG - 1 - __builtin_clzl(n))

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

/* The first bit at or after @pos that differs from those of @invert. */
static inline unsigned long shim_find(const unsigned long *map,
				      unsigned long size, unsigned long pos,
				      unsigned long invert)
{
	unsigned long word;

	if (pos >= size)
		return size;
	word = (map[pos / BITS_PER_LONG] ^ invert) & ~0UL << pos % BITS_PER_LONG;
	pos -= pos % BITS_PER_LONG;
	while (!word) {
		pos += BITS_PER_LONG;
		if (pos >= size)
			return size;
		word = map[pos / BITS_PER_LONG] ^ invert;
	}
	return min(pos + __builtin_ctzl(word), size);
}

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long size, unsigned long pos)
{
	return shim_find(map, size, pos, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map,
					       unsigned long size,
					       unsigned long pos)
{
	return shim_find(map, size, pos, ~0UL);
}

static inline void shim_fill(unsigned long *map, unsigned long start,
			     unsigned long count, bool set)
{
	while (count) {
		unsigned long shift = start % BITS_PER_LONG;
		unsigned long bits = min(count, BITS_PER_LONG - shift);
		unsigned long mask = ~0UL >> (BITS_PER_LONG - bits) << shift;

		if (set)
			map[start / BITS_PER_LONG] |= mask;
		else
			map[start / BITS_PER_LONG] &= ~mask;
		start += bits;
		count -= bits;
	}
}

static inline void bitmap_set(unsigned long *map, unsigned long start,
			      unsigned long count)
{
	shim_fill(map, start, count, true);
}

static inline void bitmap_clear(unsigned long *map, unsigned long start,
				unsigned long count)
{
	shim_fill(map, start, count, false);
}

static inline void bitmap_fill(unsigned long *map, unsigned long count)
{
	shim_fill(map, 0, count, true);
}

#endif /* _SHIM_KERNEL_H */
