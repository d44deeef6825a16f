/* SPDX-License-Identifier: GPL-2.0 */
/*
 * get_pfnblock_migratetype() is not exported, but where it reads from is
 * declared by mmzone.h and reached through exported data.
 */
#ifndef _KMEMLAB_COMPAT_PAGEBLOCK_H
#define _KMEMLAB_COMPAT_PAGEBLOCK_H

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pageblock-flags.h>

#ifdef CONFIG_CMA
/* Is @pfn in a pageblock that belongs to CMA? @pfn must be valid. */
static inline bool kml_pfn_is_cma(unsigned long pfn)
{
	unsigned long block, bit, type;
	unsigned long *bitmap;

#ifdef CONFIG_SPARSEMEM
	bitmap = section_to_usemap(__pfn_to_section(pfn));
	block = pfn & (PAGES_PER_SECTION - 1);
#else
	struct zone *zone = page_zone(pfn_to_page(pfn));

	bitmap = zone->pageblock_flags;
	block = pfn - round_down(zone->zone_start_pfn, pageblock_nr_pages);
#endif
	bit = (block >> pageblock_order) * NR_PAGEBLOCK_BITS;
	type = READ_ONCE(bitmap[bit / BITS_PER_LONG]) >> (bit % BITS_PER_LONG);
#ifdef PAGEBLOCK_MIGRATETYPE_MASK
	/* 6.17 made isolation a bit of its own */
	return (type & PAGEBLOCK_MIGRATETYPE_MASK) == MIGRATE_CMA;
#else
	type &= (1UL << PB_migratetype_bits) - 1;
	return type == MIGRATE_CMA || type == MIGRATE_ISOLATE;
#endif
}
#else
static inline bool kml_pfn_is_cma(unsigned long pfn)
{
	return false;
}
#endif

#endif /* _KMEMLAB_COMPAT_PAGEBLOCK_H */
