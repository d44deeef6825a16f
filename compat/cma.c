// SPDX-License-Identifier: GPL-2.0
/*
 * Reaching mm/cma.c from a module.
 *
 * cma_alloc(), cma_release(), cma_get_name(), dev_get_cma_area() and
 * dma_contiguous_get_area_by_idx() are exported from 7.1 on ("mm: cma: Export
 * cma_alloc(), cma_release() and cma_get_name()" and its series); the exports
 * are found by looking, not by version, as distributions backport them.
 * Everything else has never been exported: its address is taken from a kprobe,
 * which is registered disabled, so that no code is patched, and removed at once.
 */

#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/pageblock-flags.h>

#include "cma.h"

/*
 * With IBT the kernel removes the landing pads of functions that nobody calls
 * indirectly, and with kCFI functions carry a hash of their type only if
 * somebody may: an indirect call to a resolved address kills such a machine.
 */
#if defined(CONFIG_KPROBES) && !defined(CONFIG_X86_KERNEL_IBT) && \
	!defined(CONFIG_CFI_CLANG) && !defined(CONFIG_CFI)
#define KML_MAY_RESOLVE 1
#else
#define KML_MAY_RESOLVE 0
#endif

bool kml_cma_may_resolve(void)
{
	return KML_MAY_RESOLVE;
}

#if KML_MAY_RESOLVE
static void *kml_resolve(const char *name)
{
	struct kprobe probe = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	unsigned long address;

	if (register_kprobe(&probe))
		return NULL;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	/* the bit that says "Thumb" is not part of a symbol's address */
	if (IS_ENABLED(CONFIG_THUMB2_KERNEL))
		address |= 1;
	return (void *)address;
}
#else
static void *kml_resolve(const char *name)
{
	return NULL;
}
#endif

/*
 * CMA is never modular, so there is no module whose reference would have to be
 * dropped again.
 */
static void *kml_symbol(const char *name, bool resolve)
{
	void *symbol = __symbol_get(name);

	if (!symbol && resolve)
		symbol = kml_resolve(name);
	return symbol;
}

void kml_cma_find(struct kml_cma_calls *calls, bool resolve)
{
	calls->alloc = kml_symbol("cma_alloc", false);
	calls->exported = calls->alloc;
	if (!calls->alloc)
		calls->alloc = kml_symbol("cma_alloc", resolve);
	calls->release = kml_symbol("cma_release", resolve);
	calls->name = kml_symbol("cma_get_name", resolve);
	calls->base = kml_symbol("cma_get_base", resolve);
	calls->size = kml_symbol("cma_get_size", resolve);
	calls->for_each = kml_symbol("cma_for_each_area", resolve);
	calls->of_device = kml_symbol("dev_get_cma_area", false);
	calls->by_index = kml_symbol("dma_contiguous_get_area_by_idx", false);
	/* one without the other is of no use */
	if (!calls->alloc || !calls->release)
		calls->alloc = NULL;
}

void kml_cma_set_device_area(struct device *dev, struct cma *cma)
{
#ifdef CONFIG_DMA_CMA
	dev->cma_area = cma;
#endif
}
