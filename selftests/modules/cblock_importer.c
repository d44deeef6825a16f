// SPDX-License-Identifier: GPL-2.0
/*
 * A device that is not coherent. The descriptor of a dma-buf that is written to
 * the parameter `import` is attached and mapped for it, until -1 is. Reading
 * says where the device sees it, and how many bytes of the CPU's caches were
 * written back and dropped since the last read or write, for the task that
 * wrote; they are counted on arm64:
 *
 *	address=A length=L cleaned=N dropped=N
 *
 * "ADDRESS MODE PHYS" to `mapping`: EIO if the mapping there is not of that cache
 * mode, or, unless PHYS is 0, the kernel's own of that memory on x86.
 */
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <uapi/linux/cblock.h>

#include "../../compat/dmabuf.h"

static unsigned int bits = 64;
module_param(bits, uint, 0600);
MODULE_PARM_DESC(bits, "of the addresses that the device reaches");

static struct platform_device *device;
static struct dma_buf_attachment *attach;
static struct sg_table *table;

static struct task_struct *watched;
static u64 cleaned, dropped;

#ifdef CONFIG_ARM64
/* Of all of them the second argument is the size. */
static int count_cleaned(struct kprobe *probe, struct pt_regs *regs)
{
	if (current == watched)
		cleaned += regs_get_kernel_argument(regs, 1);
	return 0;
}

static int count_dropped(struct kprobe *probe, struct pt_regs *regs)
{
	if (current == watched)
		dropped += regs_get_kernel_argument(regs, 1);
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "arch_sync_dma_for_device", .pre_handler = count_cleaned },
	{ .symbol_name = "arch_sync_dma_for_cpu", .pre_handler = count_dropped },
	/* memory without pages */
	{ .symbol_name = "arch_wb_cache_pmem", .pre_handler = count_cleaned },
	{ .symbol_name = "arch_invalidate_pmem", .pre_handler = count_dropped },
};
#else
static struct kprobe probes[0];
#endif

static void import_end(void)
{
	struct dma_buf *dmabuf;

	if (!attach)
		return;
	dmabuf = attach->dmabuf;
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	attach = NULL;
}

static int import_begin(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	int err;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	device->dev.bus_dma_limit = DMA_BIT_MASK(bits);
	attach = dma_buf_attach(dmabuf, &device->dev);
	err = PTR_ERR_OR_ZERO(attach);
	if (err)
		goto put_dmabuf;
	table = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	err = PTR_ERR_OR_ZERO(table);
	if (!err)
		return 0;

	dma_buf_detach(dmabuf, attach);
put_dmabuf:
	dma_buf_put(dmabuf);
	attach = NULL;
	return err;
}

static int import_set(const char *value, const struct kernel_param *param)
{
	int fd, err;

	err = kstrtoint(value, 0, &fd);
	if (err)
		return err;
	watched = current;
	cleaned = 0;
	dropped = 0;
	import_end();
	return fd < 0 ? 0 : import_begin(fd);
}

static int import_get(char *buffer, const struct kernel_param *param)
{
	dma_addr_t address = attach ? sg_dma_address(table->sgl) : 0;
	unsigned int length = attach ? sg_dma_len(table->sgl) : 0;
	int count;

	count = sprintf(buffer, "address=%#llx length=%u cleaned=%llu dropped=%llu\n",
			(u64)address, length, cleaned, dropped);
	cleaned = 0;
	dropped = 0;
	return count;
}

static const struct kernel_param_ops import_ops = {
	.set = import_set,
	.get = import_get,
};
module_param_cb(import, &import_ops, NULL, 0600);

static pgprot_t of_mode(pgprot_t prot, unsigned int mode)
{
	if (mode == CBLOCK_WRITECOMBINE)
		return pgprot_writecombine(prot);
	return mode == CBLOCK_UNCACHED ? pgprot_dmacoherent(prot) : prot;
}

static bool kernel_is_of_mode(unsigned long phys, unsigned int mode)
{
#ifdef CONFIG_X86
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)__va(phys), &level);

	return pte && !((pte_val(*pte) ^ pgprot_val(of_mode(PAGE_KERNEL, mode))) &
			(_PAGE_PCD | _PAGE_PWT));
#else
	return true;
#endif
}

static int mapping_set(const char *value, const struct kernel_param *param)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long at, phys;
	int err = -EIO;
	pgprot_t prot;
	unsigned int mode;

	if (sscanf(value, "%lx %u %lx", &at, &mode, &phys) != 3)
		return -EINVAL;
	mmap_read_lock(mm);
	vma = find_vma(mm, at);
	if (vma && vma->vm_start <= at) {
		prot = of_mode(vm_get_page_prot(vma->vm_flags), mode);
		if (pgprot_val(prot) == pgprot_val(vma->vm_page_prot))
			err = 0;
	}
	mmap_read_unlock(mm);
	return !phys || kernel_is_of_mode(phys, mode) ? err : -EIO;
}

static const struct kernel_param_ops mapping_ops = {
	.set = mapping_set,
};
module_param_cb(mapping, &mapping_ops, NULL, 0200);

static int __init importer_init(void)
{
	struct platform_device_info info = {
		.name = "cblock_importer",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};
	unsigned int i;
	int err = 0;

	device = platform_device_register_full(&info);
	if (IS_ERR(device))
		return PTR_ERR(device);
	for (i = 0; i < ARRAY_SIZE(probes) && !err; i++)
		err = register_kprobe(&probes[i]);
	if (!err)
		return 0;
	for (i--; i--; )
		unregister_kprobe(&probes[i]);
	platform_device_unregister(device);
	return err;
}

static void __exit importer_exit(void)
{
	unsigned int i;

	import_end();
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
	platform_device_unregister(device);
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_DESCRIPTION("Imports dma-bufs as a device that is not coherent");
MODULE_LICENSE("GPL");
KML_IMPORT_NS(DMA_BUF);
