// SPDX-License-Identifier: GPL-2.0
/*
 * The contract of vmalloc, tried on the running kernel: sizes and addresses
 * here, pages in check-pages.c. Each line of the facts VM-1 to VM-9 is held, or
 * differs, or is hidden on this kernel; nothing is tried that could crash it.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "vp.h"
#include "check.h"

/* --- VM-1, VM-2: what is asked for ------------------------------------------ */

static enum vp_finding try_caller(char *seen)
{
	enum vp_finding finding;
	struct kml_vmap area;
	void *p = vmalloc(PAGE_SIZE);

	if (!p)
		return vp_find(HIDDEN, seen, "no memory for a page");
	if (!vp_area_at(p, &area))
		finding = vp_find(HIDDEN, seen, "the areas are hidden");
	else if (within_module((unsigned long)area.caller, THIS_MODULE) &&
		 area.flags & VM_ALLOC)
		finding = vp_find(HOLDS, seen, "%pS", area.caller);
	else
		finding = vp_find(DIFFERS, seen, "caller %pS, flags 0x%lx",
				  area.caller, area.flags);
	vfree(p);
	return finding;
}

static bool zero_wanted;

static enum vp_finding try_zero(char *seen)
{
	unsigned long size = 0;
	void *p;

	if (!zero_wanted)
		return vp_find(HIDDEN, seen,
			       "newer kernels warn once, and panic under panic_on_warn; 'check zero' tries it");
	OPTIMIZER_HIDE_VAR(size);
	p = __vmalloc(size, VP_GFP);
	vfree(p);
	return p ? vp_find(DIFFERS, seen, "size 0 gave memory") :
		   vp_find(HOLDS, seen, "size 0 gave NULL");
}

static enum vp_finding try_too_large(char *seen)
{
	unsigned long pages = totalram_pages() + 1;
	void *p;

	if (pages > ULONG_MAX >> PAGE_SHIFT)
		return vp_find(HIDDEN, seen, "more memory than addresses");
	p = __vmalloc(pages << PAGE_SHIFT, VP_GFP);
	vfree(p);
	return p ? vp_find(DIFFERS, seen, "%lu pages were given", pages) :
		   vp_find(HOLDS, seen, "%lu pages gave NULL", pages);
}

static enum vp_finding try_wrap(char *seen)
{
	unsigned long size = ULONG_MAX;
	void *p;

	OPTIMIZER_HIDE_VAR(size);
	p = __vmalloc(size, VP_GFP);
	vfree(p);
	return p ? vp_find(DIFFERS, seen, "%lu bytes were given", size) :
		   vp_find(HOLDS, seen, "%lu bytes gave NULL", size);
}

static enum vp_finding try_rounding(char *seen)
{
	void *p = __vmalloc(PAGE_SIZE + 1, VP_GFP);
	unsigned int pages = 0;

	if (!p)
		return vp_find(HIDDEN, seen, "no memory for two pages");
	while (pages < 4 && vmalloc_to_page(p + pages * PAGE_SIZE))
		pages++;
	vfree(p);
	return pages == 2 ? vp_find(HOLDS, seen, "a page and a byte gave 2 pages") :
			    vp_find(DIFFERS, seen, "a page and a byte gave %u pages",
				    pages);
}

/* --- VM-3, VM-4: where it is put -------------------------------------------- */

static enum vp_finding try_range(char *seen)
{
	void *p = __vmalloc(PAGE_SIZE, VP_GFP);
	bool inside = p && vp_in_range((unsigned long)p) && is_vmalloc_addr(p) &&
		      PAGE_ALIGNED(p);

	vfree(p);
	if (!p)
		return vp_find(HIDDEN, seen, "no memory for a page");
	return inside ? vp_find(HOLDS, seen, "on a page boundary of the range") :
			vp_find(DIFFERS, seen, "outside of the range, or inside a page");
}

static enum vp_finding try_guard_size(char *seen)
{
	enum vp_finding finding;
	struct kml_vmap area;
	void *p = __vmalloc(3 * PAGE_SIZE, VP_GFP);

	if (!p)
		return vp_find(HIDDEN, seen, "no memory for three pages");
	if (!vp_area_at(p, &area))
		finding = vp_find(HIDDEN, seen, "the areas are hidden");
	else if (area.end - area.start == 4 * PAGE_SIZE)
		finding = vp_find(HOLDS, seen, "3 pages took 4 of the range");
	else
		finding = vp_find(DIFFERS, seen, "3 pages took %lu of the range",
				  (area.end - area.start) >> PAGE_SHIFT);
	vfree(p);
	return finding;
}

/*
 * The kernel's own reader of doubtful addresses takes the fault that an overrun
 * would take.
 */
static enum vp_finding try_guard_page(char *seen)
{
	void *p = __vmalloc(PAGE_SIZE, VP_GFP);
	bool mapped, readable, last;
	u8 byte;

	if (!p)
		return vp_find(HIDDEN, seen, "no memory for a page");
	last = !copy_from_kernel_nofault(&byte, p + PAGE_SIZE - 1, 1);
	mapped = vmalloc_to_page(p + PAGE_SIZE);
	readable = !copy_from_kernel_nofault(&byte, p + PAGE_SIZE, 1);
	vfree(p);
	if (last && !mapped && !readable)
		return vp_find(HOLDS, seen,
			       "the next page is in no page table and faults");
	return vp_find(DIFFERS, seen, "last byte readable: %d; next page mapped: %d, readable: %d",
		       last, mapped, readable);
}

static enum vp_finding try_alignment(char *seen)
{
	unsigned long align;
	void *p;

	if (!kml_vmalloc_can_align(VP_GFP, false))
		return vp_find(HIDDEN, seen,
			       "no exported function takes an alignment before 6.18");
	for (align = PAGE_SIZE; align <= SZ_4M; align <<= 1) {
		p = kml_vmalloc(PAGE_SIZE, align, VP_GFP, NUMA_NO_NODE, false);
		vfree(p);
		if (!p)
			return vp_find(HIDDEN, seen, "no hole aligned to %lu", align);
		if (!IS_ALIGNED((unsigned long)p, align))
			return vp_find(DIFFERS, seen, "not aligned to %lu", align);
	}
	return vp_find(HOLDS, seen, "from a page to 4 MiB");
}

#define VP_IO_SIZE	SZ_32K	/* and a page more: rounds up to another power */

static int map_and_measure(struct resource *res, void *arg)
{
	struct kml_vmap *area = arg;
	resource_size_t start = ALIGN(res->start, PAGE_SIZE);
	unsigned long size = VP_IO_SIZE + PAGE_SIZE;
	void __iomem *p;
	bool found;

	if (res->end < start || res->end - start < size ||
	    region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return 0;
	/* mapped, never touched */
	p = ioremap(start, size);
	if (!p)
		return 0;
	found = vp_area_at((__force void *)p, area);
	iounmap(p);
	return found;
}

static enum vp_finding try_ioremap(char *seen)
{
	unsigned long align = min_t(unsigned long, 1UL << IOREMAP_MAX_ORDER,
				    roundup_pow_of_two(VP_IO_SIZE + PAGE_SIZE));
	struct kml_vmap area;

	if (!kml_vmap_lists(KML_VMAP_BUSY))
		return vp_find(HIDDEN, seen, "the areas are hidden");
	if (walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_MEM, 0, -1, &area,
				map_and_measure) != 1)
		return vp_find(HIDDEN, seen, "no device memory to map");
	if (!(area.flags & VM_IOREMAP) || !IS_ALIGNED(area.start, align))
		return vp_find(DIFFERS, seen, "flags 0x%lx, not aligned to %lu",
			       area.flags, align);
	return vp_find(HOLDS, seen, "%lu bytes aligned to %lu",
		       (unsigned long)(VP_IO_SIZE + PAGE_SIZE), align);
}

static enum vp_finding try_interrupt(char *seen)
{
	return vp_find(HIDDEN, seen,
		       "the kernel answers with BUG(); might_sleep() tells under DEBUG_ATOMIC_SLEEP");
}

static const struct vp_experiment address_experiments[] = {
	{ "VM-1", "caller", try_caller },
	{ "VM-2", "zero", try_zero },
	{ "VM-2", "too_large", try_too_large },
	{ "VM-2", "wraps", try_wrap },
	{ "VM-2", "rounding", try_rounding },
	{ "VM-3", "range", try_range },
	{ "VM-3", "guard_size", try_guard_size },
	{ "VM-3", "guard_page", try_guard_page },
	{ "VM-3", "alignment", try_alignment },
	{ "VM-3", "ioremap_alignment", try_ioremap },
	{ "VM-4", "interrupt", try_interrupt },
};

/* --- running them ---------------------------------------------------------- */

#define VP_RECORDS_MAX	32

static DEFINE_MUTEX(lock);	/* one check at a time; protects the records */
static struct {
	const struct vp_experiment *experiment;
	enum vp_finding finding;
	char seen[VP_SEEN_MAX];
} records[VP_RECORDS_MAX];
static unsigned int nr_records;

static void run(const struct vp_experiment *experiment)
{
	if (WARN_ON(nr_records == VP_RECORDS_MAX))
		return;
	records[nr_records].experiment = experiment;
	records[nr_records].seen[0] = '\0';
	records[nr_records].finding = experiment->run(records[nr_records].seen);
	nr_records++;
}

/**
 * vp_check - try the whole contract
 * @zero: try a size of 0 too
 *
 * Context: process; may sleep.
 * Return: 0 whatever was found, see vp_check_show(); -EINTR.
 */
int vp_check(bool zero)
{
	unsigned int i;
	int err = mutex_lock_killable(&lock);

	if (err)
		return err;
	nr_records = 0;
	zero_wanted = zero;
	for (i = 0; i < ARRAY_SIZE(address_experiments); i++)
		run(&address_experiments[i]);
	for (i = 0; i < vp_page_experiments_nr; i++)
		run(&vp_page_experiments[i]);
	mutex_unlock(&lock);
	return 0;
}

/**
 * vp_check_show - print what the last check found, one item a line
 * @m: where to
 */
void vp_check_show(struct seq_file *m)
{
	static const char *const words[] = {
		[VP_HOLDS] = "holds", [VP_DIFFERS] = "differs", [VP_HIDDEN] = "hidden",
	};
	unsigned int i;

	seq_puts(m, "# fact item finding: what was seen, or why nothing can be\n");
	mutex_lock(&lock);
	for (i = 0; i < nr_records; i++)
		seq_printf(m, "%s %s %s: %s\n", records[i].experiment->fact,
			   records[i].experiment->item, words[records[i].finding],
			   records[i].seen);
	mutex_unlock(&lock);
}
