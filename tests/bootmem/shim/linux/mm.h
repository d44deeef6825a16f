/* SPDX-License-Identifier: GPL-2.0 */
/* What bootmem_probe/core.c needs and the kernel's tools/include lacks. */
#ifndef _SHIM_MM_H
#define _SHIM_MM_H

#include <linux/bitmap.h>
#include <linux/const.h>
#include <linux/log2.h>

#define PAGE_SHIFT		12
#define PAGE_SIZE		(_AC(1, UL) << PAGE_SHIFT)

#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), d)

/* tools/include has one since 7.x only */
#define bitmap_set shim_bitmap_set
static inline void bitmap_set(unsigned long *map, unsigned int start,
			      unsigned int count)
{
	while (count && start % BITS_PER_LONG) {
		__set_bit(start++, map);
		count--;
	}
	for (; count >= BITS_PER_LONG; count -= BITS_PER_LONG) {
		map[start / BITS_PER_LONG] = ~0UL;
		start += BITS_PER_LONG;
	}
	while (count--)
		__set_bit(start++, map);
}

#endif /* _SHIM_MM_H */
