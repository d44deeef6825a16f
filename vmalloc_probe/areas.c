// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot of the kernel's vmalloc areas.
 *
 * The snapshot lives in single pages, so that looking at the vmalloc range does
 * not change it. Areas that come and go meanwhile are met or missed one by one.
 */
#include <linux/kallsyms.h>
#include <linux/list_sort.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "vp.h"

struct vp_chunk {
	struct list_head node;
	unsigned int used;
	struct vp_area areas[];
};

#define VP_CHUNK_AREAS \
	((PAGE_SIZE - sizeof(struct vp_chunk)) / sizeof(struct vp_area))

const char *const vp_kind_names[VP_KINDS] = {
	[VP_VMALLOC] = "vmalloc",
	[VP_VMAP] = "vmap",
	[VP_IOREMAP] = "ioremap",
	[VP_MAP_RAM] = "vm_map_ram",
	[VP_DMA] = "dma",
	[VP_MODULE] = "module",
	[VP_OTHER] = "other",
	[VP_LAZY] = "lazy",
};

static bool in_module_range(unsigned long addr)
{
#if defined(CONFIG_MODULES) && defined(MODULES_VADDR)
	return addr >= MODULES_VADDR && addr < MODULES_END;
#else
	return false;
#endif
}

static enum vp_kind kind_of(const struct kml_vmap *map)
{
	if (in_module_range(map->start))
		return VP_MODULE;
	if (map->ram)
		return VP_MAP_RAM;
	if (!map->ready)
		return VP_OTHER;
	if (map->flags & VM_IOREMAP)
		return VP_IOREMAP;
	if (map->flags & VM_DMA_COHERENT)
		return VP_DMA;
	if (map->flags & VM_ALLOC)
		return VP_VMALLOC;
	if (map->flags & VM_MAP)
		return VP_VMAP;
	return VP_OTHER;
}

/*
 * Modules fall back to the vmalloc range where their own is full, and on arm64
 * lie in it from the start: then only the caller tells.
 */
static bool calls_for_modules(const void *caller)
{
	static const char *const prefixes[] = {
		"module_alloc", "execmem_", "load_module", "move_module", "bpf_jit_",
	};
	char symbol[KSYM_SYMBOL_LEN];
	unsigned int i;

	if (!caller)
		return false;
	sprint_symbol(symbol, (unsigned long)caller);
	for (i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strstarts(symbol, prefixes[i]))
			return true;
	return false;
}

static struct vp_area *add_area(struct vp_snapshot *snapshot)
{
	struct vp_chunk *chunk;

	chunk = list_first_entry_or_null(&snapshot->chunks, struct vp_chunk, node);
	if (!chunk || chunk->used == VP_CHUNK_AREAS) {
		chunk = (void *)get_zeroed_page(GFP_KERNEL);
		if (!chunk)
			return NULL;
		list_add(&chunk->node, &snapshot->chunks);
	}
	snapshot->nr++;
	return &chunk->areas[chunk->used++];
}

static int gather(struct vp_snapshot *snapshot, enum kml_vmap_state state)
{
	struct vp_area *area;
	struct kml_vmap map;
	unsigned long addr;
	unsigned int list;
	u64 held;

	for (list = 0; list < kml_vmap_lists(state); list++) {
		for (addr = 0; kml_vmap_next(state, list, addr, &map, &held);
		     addr = map.end) {
			snapshot->held_sum += held;
			snapshot->held_max = max(snapshot->held_max, held);
			area = add_area(snapshot);
			if (!area)
				return -ENOMEM;
			area->map = map;
			area->kind = state == KML_VMAP_LAZY ? VP_LAZY : kind_of(&map);
			list_add_tail(&area->node, &snapshot->areas);
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
	}
	return 0;
}

static int by_address(void *priv, const struct list_head *a,
		      const struct list_head *b)
{
	return list_entry(a, struct vp_area, node)->map.start >
	       list_entry(b, struct vp_area, node)->map.start;
}

static int by_caller(void *priv, const struct list_head *a,
		     const struct list_head *b)
{
	return list_entry(a, struct vp_area, node)->map.caller >
	       list_entry(b, struct vp_area, node)->map.caller;
}

static int by_bytes(void *priv, const struct list_head *a,
		    const struct list_head *b)
{
	return list_entry(a, struct vp_area, caller_node)->caller_bytes <
	       list_entry(b, struct vp_area, caller_node)->caller_bytes;
}

static void sum_callers(struct vp_snapshot *snapshot)
{
	struct vp_area *first = NULL, *area;
	bool module = false;

	list_sort(NULL, &snapshot->areas, by_caller);
	list_for_each_entry(area, &snapshot->areas, node) {
		if (area->kind == VP_LAZY)
			continue;
		if (!first || area->map.caller != first->map.caller) {
			first = area;
			module = calls_for_modules(area->map.caller);
			list_add_tail(&first->caller_node, &snapshot->callers);
		}
		if (module)
			area->kind = VP_MODULE;
		first->caller_areas++;
		first->caller_bytes += vp_area_size(area);
		first->caller_pages += area->map.nr_pages;
	}
	list_sort(NULL, &snapshot->callers, by_bytes);
}

/**
 * vp_snapshot_take - look at every area once
 *
 * Context: process; may sleep. No lock is held from one area to the next.
 * Return: the snapshot, for vp_snapshot_free(); ERR_PTR: -ENOMEM, -EINTR when
 * the caller is being killed.
 */
struct vp_snapshot *vp_snapshot_take(void)
{
	struct vp_snapshot *snapshot;
	int err;

	snapshot = kzalloc(sizeof(*snapshot), GFP_KERNEL);
	if (!snapshot)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&snapshot->areas);
	INIT_LIST_HEAD(&snapshot->callers);
	INIT_LIST_HEAD(&snapshot->chunks);

	err = gather(snapshot, KML_VMAP_BUSY);
	if (!err)
		err = gather(snapshot, KML_VMAP_LAZY);
	if (err) {
		vp_snapshot_free(snapshot);
		return ERR_PTR(err);
	}
	sum_callers(snapshot);
	list_sort(NULL, &snapshot->areas, by_address);
	return snapshot;
}

/**
 * vp_snapshot_free - forget a snapshot
 * @snapshot: what vp_snapshot_take() returned
 */
void vp_snapshot_free(struct vp_snapshot *snapshot)
{
	struct vp_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &snapshot->chunks, node)
		free_page((unsigned long)chunk);
	kfree(snapshot);
}

/**
 * vp_area_at - find the area in use that starts at an address
 * @addr: the address
 * @area: its copy, valid where true is returned
 *
 * Return: whether there is one; false too where areas are hidden.
 */
bool vp_area_at(const void *addr, struct kml_vmap *area)
{
	unsigned int list;
	u64 held;

	for (list = 0; list < kml_vmap_lists(KML_VMAP_BUSY); list++)
		if (kml_vmap_next(KML_VMAP_BUSY, list, (unsigned long)addr, area,
				  &held) && area->start == (unsigned long)addr)
			return true;
	return false;
}

/**
 * vp_own_areas - count the areas in use that this module asked for
 *
 * Return: their number; 0 where areas are hidden.
 */
unsigned long vp_own_areas(void)
{
	struct kml_vmap map;
	unsigned long addr, nr = 0;
	unsigned int list;
	u64 held;

	for (list = 0; list < kml_vmap_lists(KML_VMAP_BUSY); list++)
		for (addr = 0; kml_vmap_next(KML_VMAP_BUSY, list, addr, &map, &held);
		     addr = map.end) {
			nr += within_module((unsigned long)map.caller, THIS_MODULE);
			cond_resched();
		}
	return nr;
}
