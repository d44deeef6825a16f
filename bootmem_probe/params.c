// SPDX-License-Identifier: GPL-2.0
/* The command line's memory parameters, and what became of each. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat/bootmem.h"
#include "bootmem_probe.h"

/* As it was when the module was loaded; it never changes. */
static char *command_line;

/**
 * bm_params_init - read the command line, once
 *
 * Return: 0, or a negative errno.
 */
int bm_params_init(void)
{
	char *line = kml_command_line();

	if (IS_ERR(line)) {
		pr_err("cannot read the kernel's command line: %pe\n", line);
		return PTR_ERR(line);
	}
	command_line = line;
	return 0;
}

void bm_params_exit(void)
{
	kfree(command_line);
}

/* A copy to take apart with bm_command_line_next(). */
char *bm_command_line_copy(void)
{
	return kstrdup(command_line, GFP_KERNEL);
}

/**
 * bm_command_line_next - take one parameter off the command line
 * @line: what is left of it; its text is cut into pieces
 * @name: the parameter
 * @value: behind the '=', "" without one
 *
 * Return: false at the end, or at the "--" that ends the kernel's part.
 */
bool bm_command_line_next(char **line, char **name, char **value)
{
	char *p = skip_spaces(*line), *to, *from;
	bool quoted = false;

	if (!*p || (p[0] == '-' && p[1] == '-' && (!p[2] || p[2] == ' ')))
		return false;
	*name = p;
	*value = NULL;
	for (from = p, to = p; *from && (quoted || !isspace(*from)); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		*to = *from;
		if (*to == '=' && !*value) {
			*to = '\0';
			*value = to + 1;
		}
		to++;
	}
	*line = *from ? from + 1 : from;
	*to = '\0';
	if (!*value)
		*value = to;
	return true;
}

/* What CMA areas are aligned to and made of, in bytes. */
u64 bm_cma_granule(void)
{
#ifdef CONFIG_CMA
	return CMA_MIN_ALIGNMENT_BYTES;
#else
	return PAGE_SIZE << pageblock_order;
#endif
}

/* CMA that no device-tree node accounts for, in bytes. */
u64 bm_cma_unnamed(const struct bm_machine *m)
{
	u64 size = bm_ranges_size(&m->cma);
	unsigned int i;

	for (i = 0; i < m->nr_regions; i++)
		if (m->regions[i].size)
			size -= bm_ranges_overlap(&m->cma, m->regions[i].start,
						  m->regions[i].start +
						  m->regions[i].size - 1);
	return size;
}

static __printf(3, 4) void effect(struct bm_param *p, enum bm_effect effect,
				  const char *fmt, ...)
{
	va_list args;

	p->effect = effect;
	va_start(args, fmt);
	vscnprintf(p->why, sizeof(p->why), fmt, args);
	va_end(args);
}

static u64 ram_end(const struct bm_machine *m)
{
	const struct bm_range *r;
	u64 last = 0;

	bm_for_each_range(r, &m->memory)
		last = max(last, r->last);
	return last + 1;
}

static void limit_effect(struct bm_param *p, const struct bm_machine *m)
{
	/* x86 takes it as the highest address, the others as an amount */
	u64 ram = IS_ENABLED(CONFIG_X86) ? ram_end(m) :
					   bm_ranges_size(&m->memory);

	if (ram > p->size)
		effect(p, BM_DIFFERENTLY, "RAM is %llu KiB", ram >> 10);
	else if (p->size - ram < SZ_1M)
		effect(p, BM_AS_ASKED, "RAM is %llu KiB", ram >> 10);
	else
		effect(p, BM_NOT_AT_ALL, "there is less RAM, %llu KiB",
		       ram >> 10);
}

static void mem_effect(struct bm_param *p, const struct bm_machine *m)
{
	if (!p->size)
		effect(p, BM_NOT_AT_ALL, "not a size");
	else if (*p->rest == '@')
		effect(p, bm_ranges_size(&m->memory) <= p->size ?
		       BM_AS_ASKED : BM_DIFFERENTLY, "RAM is %llu KiB",
		       bm_ranges_size(&m->memory) >> 10);
	else
		limit_effect(p, m);
}

/* How much of the range does iomem call so, at its top level? */
static u64 called(const struct bm_machine *m, u64 start, u64 size,
		  const char *name)
{
	const struct bm_range *r;
	u64 found = 0;

	bm_for_each_range(r, &m->iomem)
		if (!r->flags && !strcasecmp(r->name, name))
			found += bm_common(r, start, start + size - 1);
	return found;
}

static void memmap_effect(struct bm_param *p, const struct bm_machine *m)
{
	const char *as = *p->rest == '$' ? "Reserved" :
			 *p->rest == '!' ? "Persistent Memory (legacy)" :
			 *p->rest == '#' ? "ACPI Tables" :
			 *p->rest == '@' ? "System RAM" : NULL;
	u64 start, found;

	if (!IS_ENABLED(CONFIG_X86)) {
		effect(p, BM_NOT_AT_ALL, "only x86 knows this parameter");
		return;
	}
	if (!strcmp(p->value, "exactmap")) {
		effect(p, BM_AS_ASKED, "the map is what memmap= says");
		return;
	}
	if (!p->size) {
		effect(p, BM_NOT_AT_ALL, "not a size");
		return;
	}
	if (!as) {
		limit_effect(p, m);
		return;
	}
	start = memparse(p->rest + 1, NULL);
	found = called(m, start, p->size, as);
	if (found >= p->size - 2 * PAGE_SIZE)
		effect(p, BM_AS_ASKED, "'%s' in /proc/iomem", as);
	else if (found)
		effect(p, BM_DIFFERENTLY, "only %llu KiB of it are '%s'",
		       found >> 10, as);
	else
		effect(p, BM_NOT_AT_ALL, "nothing of it is '%s'", as);
}

static void cma_effect(struct bm_param *p, const struct bm_machine *m)
{
	u64 found = bm_cma_unnamed(m);
	u64 rounded = ALIGN(p->size, bm_cma_granule());

	if (!IS_ENABLED(CONFIG_DMA_CMA))
		effect(p, BM_NOT_AT_ALL, "this kernel is built without CMA");
	else if (found == p->size)
		effect(p, BM_AS_ASKED, "CMA has %llu KiB", found >> 10);
	else if (!found)
		effect(p, BM_NOT_AT_ALL, "there is no such area");
	else if (IS_ENABLED(CONFIG_CMA_SIZE_PERNUMA) && num_online_nodes() > 1 &&
		 found == rounded * (1 + num_online_nodes()))
		effect(p, BM_DIFFERENTLY,
		       "CMA has %llu KiB: each node got such an area, too",
		       found >> 10);
	else if (found == rounded)
		effect(p, BM_DIFFERENTLY,
		       "CMA has %llu KiB, rounded up to blocks of %llu",
		       found >> 10, bm_cma_granule() >> 10);
	else if (found > p->size)
		effect(p, BM_AS_ASKED,
		       "part of the %llu KiB that CMA has", found >> 10);
	else
		effect(p, BM_DIFFERENTLY, "CMA has only %llu KiB", found >> 10);
}

/* NODE:SIZE[,NODE:SIZE...], each node's share of CMA */
static void by_node_effect(struct bm_param *p, const struct bm_machine *m)
{
	const char *value = p->value;
	char *end;

	for (; *value; value = *end == ',' ? end + 1 : end) {
		u64 nid = memparse(value, &end);
		const struct bm_range *r;
		u64 want, found = 0;

		if (*end != ':')
			break;
		want = memparse(end + 1, &end);
		bm_for_each_range(r, &m->cma)
			if (r->nid == nid)
				found += bm_size(r);
		if (found < want) {
			effect(p, found ? BM_DIFFERENTLY : BM_NOT_AT_ALL,
			       "node %llu has %llu KiB of CMA", nid,
			       found >> 10);
			return;
		}
		effect(p, BM_AS_ASKED, "node %llu has %llu KiB of CMA", nid,
		       found >> 10);
	}
	if (*value || !*p->value)
		effect(p, BM_NOT_AT_ALL, "not NODE:SIZE");
}

static void numa_cma_effect(struct bm_param *p, const struct bm_machine *m)
{
	if (!IS_ENABLED(CONFIG_DMA_NUMA_CMA))
		effect(p, BM_NOT_AT_ALL, "this kernel is built without it");
	else
		by_node_effect(p, m);
}

/* SIZE, or NODE:SIZE[,NODE:SIZE...] */
static void hugetlb_cma_effect(struct bm_param *p, const struct bm_machine *m)
{
	u64 found = bm_cma_unnamed(m);

	if (!IS_ENABLED(CONFIG_CMA) || !IS_ENABLED(CONFIG_HUGETLB_PAGE))
		effect(p, BM_NOT_AT_ALL, "this kernel is built without it");
	else if (*p->rest == ':')
		by_node_effect(p, m);
	else if (found >= p->size && p->size)
		effect(p, BM_AS_ASKED,
		       "part of the %llu KiB that CMA has", found >> 10);
	else
		effect(p, BM_NOT_AT_ALL, "CMA has only %llu KiB", found >> 10);
}

static void reserve_mem_effect(struct bm_param *p, const struct bm_machine *m)
{
	const char *name = strrchr(p->value, ':');
	phys_addr_t start, size;
	int err;

	if (!name || !p->size) {
		effect(p, BM_NOT_AT_ALL, "not SIZE:ALIGN:NAME");
		return;
	}
	err = kml_reserve_mem(name + 1, &start, &size);
	if (err == -EOPNOTSUPP)
		effect(p, BM_NOT_AT_ALL, "only Linux 6.12 and newer know it");
	else if (err)
		effect(p, BM_NOT_AT_ALL, "there is no region '%s'", name + 1);
	else
		effect(p, size == p->size ? BM_AS_ASKED : BM_DIFFERENTLY,
		       "%llu KiB at %#llx", (u64)size >> 10, (u64)start);
}

static void crashkernel_effect(struct bm_param *p, const struct bm_machine *m)
{
	const struct bm_range *r;
	u64 found = 0;

	bm_for_each_range(r, &m->iomem)
		if (!strncmp(r->name, "Crash kernel", 12))
			found += bm_size(r);
	if (!found)
		effect(p, BM_NOT_AT_ALL, "nothing is reserved for it");
	else if (!*p->rest || *p->rest == '@')
		effect(p, found >= p->size ? BM_AS_ASKED : BM_DIFFERENTLY,
		       "%llu KiB are reserved", found >> 10);
	else
		effect(p, BM_AS_ASKED, "%llu KiB are reserved", found >> 10);
}

static void cblock_effect(struct bm_param *p, const struct bm_machine *m)
{
	const struct bm_range *r;

	bm_for_each_range(r, &m->iomem)
		if (!strcmp(r->name, "cblock") && bm_size(r) == p->size &&
		    (*p->rest != '@' ||
		     r->start == memparse(p->rest + 1, NULL))) {
			effect(p, BM_AS_ASKED, "%llu KiB at %#llx",
			       bm_size(r) >> 10, r->start);
			return;
		}
	effect(p, BM_NOT_AT_ALL,
	       "no such region; only a kernel with cblock built in makes one");
}

static const struct {
	const char *name;
	bool split;	/* at commas, into entries of their own */
	void (*effect)(struct bm_param *p, const struct bm_machine *m);
} known[] = {
	{ "mem", false, mem_effect },
	{ "memmap", true, memmap_effect },
	{ "cma", false, cma_effect },
	{ "numa_cma", false, numa_cma_effect },
	{ "hugetlb_cma", false, hugetlb_cma_effect },
	{ "reserve_mem", false, reserve_mem_effect },
	{ "crashkernel", false, crashkernel_effect },
	{ "cblock", false, cblock_effect },
};

static int add_param(struct bm_params *params, const char *name,
		     const char *value)
{
	struct bm_param *p;
	char *rest;

	p = krealloc(params->p, (params->nr + 1) * sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	params->p = p;
	p += params->nr++;
	memset(p, 0, sizeof(*p));
	p->name = name;
	p->value = value;
	p->size = memparse(value, &rest);
	p->rest = rest;
	return 0;
}

/* Of some parameters only the last one counts. */
static void supersede(struct bm_params *params)
{
	struct bm_param *p, *last = NULL;

	for (p = params->p; p < params->p + params->nr; p++) {
		if (strcmp(p->name, "cma"))
			continue;
		if (last) {
			last->superseded = true;
			effect(last, BM_NOT_AT_ALL, "a later %s= replaces it",
			       p->name);
		}
		last = p;
	}
}

/**
 * bm_params_read - read the command line, and what became of what is about memory
 * @params: filled in, for bm_params_free(), whatever is returned
 * @m: the state, everything else filled in
 *
 * Return: 0, or -ENOMEM.
 */
int bm_params_read(struct bm_params *params, const struct bm_machine *m)
{
	char *rest, *name, *value, *entry;
	unsigned int i, from;
	bool split;
	int err;

	params->line = bm_command_line_copy();
	if (!params->line)
		return -ENOMEM;
	rest = params->line;
	while (bm_command_line_next(&rest, &name, &value)) {
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if (!strcmp(name, known[i].name))
				break;
		split = i < ARRAY_SIZE(known) && known[i].split;
		from = params->nr;
		do {
			entry = split ? strsep(&value, ",") : value;
			err = add_param(params, name, entry);
			if (err)
				return err;
		} while (split && value);
		for (; i < ARRAY_SIZE(known) && from < params->nr; from++) {
			params->p[from].memory = true;
			known[i].effect(&params->p[from], m);
		}
	}
	supersede(params);
	return 0;
}

/**
 * bm_params_free - drop what bm_params_read() read
 * @params: the parameters
 */
void bm_params_free(struct bm_params *params)
{
	kfree(params->p);
	kfree(params->line);
}
