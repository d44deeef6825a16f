/* SPDX-License-Identifier: GPL-2.0 */
/* The experiments of the check verb. */
#ifndef _VMALLOC_PROBE_CHECK_H
#define _VMALLOC_PROBE_CHECK_H

#include <linux/types.h>

enum vp_finding {
	VP_HOLDS,
	VP_DIFFERS,
	VP_HIDDEN,
};

#define VP_SEEN_MAX	160

/**
 * struct vp_experiment - one item of the contract
 * @fact: the line that it belongs to
 * @item: what is tried
 * @run: tries it, writes what was seen, or why nothing can be
 */
struct vp_experiment {
	const char *fact;
	const char *item;
	enum vp_finding (*run)(char *seen);
};

extern const struct vp_experiment vp_page_experiments[];
extern const unsigned int vp_page_experiments_nr;

/* Say what was seen and return the finding. */
#define vp_find(finding, seen, fmt, ...) \
	(scnprintf(seen, VP_SEEN_MAX, fmt, ##__VA_ARGS__), VP_##finding)

/* vmalloc() that may fail in silence. */
#define VP_GFP	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

#endif /* _VMALLOC_PROBE_CHECK_H */
