/* SPDX-License-Identifier: GPL-2.0 */
/* Built into one kernel, cma_test and this module each bring their copy. */
#define kml_cma_find		cblock_cma_find
#define kml_cma_may_resolve	cblock_cma_may_resolve
#define kml_cma_set_device_area	cblock_cma_set_device_area
#define kml_pfn_is_cma		cblock_pfn_is_cma
#include "../compat/cma.h"
