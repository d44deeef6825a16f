// SPDX-License-Identifier: GPL-2.0
/*
 * Where every byte went: each held page gets the name of the first who claims
 * it; what nobody claims was allocated while booting.
 */
#include <linux/kasan.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../compat/bootmem.h"
#include "bootmem_probe.h"

const char *bm_class_name(enum bm_class class)
{
	static const char *const names[BM_CLASSES] = {
		[BM_KERNEL] = "kernel",
		[BM_INITRD] = "initrd",
		[BM_DTB] = "device-tree",
		[BM_REGION] = "region",
		[BM_CRASH] = "crash-kernel",
		[BM_NAMED] = "reserve_mem",
		[BM_FIRMWARE] = "firmware",
		[BM_BOOT] = "boot",
		[BM_CMA] = "cma",
		[BM_BUDDY] = "buddy",
	};

	return names[class];
}

/* Move what of start..last is in @from, in whole pages, to the layout. */
static int claim(struct bm_machine *m, struct bm_ranges *from, u64 start,
		 u64 last, enum bm_class class, const char *name)
{
	const struct bm_range *r;
	unsigned int i;

	start &= ~(u64)(PAGE_SIZE - 1);
	last |= PAGE_SIZE - 1;
	for (i = 0; i < from->nr; i++) {
		struct bm_range *piece;

		r = &from->r[i];
		if (!bm_common(r, start, last))
			continue;
		piece = bm_ranges_add(&m->layout, max(r->start, start),
				      min(r->last, last), name);
		if (!piece)
			return -ENOMEM;
		piece->nid = r->nid;
		piece->flags = class;
	}
	return bm_ranges_cut(from, start, last, &m->used[class]);
}

static int claim_iomem(struct bm_machine *m, struct bm_ranges *held)
{
	const struct bm_range *r;
	int err = 0;

	bm_for_each_range(r, &m->iomem) {
		if (!r->flags)
			continue;
		if (!strncmp(r->name, "Kernel ", 7))
			err = claim(m, held, r->start, r->last, BM_KERNEL,
				    r->name + 7);
		else if (!strncmp(r->name, "Crash kernel", 12))
			err = claim(m, held, r->start, r->last, BM_CRASH,
				    r->name);
		if (err)
			return err;
	}
	return 0;
}

#ifdef CONFIG_OF
static void extend(struct bm_range *r, const void *p, size_t size)
{
	u64 addr;

	if (!virt_addr_valid(p) || !PageReserved(virt_to_page(p)))
		return;
	addr = virt_to_phys((void *)p);
	r->start = min(r->start, addr);
	r->last = max(r->last, addr + size - 1);
}

/*
 * What was unflattened while booting is one allocation: find its ends. Nodes
 * that came later are not in reserved pages.
 */
static int claim_tree(struct bm_machine *m, struct bm_ranges *held)
{
	struct bm_range tree = { .start = U64_MAX, .last = 0 };
	struct device_node *np;
	struct property *prop;

	for (np = of_find_all_nodes(NULL); np; np = of_find_all_nodes(np)) {
		extend(&tree, np, sizeof(*np));
		for_each_property_of_node(np, prop)
			extend(&tree, prop, sizeof(*prop));
	}
	if (tree.start > tree.last)
		return 0;
	return claim(m, held, tree.start, tree.last, BM_DTB, "unflattened");
}

/* The blob starts a reservation, with a number that nothing else has. */
static int claim_blob(struct bm_machine *m, struct bm_ranges *held)
{
	const struct bm_range *r;
	__be32 head[2];

	bm_for_each_range(r, &m->reserved) {
		struct page *page = pfn_to_online_page(PHYS_PFN(r->start));

		if (!page || PageHighMem(page) ||
		    copy_from_kernel_nofault(head, phys_to_virt(r->start),
					     sizeof(head)))
			continue;
		if (be32_to_cpu(head[0]) == 0xd00dfeed)
			return claim(m, held, r->start,
				     r->start + be32_to_cpu(head[1]) - 1,
				     BM_DTB, "blob");
	}
	return 0;
}

static int claim_device_tree(struct bm_machine *m, struct bm_ranges *held)
{
	int err = claim_tree(m, held);

	return err ?: claim_blob(m, held);
}
#else
static int claim_device_tree(struct bm_machine *m, struct bm_ranges *held)
{
	return 0;
}
#endif

static int claim_regions(struct bm_machine *m, struct bm_ranges *held)
{
	unsigned int i;

	for (i = 0; i < m->nr_regions; i++) {
		const struct bm_region *region = &m->regions[i];
		int err;

		if (!region->size)
			continue;
		err = claim(m, held, region->start,
			    region->start + region->size - 1, BM_REGION,
			    kbasename(region->np->full_name));
		if (err)
			return err;
	}
	return 0;
}

static int claim_reserve_mem(struct bm_machine *m, struct bm_ranges *held)
{
	char *line = bm_command_line_copy(), *rest = line, *name, *value;
	phys_addr_t start, size;
	int err = 0;

	if (!line)
		return -ENOMEM;
	while (!err && bm_command_line_next(&rest, &name, &value)) {
		const char *region = strrchr(value, ':');

		if (strcmp(name, "reserve_mem") || !region ||
		    kml_reserve_mem(region + 1, &start, &size))
			continue;
		err = claim(m, held, start, start + size - 1, BM_NAMED,
			    region + 1);
	}
	kfree(line);
	return err;
}

/* What of the memory went to the buddy, and what CMA lends it. */
static int claim_managed(struct bm_machine *m)
{
	struct bm_ranges free = { };
	const struct bm_range *r;
	u64 taken = 0;
	int err = 0;

	bm_for_each_range(r, &m->memory)
		if (!bm_ranges_add(&free, r->start, r->last, ""))
			err = -ENOMEM;
	bm_for_each_range(r, &m->held)
		err = err ?: bm_ranges_cut(&free, r->start, r->last, &taken);
	bm_for_each_range(r, &m->cma) {
		const char *name = "default";
		unsigned int i;

		for (i = 0; i < m->nr_regions; i++)
			if (m->regions[i].size &&
			    bm_common(r, m->regions[i].start,
				      m->regions[i].start +
				      m->regions[i].size - 1))
				name = kbasename(m->regions[i].np->full_name);
		err = err ?: claim(m, &free, r->start, r->last, BM_CMA, name);
	}
	while (!err && free.nr)
		err = claim(m, &free, free.r[0].start, free.r[0].last,
			    BM_BUDDY, "");
	bm_ranges_free(&free);
	return err;
}

/* RAM or not, what firmware keeps for itself is outside memblock. */
static int note_firmware(struct bm_machine *m)
{
	static const char *const names[] = {
		"ACPI Tables", "ACPI Non-volatile Storage", "Reserved",
		"Unknown E820 type", "Unusable memory", "Soft Reserved",
		"Persistent Memory (legacy)",
	};
	const struct bm_range *r;
	unsigned int i;

	bm_for_each_range(r, &m->iomem) {
		struct bm_range *piece;

		if (r->flags)
			continue;
		for (i = 0; i < ARRAY_SIZE(names); i++)
			if (!strcmp(r->name, names[i]))
				break;
		if (i == ARRAY_SIZE(names) || !bm_size(r))
			continue;
		piece = bm_ranges_add(&m->layout, r->start, r->last, r->name);
		if (!piece)
			return -ENOMEM;
		piece->flags = BM_FIRMWARE;
	}
	return 0;
}

/*
 * The memmap and KASAN's shadow are mapped at virtual addresses of their own;
 * how large they are follows from what they describe.
 */
static void compute_maps(struct bm_machine *m)
{
	const struct bm_range __maybe_unused *r;
#ifdef CONFIG_SPARSEMEM
	unsigned long section = 0, next = 0;

	bm_for_each_range(r, &m->memory) {
		section = pfn_to_section_nr(PHYS_PFN(r->start));
		for (section = max(section, next);
		     section <= pfn_to_section_nr(PHYS_PFN(r->last)); section++)
			m->page_structs += PAGES_PER_SECTION *
					   sizeof(struct page);
		next = section;
	}
#else
	int nid;

	for_each_online_node(nid)
		m->page_structs += NODE_DATA(nid)->node_spanned_pages *
				   sizeof(struct page);
#endif
#ifdef CONFIG_KASAN_GENERIC
	u64 start = U64_MAX, last = 0;

	bm_for_each_range(r, &m->memory)
		m->shadow += bm_size(r) >> KASAN_SHADOW_SCALE_SHIFT;
	/* the kernel's image is mapped twice, each mapping has a shadow */
	bm_for_each_range(r, &m->iomem) {
		if (!r->flags || strncmp(r->name, "Kernel ", 7))
			continue;
		start = min(start, r->start);
		last = max(last, r->last);
	}
	if (start < last)
		m->shadow += (last - start + 1) >> KASAN_SHADOW_SCALE_SHIFT;
#endif
}

/**
 * bm_usage_read - attribute all memory
 * @m: the state, everything but @layout, @used and the sizes filled in
 *
 * Return: 0, or -ENOMEM.
 */
int bm_usage_read(struct bm_machine *m)
{
	struct bm_ranges held = { };
	const struct bm_range *r;
	int err = 0;

	bm_for_each_range(r, &m->held) {
		struct bm_range *copy = bm_ranges_add(&held, r->start, r->last,
						      "");
		if (!copy) {
			err = -ENOMEM;
			break;
		}
		copy->nid = r->nid;
	}
	err = err ?: claim_iomem(m, &held);
	err = err ?: claim_regions(m, &held);
	if (!err && m->initrd_size)
		err = claim(m, &held, m->initrd_start,
			    m->initrd_start + m->initrd_size - 1, BM_INITRD, "");
	err = err ?: claim_device_tree(m, &held);
	err = err ?: claim_reserve_mem(m, &held);
	/* the BIOS's first MiB: kept back as a whole, in System RAM or not */
	if (!err && IS_ENABLED(CONFIG_X86))
		err = claim(m, &held, 0, SZ_1M - 1, BM_FIRMWARE, "first MiB");
	while (!err && held.nr)
		err = claim(m, &held, held.r[0].start, held.r[0].last, BM_BOOT,
			    "");
	bm_ranges_free(&held);
	err = err ?: claim_managed(m);
	err = err ?: note_firmware(m);
	bm_ranges_sort(&m->layout);
	compute_maps(m);
	return err;
}
