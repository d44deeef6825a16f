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

/* A function, where its address goes, and whether it may be resolved. */
struct kml_symbol {
	const char *name;
	void **address;
	bool resolve;
};

#define KML_SYMBOLS	8

#if KML_MAY_RESOLVE
/*
 * All probes are removed together: each time, the kernel waits until nobody can
 * be using them any more.
 */
static void kml_resolve(const struct kml_symbol *symbols, int n)
{
	static struct kprobe probes[KML_SYMBOLS];
	struct kprobe *registered[KML_SYMBOLS];
	unsigned long address;
	int i, count = 0;

	for (i = 0; i < n; i++) {
		if (*symbols[i].address || !symbols[i].resolve)
			continue;
		probes[i] = (struct kprobe) {
			.symbol_name = symbols[i].name,
			.flags = KPROBE_FLAG_DISABLED,
		};
		if (register_kprobe(&probes[i]))
			continue;
		address = (unsigned long)probes[i].addr;
		/* the bit that says "Thumb" is not part of a symbol's address */
		if (IS_ENABLED(CONFIG_THUMB2_KERNEL))
			address |= 1;
		*symbols[i].address = (void *)address;
		registered[count++] = &probes[i];
	}
	if (count)
		unregister_kprobes(registered, count);
}
#else
static void kml_resolve(const struct kml_symbol *symbols, int n)
{
}
#endif

void kml_cma_find(struct kml_cma_calls *calls, bool resolve)
{
	const struct kml_symbol symbols[KML_SYMBOLS] = {
		{ "cma_alloc", (void **)&calls->alloc, true },
		{ "cma_release", (void **)&calls->release, true },
		{ "cma_get_name", (void **)&calls->name, true },
		{ "cma_get_base", (void **)&calls->base, true },
		{ "cma_get_size", (void **)&calls->size, true },
		{ "cma_for_each_area", (void **)&calls->for_each, true },
		{ "dev_get_cma_area", (void **)&calls->of_device, false },
		{ "dma_contiguous_get_area_by_idx", (void **)&calls->by_index,
		  false },
	};
	int i;

	/*
	 * CMA is never modular, so there is no module whose reference would have
	 * to be dropped again.
	 */
	for (i = 0; i < KML_SYMBOLS; i++)
		*symbols[i].address = __symbol_get(symbols[i].name);
	calls->exported = calls->alloc;
	if (resolve)
		kml_resolve(symbols, KML_SYMBOLS);
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
