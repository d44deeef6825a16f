/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older kernels lack, so that everything else can be written for the
 * newest one. Included before every source file by Kbuild. Only the files in
 * compat/ know kernel versions; each entry cites the commit and the release
 * that made it necessary.
 */
#ifndef _KMEMLAB_COMPAT_H
#define _KMEMLAB_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "kmemlab supports Linux 5.10 and newer"
#endif

/* Linux 6.12, "mm/memblock: Add "reserve_mem" to reserved named memory at boot up" */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <linux/types.h>

static inline int reserve_mem_find_by_name(const char *name, phys_addr_t *start,
					   phys_addr_t *size)
{
	return 0;
}
#endif

/*
 * f3ba3c710ac5 ("mm/highmem: Provide kmap_local*", v5.11). What was there before
 * maps memory without struct pages too, but is not exported on 32-bit ARM.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define kmap_local_page(page)	kmap_atomic(page)
#define kmap_local_pfn(pfn)	kmap_atomic(pfn_to_page(pfn))
#define kunmap_local(addr)	kunmap_atomic(addr)
#define KML_KMAP_NEEDS_PAGES	1
#else
#define KML_KMAP_NEEDS_PAGES	0
#endif

/*
 * 23baf831a32c ("mm, treewide: redefine MAX_ORDER sanely", v6.4) and
 * 5e0a760b4441 ("mm, treewide: rename MAX_ORDER to MAX_PAGE_ORDER", v6.8).
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define MAX_PAGE_ORDER	(MAX_ORDER - 1)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define MAX_PAGE_ORDER	MAX_ORDER
#endif

/* 6.18 made page->flags a structure ("mm: introduce memdesc_flags_t") */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define kml_page_flags(page)	READ_ONCE((page)->flags)
#else
#define kml_page_flags(page)	READ_ONCE((page)->flags.f)
#endif

/* Linux 6.3, "mm: introduce vma->vm_flags wrapper functions" */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#endif

/*
 * vmf_insert_pfn_pmd() is exported, and takes memory without pages, from Linux
 * 6.12 on; since 6.17 it takes a number instead of a pfn_t.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	defined(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
#define KML_HAVE_PMD_PFNMAP
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define kml_insert_pfn_pmd(vmf, pfn, write) \
	vmf_insert_pfn_pmd(vmf, pfn, write)
#else
#include <linux/pfn_t.h>
#define kml_insert_pfn_pmd(vmf, pfn, write) \
	vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write)
#endif
#endif

#endif /* _KMEMLAB_COMPAT_H */
