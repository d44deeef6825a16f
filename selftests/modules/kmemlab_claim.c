// SPDX-License-Identifier: GPL-2.0
/* Another driver that has claimed some addresses, or a page, as tests need one. */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>

static unsigned long long start;
module_param(start, ullong, 0444);
MODULE_PARM_DESC(start, "physical address");

static unsigned long long size;
module_param(size, ullong, 0444);
MODULE_PARM_DESC(size, "bytes; 0 for a reference to the page");

static int __init kmemlab_claim_init(void)
{
	if (!size) {
		get_page(pfn_to_page(PHYS_PFN(start)));
		return 0;
	}
	return request_mem_region(start, size, "kmemlab_claim") ? 0 : -EBUSY;
}

static void __exit kmemlab_claim_exit(void)
{
	if (size)
		release_mem_region(start, size);
	else
		put_page(pfn_to_page(PHYS_PFN(start)));
}

module_init(kmemlab_claim_init);
module_exit(kmemlab_claim_exit);

MODULE_DESCRIPTION("Claims physical addresses, for tests");
MODULE_LICENSE("GPL");
