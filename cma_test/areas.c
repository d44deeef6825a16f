// SPDX-License-Identifier: GPL-2.0
/*
 * Which CMA areas there are, and how each can be reached on this kernel.
 *
 * Three sources are asked, the best first: the kernel's own list of all areas,
 * its list of the areas that devices use, the device tree's reserved-memory
 * nodes. What remains is the default area, which the DMA API allocates from
 * even where nothing names it.
 */

#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>

#include "cma_test.h"

LIST_HEAD(ct_areas);

static struct kml_cma_calls ct_cma;
static struct ct_area *ct_default;
static unsigned int ct_next_device;

/* A device has one mask: held from setting it to the end of the allocation. */
static DEFINE_MUTEX(ct_mask_lock);

const char *ct_route_name(const struct ct_area *area)
{
	static const char * const names[] = {
		[CT_EXPORTS]	 = "exports",
		[CT_RESOLVED]	 = "resolved",
		[CT_DEVICE_TREE] = "device-tree",
		[CT_DMA]	 = "dma",
	};

	return names[area->route];
}

/* Does [pfn, pfn + pages) lie in the area? Unknown bounds hold nothing. */
bool ct_area_has(const struct ct_area *area, unsigned long pfn,
		 unsigned long pages)
{
	return pages && pages <= area->pages && pfn >= area->base &&
	       pfn - area->base <= area->pages - pages;
}

struct ct_area *ct_area_default(void)
{
	return ct_default;
}

/**
 * ct_area_find - look up an area
 * @name: the kernel's name; the part before the @ of a device-tree name will
 *	  do if no area has the whole name
 *
 * Return: the area, or NULL.
 */
struct ct_area *ct_area_find(const char *name)
{
	size_t len = strlen(name);
	struct ct_area *area;

	ct_for_each_area(area)
		if (!strcmp(area->name, name))
			return area;
	ct_for_each_area(area)
		if (!strncmp(area->name, name, len) && area->name[len] == '@')
			return area;
	return NULL;
}

/**
 * ct_area_of_pfn - the area that a page belongs to
 * @pfn: the page
 *
 * Context: any.
 * Return: the area, or NULL.
 */
struct ct_area *ct_area_of_pfn(unsigned long pfn)
{
	struct ct_area *area;

	ct_for_each_area(area)
		if (ct_area_has(area, pfn, 1))
			return area;
	return NULL;
}

/**
 * ct_area_of_name - the area that a tracepoint names
 * @name: the kernel's name for it; NULL on kernels that do not tell
 *
 * Context: any.
 * Return: the area, NULL if it is unknown.
 */
struct ct_area *ct_area_of_name(const char *name)
{
	struct ct_area *area;

	if (!name)
		return list_is_singular(&ct_areas) ? ct_default : NULL;
	ct_for_each_area(area)
		if (!strcmp(area->name, name))
			return area;
	/* found through the DMA API alone, an area has no name of the kernel's */
	return ct_default && ct_default->route == CT_DMA ? ct_default : NULL;
}

/* Can cma_alloc() be called on the area? */
bool ct_area_callable(const struct ct_area *area)
{
	return ct_cma.alloc && area->cma;
}

static struct ct_area *ct_area_of_cma(const struct cma *cma)
{
	struct ct_area *area;

	ct_for_each_area(area)
		if (area->cma == cma)
			return area;
	return NULL;
}

static struct ct_area *ct_area_add(struct cma *cma, const char *name,
				   enum ct_route route)
{
	struct platform_device_info info = {
		.name = KBUILD_MODNAME,
		.id = ct_next_device,
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct platform_device *pdev;
	struct ct_area *area;

	area = kzalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return ERR_PTR(-ENOMEM);
	pdev = platform_device_register_full(&info);
	if (IS_ERR(pdev)) {
		kfree(area);
		return ERR_CAST(pdev);
	}
	ct_next_device++;
	area->dev = &pdev->dev;
	area->cma = cma;
	area->route = route;
	area->bounds = "unknown";
	strscpy(area->name, name, sizeof(area->name));
	if (cma)
		kml_cma_set_device_area(area->dev, cma);
	list_add_tail(&area->list, &ct_areas);
	return area;
}

static void ct_area_remove(struct ct_area *area)
{
	list_del(&area->list);
	platform_device_unregister(to_platform_device(area->dev));
	kfree(area);
}

/* -- allocation -- */

static int ct_run_alloc_cma(struct ct_run *run, unsigned int order)
{
	struct page *page;

	/* no_warn: the verdict says more than the kernel's log line */
	page = ct_cma.alloc(run->area->cma, run->pages, order, true);
	if (!page)
		return -ENOMEM;
	run->pfn = page_to_pfn(page);
	run->cpu = NULL;
	return 0;
}

/* Kernel address of the DMA API to page; it may be a remapped one. */
static unsigned long ct_dma_pfn(void *cpu, unsigned long i)
{
	void *addr = cpu + i * PAGE_SIZE;

	return is_vmalloc_addr(addr) ? vmalloc_to_pfn(addr) :
				       page_to_pfn(virt_to_page(addr));
}

static int ct_run_alloc_dma(struct ct_run *run, unsigned int mask_bits)
{
	struct device *dev = run->area->dev;
	size_t size = (size_t)run->pages << PAGE_SHIFT;
	int err;

	if (run->pages > SIZE_MAX >> PAGE_SHIFT)
		return -ENOMEM;
	mutex_lock(&ct_mask_lock);
	err = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(mask_bits));
	run->cpu = NULL;
	if (!err)
		run->cpu = dma_alloc_attrs(dev, size, &run->dma,
					   GFP_KERNEL | __GFP_NOWARN,
					   DMA_ATTR_NO_WARN);
	mutex_unlock(&ct_mask_lock);
	if (err)
		return kml_fail(&ct_verdict, -EOPNOTSUPP,
				"a device with a DMA mask of %u bits cannot reach this machine's memory",
				mask_bits);
	if (!run->cpu)
		return -ENOMEM;
	run->pfn = ct_dma_pfn(run->cpu, 0);
	return 0;
}

/**
 * ct_run_pfn - one page of a run
 * @run: the run
 * @i: which page
 *
 * Return: its page frame number; @run->pfn + @i if the run is contiguous.
 */
unsigned long ct_run_pfn(const struct ct_run *run, unsigned long i)
{
	return run->cpu ? ct_dma_pfn(run->cpu, i) : run->pfn + i;
}

/**
 * ct_run_alloc - allocate contiguous pages
 * @run: area and pages on entry, where they are on return
 * @order: alignment, honoured only by cma_alloc()
 * @via: which way
 * @mask_bits: width of the DMA mask, for the DMA API
 *
 * Context: process; may sleep.
 * Return: 0; -EOPNOTSUPP, explained, if cma_alloc() is asked for and cannot be
 * called, or if the mask is too narrow for this machine; -ENOMEM if there is no
 * memory.
 */
int ct_run_alloc(struct ct_run *run, unsigned int order, enum ct_via via,
		 unsigned int mask_bits)
{
	bool callable = ct_area_callable(run->area);

	if (via == CT_VIA_CMA && !callable)
		return kml_fail(&ct_verdict, -EOPNOTSUPP,
				"%s: cma_alloc() cannot be called on this kernel",
				run->area->name);
	if (via != CT_VIA_DMA && callable)
		return ct_run_alloc_cma(run, order);
	return ct_run_alloc_dma(run, mask_bits);
}

void ct_run_free(struct ct_run *run)
{
	if (run->cpu)
		dma_free_attrs(run->area->dev, (size_t)run->pages << PAGE_SHIFT,
			       run->cpu, run->dma, 0);
	else if (!ct_cma.release(run->area->cma, pfn_to_page(run->pfn),
				 run->pages))
		pr_err("%s: the kernel does not take back %lu pages at pfn %#lx\n",
		       run->area->name, run->pages, run->pfn);
}

/* -- discovery -- */

static struct {
	struct task_struct *task;
	unsigned long available;
	unsigned long total;
} ct_learn;

static void ct_learn_start(const char *name, unsigned long count,
			   unsigned long available, unsigned long total,
			   unsigned int align)
{
	if (current != ct_learn.task)
		return;
	ct_learn.available = available;
	ct_learn.total = total;
}

/* Does a pageblock belong to CMA, and to no area whose bounds are known? */
static bool ct_unclaimed(unsigned long pfn)
{
	return pfn_valid(pfn) && kml_pfn_is_cma(pfn) && !ct_area_of_pfn(pfn);
}

/*
 * No getter can be called: take a page from the area, and see how far the
 * pageblocks around it belong to CMA. Two areas may adjoin; the tracepoint's
 * count of the area's pages tells, where the kernel has it.
 */
static void ct_learn_bounds(struct ct_area *area)
{
	static const struct kml_cma_events events = { .start = ct_learn_start };
	struct ct_run probe = { .area = area, .pages = 2 };
	unsigned long step = pageblock_nr_pages, start, end;
	bool watching;

	ct_learn.task = current;
	ct_learn.total = ULONG_MAX;
	watching = !kml_cma_watch(&events);
	if (ct_run_alloc(&probe, 0, CT_VIA_BEST, 64))
		probe.pages = 0;
	if (watching)
		kml_cma_unwatch();
	if (!probe.pages)
		return;
	ct_run_free(&probe);
	if (!kml_pfn_is_cma(probe.pfn))
		return;

	start = round_down(probe.pfn, step);
	end = start + step;
	while (start >= step && ct_unclaimed(start - step))
		start -= step;
	while (ct_unclaimed(end))
		end += step;

	if (ct_learn.total == ULONG_MAX) {
		area->bounds = "pageblocks";
	} else if (end - start == ct_learn.total) {
		area->bounds = "pageblocks+count";
	} else if (ct_learn.available == ct_learn.total) {
		/* an empty area hands out its first page first */
		start = probe.pfn;
		end = start + ct_learn.total;
		area->bounds = "first-page+count";
	} else {
		area->bounds = "adjoining-areas";
	}
	area->base = start;
	area->pages = end - start;
}

static int ct_discover_cma(struct cma *cma, void *data)
{
	enum ct_route route = ct_cma.exported ? CT_EXPORTS : CT_RESOLVED;
	const char *name = ct_cma.name(cma);
	struct ct_area *area;

	if (ct_area_of_cma(cma))
		return 0;
	area = ct_area_add(cma, name, route);
	if (IS_ERR(area))
		return PTR_ERR(area);
	/*
	 * Areas for huge pages may consist of several ranges; cma_get_base()
	 * warns about those, and nobody can tell beforehand.
	 */
	if (!strncmp(name, "hugetlb", strlen("hugetlb")))
		return 0;
	if (ct_cma.base && ct_cma.size) {
		area->base = PHYS_PFN(ct_cma.base(cma));
		area->pages = ct_cma.size(cma) >> PAGE_SHIFT;
		area->bounds = "getters";
	}
	return 0;
}

#ifdef CONFIG_OF_RESERVED_MEM
static int ct_discover_device_tree(void)
{
	struct device_node *parent, *node;
	struct reserved_mem *rmem;
	struct ct_area *area;
	int err = 0;

	parent = of_find_node_by_path("/reserved-memory");
	for_each_available_child_of_node(parent, node) {
		if (!of_device_is_compatible(node, "shared-dma-pool") ||
		    !of_property_read_bool(node, "reusable"))
			continue;
		rmem = of_reserved_mem_lookup(node);
		if (!rmem || !rmem->priv)
			continue;
		area = ct_area_of_cma(rmem->priv);
		if (!area)
			area = ct_area_add(rmem->priv, rmem->name,
					   CT_DEVICE_TREE);
		if (IS_ERR(area)) {
			err = PTR_ERR(area);
			of_node_put(node);
			break;
		}
		if (!area->pages) {
			area->base = PHYS_PFN(rmem->base);
			area->pages = rmem->size >> PAGE_SHIFT;
			area->bounds = "device-tree";
		}
	}
	of_node_put(parent);
	return err;
}
#else
static int ct_discover_device_tree(void)
{
	return 0;
}
#endif

/*
 * The default area is the one that a device without an area of its own gets
 * memory from. Where nothing can be asked for it, such a device is made and
 * its memory looked at.
 */
static int ct_discover_default(void)
{
	struct ct_run probe = { .pages = 2 };
	struct ct_area *area, *found;

	if (ct_cma.of_device && ct_cma.alloc) {
		ct_default = ct_area_of_cma(ct_cma.of_device(NULL));
		return 0;
	}
	area = ct_area_add(NULL, "default", CT_DMA);
	if (IS_ERR(area))
		return PTR_ERR(area);
	probe.area = area;
	if (ct_run_alloc_dma(&probe, 64))
		goto unknown;
	ct_run_free(&probe);
	ct_for_each_area(found) {
		if (ct_area_has(found, probe.pfn, probe.pages)) {
			ct_default = found;
			ct_area_remove(area);
			return 0;
		}
	}
	ct_learn_bounds(area);
	if (area->pages) {
		ct_default = area;
		return 0;
	}
unknown:
	ct_area_remove(area);
	ct_default = ct_area_find("reserved");
	if (!ct_default)
		ct_default = ct_area_find("linux,cma");
	return 0;
}

static int ct_discover(void)
{
	struct ct_area *area;
	unsigned int i;
	struct cma *cma;
	int err = 0;

	if (ct_cma.alloc && ct_cma.name) {
		if (ct_cma.for_each)
			err = ct_cma.for_each(ct_discover_cma, NULL);
		for (i = 0; !err && ct_cma.by_index; i++) {
			cma = ct_cma.by_index(i);
			if (!cma)
				break;
			err = ct_discover_cma(cma, NULL);
		}
		if (!err && ct_cma.of_device && ct_cma.of_device(NULL))
			err = ct_discover_cma(ct_cma.of_device(NULL), NULL);
	}
	if (!err)
		err = ct_discover_device_tree();
	if (err)
		return err;
	ct_for_each_area(area)
		if (!area->pages)
			ct_learn_bounds(area);
	return ct_discover_default();
}

/**
 * ct_areas_init - find the areas
 * @resolve: may unexported functions be called through resolved addresses?
 * @default_name: the area of commands that name none; NULL or empty for the
 *		  kernel's default area
 *
 * Context: process; may sleep.
 * Return: 0; -ENODEV if there is no area, -ENOENT if @default_name is none.
 */
int ct_areas_init(bool resolve, const char *default_name)
{
	int err;

	kml_cma_find(&ct_cma, resolve);
	err = ct_discover();
	if (err)
		goto remove_areas;
	if (ct_default) {
		ct_default->is_default = true;
		/* a driver's device has no area of its own there */
		if (ct_cma.alloc)
			kml_cma_set_device_area(ct_default->dev, NULL);
	}
	if (default_name && *default_name) {
		ct_default = ct_area_find(default_name);
		if (!ct_default) {
			pr_err("area=%s: no such CMA area\n", default_name);
			err = -ENOENT;
			goto remove_areas;
		}
	}
	if (list_empty(&ct_areas)) {
		pr_err("no CMA area; boot with cma=SIZE to have one\n");
		err = -ENODEV;
		goto remove_areas;
	}
	return 0;

remove_areas:
	ct_areas_exit();
	return err;
}

void ct_areas_exit(void)
{
	struct ct_area *area, *next;

	list_for_each_entry_safe(area, next, &ct_areas, list)
		ct_area_remove(area);
	ct_default = NULL;
}
