// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of buffers in programs. They fill on demand: 2 MiB at a time where
 * the kernel lets a module do so and the addresses are congruent, else up to a
 * few dozen pages around the one that was touched; one page at a time where
 * others may take references to pages.
 */
#include <linux/log2.h>
#include <linux/mm.h>

#include "buffer.h"

/*
 * Pages mapped at a fault: the more, the fewer faults; but the first byte is not
 * to wait for them, so there are as many as lie before them, a power of two, up
 * to this.
 */
#define FAULT_PAGES	64

static u32 fault_window(u32 n)
{
	return min_t(u32, rounddown_pow_of_two(n | 1), FAULT_PAGES);
}

static u32 fault_page(struct vm_area_struct *vma, unsigned long address)
{
	return ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}

/*
 * What may be written counts as written from the start: nobody looks, and ARM
 * would fault once more at the first write to each page to find out.
 */
static pgprot_t fault_prot(const struct vm_area_struct *vma)
{
	pte_t pte = pfn_pte(0, vma->vm_page_prot);

	if (!(vma->vm_flags & VM_WRITE))
		return vma->vm_page_prot;
	return __pgprot(pte_val(pte_mkdirty(pte)));
}

static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct cblock_buffer *buffer = vma->vm_private_data;
	unsigned long address = vmf->address & PAGE_MASK;
	u32 size = buffer->block->area.size;
	u32 n = fault_page(vma, address), window, end;
	pgprot_t prot = fault_prot(vma);
	vm_fault_t result;

	if (n >= size)
		return VM_FAULT_SIGBUS;
	if (buffer->pages) {
		vmf->page = pfn_to_page(cblock_pfn(buffer->block) + n);
		get_page(vmf->page);
		return 0;
	}

	/* the touched page first: its failure is the one that counts */
	result = vmf_insert_pfn_prot(vma, address,
				     cblock_pfn(buffer->block) + n, prot);
	if (result != VM_FAULT_NOPAGE)
		return result;
	window = fault_window(n);
	end = min_t(unsigned long, vma->vm_pgoff + vma_pages(vma),
		    round_down(n, window) + window);
	n = max_t(unsigned long, vma->vm_pgoff, round_down(n, window));
	for (; n < min(end, size); n++) {
		address = vma->vm_start + ((n - vma->vm_pgoff) << PAGE_SHIFT);
		if (vmf_insert_pfn_prot(vma, address,
					cblock_pfn(buffer->block) + n, prot) !=
		    VM_FAULT_NOPAGE)
			break;
	}
	return VM_FAULT_NOPAGE;
}

#ifdef KML_HAVE_PMD_PFNMAP
static vm_fault_t buffer_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct cblock_buffer *buffer = vma->vm_private_data;
	unsigned long address = vmf->address & PMD_MASK, pfn;
	u32 n;

	if (order != HPAGE_PMD_ORDER || buffer->pages || address < vma->vm_start ||
	    vma->vm_end - address < PMD_SIZE)
		return VM_FAULT_FALLBACK;
	n = fault_page(vma, address);
	pfn = cblock_pfn(buffer->block) + n;
	if (!IS_ALIGNED(pfn, PTRS_PER_PTE) || n >= buffer->block->area.size ||
	    buffer->block->area.size - n < PTRS_PER_PTE)
		return VM_FAULT_FALLBACK;
	return kml_insert_pfn_pmd(vmf, pfn, vmf->flags & FAULT_FLAG_WRITE);
}
#endif

static const struct vm_operations_struct buffer_vm_ops = {
	.fault = buffer_fault,
#ifdef KML_HAVE_PMD_PFNMAP
	.huge_fault = buffer_huge_fault,
#endif
};

/* dma-buf has checked that the range is inside, and holds the file. */
int cblock_buffer_mmap(struct cblock_buffer *buffer, struct vm_area_struct *vma)
{
	/* a private mapping would be a copy of what the device does not see */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP |
			  (buffer->pages ? 0 : VM_PFNMAP));
	vma->vm_page_prot = cblock_buffer_prot(buffer, vma->vm_page_prot);
	vma->vm_private_data = buffer;
	vma->vm_ops = &buffer_vm_ops;
	return 0;
}
