// SPDX-License-Identifier: GPL-2.0
/* Allocations by name: made, listed, looked at page by page, given back. */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "vp.h"

/**
 * struct vp_alloc - an allocation
 * @node: in allocs
 * @name: its name
 * @memory: the memory, if @fill is NULL
 * @fill: the areas of a filling
 * @size: bytes asked for; of one area for a filling
 * @area: bytes of the range that it takes, 0 where that is hidden
 * @pages: pages of memory
 * @runs: physically contiguous runs that these form
 * @longest: pages of the longest
 * @order: order of the pages behind it
 * @per_node: pages on each of the first nodes
 * @born: when, in ns since boot
 * @pid: by whom
 * @comm: by whom
 */
struct vp_alloc {
	struct list_head node;
	char name[KML_NAME_MAX + 1];
	struct vp_memory memory;
	struct vp_fill *fill;
	u64 size;
	unsigned long area;
	unsigned long pages;
	unsigned long runs;
	unsigned long longest;
	unsigned int order;
	unsigned long per_node[VP_NODES];
	u64 born;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

#define VP_FILL_MAX	1000000
#define VP_FILL_COST	512	/* bytes that the kernel and we keep of an area */

static DEFINE_MUTEX(lock);	/* protects all of the following */
static LIST_HEAD(allocs);
static unsigned int nr_allocs;
static unsigned int last_number;
static char dump_name[KML_NAME_MAX + 1];

static struct vp_alloc *find(const char *name)
{
	struct vp_alloc *alloc;

	lockdep_assert_held(&lock);
	list_for_each_entry(alloc, &allocs, node)
		if (!strcmp(alloc->name, name))
			return alloc;
	return NULL;
}

static int no_allocation(const char *name)
{
	return kml_fail(&vp_verdict, -ENOENT, "no allocation '%s'", name);
}

/* May this name be taken? Asked before the work, and again when it is done. */
static int name_is_free(const char *name)
{
	lockdep_assert_held(&lock);
	if (nr_allocs >= VP_ALLOCS_MAX)
		return kml_fail(&vp_verdict, -ENOSPC, "%d allocations already",
				VP_ALLOCS_MAX);
	if (find(name))
		return kml_fail(&vp_verdict, -EEXIST, "'%s' exists", name);
	return 0;
}

static void choose_name(char *name)
{
	lockdep_assert_held(&lock);
	do {
		snprintf(name, KML_NAME_MAX + 1, "v%u", ++last_number);
	} while (find(name));
}

static int publish(struct vp_alloc *alloc, const char *name)
{
	int err = mutex_lock_killable(&lock);

	if (err)
		return err;
	if (*name)
		strscpy(alloc->name, name, sizeof(alloc->name));
	else
		choose_name(alloc->name);
	err = name_is_free(alloc->name);
	if (!err) {
		list_add_tail(&alloc->node, &allocs);
		nr_allocs++;
	}
	mutex_unlock(&lock);
	return err;
}

static int check_name(const char *name)
{
	int err = mutex_lock_killable(&lock);

	if (err)
		return err;
	err = name_is_free(name);
	mutex_unlock(&lock);
	return err;
}

static struct vp_alloc *new_alloc(u64 size)
{
	struct vp_alloc *alloc = kzalloc(sizeof(*alloc), GFP_KERNEL);

	if (!alloc)
		return NULL;
	alloc->size = size;
	alloc->born = ktime_get_boottime_ns();
	alloc->pid = task_tgid_nr(current);
	get_task_comm(alloc->comm, current);
	return alloc;
}

static void survey(struct vp_alloc *alloc)
{
	unsigned long i, pfn, run = 0, last = 0;
	struct kml_vmap area;
	struct page *page;

	alloc->pages = alloc->memory.size >> PAGE_SHIFT;
	for (i = 0; i < alloc->pages; i++) {
		page = vmalloc_to_page(vp_memory_block(&alloc->memory) + i * PAGE_SIZE);
		pfn = page_to_pfn(page);
		run = i && pfn == last + 1 ? run + 1 : 1;
		alloc->runs += run == 1;
		alloc->longest = max(alloc->longest, run);
		alloc->per_node[min(page_to_nid(page), VP_NODES - 1)]++;
		last = pfn;
		if (i % 1024 == 0)
			cond_resched();
	}
	if (vp_area_at(vp_memory_base(&alloc->memory), &area)) {
		alloc->area = area.end - area.start;
		alloc->order = area.page_order;
	}
}

/**
 * vp_alloc - vmalloc() memory under a name
 * @request: what is wanted
 *
 * Context: process; may sleep.
 * Return: 0 or a negative errno that vp_verdict explains.
 */
int vp_alloc(struct vp_request *request)
{
	struct vp_alloc *alloc;
	int err = check_name(request->name);

	if (err)
		return err;
	alloc = new_alloc(request->size);
	if (!alloc)
		return -ENOMEM;
	err = vp_memory_get(&alloc->memory, request);
	if (err) {
		kml_fail(&vp_verdict, err, err == -EOPNOTSUPP ?
			 "this kernel exports no vmalloc with this combination (size %llu)" :
			 "no memory, or no hole in the range, for %llu bytes",
			 request->size);
		goto free_alloc;
	}
	survey(alloc);
	err = publish(alloc, request->name);
	if (!err)
		return 0;
	vp_memory_put(&alloc->memory);

free_alloc:
	kfree(alloc);
	return err;
}

/**
 * vp_fill - take many areas under one name
 * @size: bytes of each
 * @count: how many; 0: until there are no more
 * @name: name, or "" for one of our choice
 *
 * Context: process; may sleep.
 * Return: 0 or a negative errno that vp_verdict explains.
 */
int vp_fill(u64 size, u64 count, const char *name)
{
	struct vp_alloc *alloc;
	u64 memory;
	int err = check_name(name);

	if (err)
		return err;
	if (size > VP_END - VP_START)
		return kml_fail(&vp_verdict, -ENOMEM,
				"%llu bytes; the whole range has %lu", size,
				VP_END - VP_START);
	if (count > VP_FILL_MAX)
		return kml_fail(&vp_verdict, -ERANGE, "%llu areas; at most %d", count,
				VP_FILL_MAX);
	/* vmap() does not hesitate to use up the memory for page tables */
	memory = (u64)max(si_mem_available(), 0L) * PAGE_SIZE / 2;
	if (VP_FILL_COST + (size >> PAGE_SHIFT) * sizeof(pte_t) >
	    div64_u64(memory, count ?: 1))
		return kml_fail(&vp_verdict, -ENOMEM,
				"%llu areas of %llu bytes take too much memory for page tables",
				count, size);
	alloc = new_alloc(size);
	if (!alloc)
		return -ENOMEM;
	alloc->fill = vp_fill_take(ALIGN(size, PAGE_SIZE), count);
	if (IS_ERR(alloc->fill)) {
		err = kml_fail(&vp_verdict, PTR_ERR(alloc->fill),
			       "fewer than %llu areas of %llu bytes fit",
			       count ?: 1, size);
		goto free_alloc;
	}
	alloc->area = alloc->fill->nr * (alloc->fill->size + PAGE_SIZE);
	alloc->pages = 1;
	err = publish(alloc, name);
	if (!err)
		return 0;
	vp_fill_free(alloc->fill);

free_alloc:
	kfree(alloc);
	return err;
}

/* Verify and give back what is on no list any more. */
static int destroy(struct vp_alloc *alloc)
{
	int err = alloc->fill ? vp_fill_free(alloc->fill) :
				vp_memory_put(&alloc->memory);

	if (err)
		kml_fail(&vp_verdict, err, "'%s' did not contain what was written",
			 alloc->name);
	kfree(alloc);
	return err;
}

/**
 * vp_free - verify an allocation and give it back
 * @name: its name
 *
 * Context: process; may sleep.
 * Return: 0; -ENOENT; -EINTR; -EIO: given back, but it did not contain what was
 * written.
 */
int vp_free(const char *name)
{
	struct vp_alloc *alloc;
	int err = mutex_lock_killable(&lock);

	if (err)
		return err;
	alloc = find(name);
	if (alloc) {
		list_del(&alloc->node);
		nr_allocs--;
	}
	mutex_unlock(&lock);
	return alloc ? destroy(alloc) : no_allocation(name);
}

/**
 * vp_free_all - verify all allocations and give them back
 *
 * Context: process; may sleep.
 * Return: 0, or -EIO if one of them did not contain what was written.
 */
int vp_free_all(void)
{
	struct vp_alloc *alloc, *next;
	LIST_HEAD(list);
	int err = 0;

	mutex_lock(&lock);
	list_splice_init(&allocs, &list);
	nr_allocs = 0;
	mutex_unlock(&lock);
	list_for_each_entry_safe(alloc, next, &list, node)
		err = destroy(alloc) ?: err;
	return err;
}

static int corrupt(struct vp_alloc *alloc, const u64 *at)
{
	u64 size = alloc->memory.size, byte = at ? *at : size / 2;

	if (alloc->fill) {
		if (at)
			return kml_fail(&vp_verdict, -EINVAL,
					"of '%s' all areas are marked alike",
					alloc->name);
		vp_fill_corrupt(alloc->fill);
		return 0;
	}
	if (byte >= size)
		return kml_fail(&vp_verdict, -ERANGE, "'%s' ends at byte %llu",
				alloc->name, size);
	vp_memory_corrupt(&alloc->memory, byte);
	return 0;
}

/**
 * vp_corrupt - flip a bit, so that verification has something to find
 * @name: the allocation
 * @at: in which byte; NULL: in the middle
 *
 * Context: process; may sleep.
 * Return: 0, -ENOENT, -ERANGE, -EINVAL for a byte of a filling, -EINTR.
 */
int vp_corrupt(const char *name, const u64 *at)
{
	struct vp_alloc *alloc;
	int err = mutex_lock_killable(&lock);

	if (err)
		return err;
	alloc = find(name);
	err = alloc ? corrupt(alloc, at) : no_allocation(name);
	mutex_unlock(&lock);
	return err;
}

/**
 * vp_allocs_show - print all allocations, one a line
 * @m: where to
 */
void vp_allocs_show(struct seq_file *m)
{
	struct vp_alloc *alloc;
	unsigned int i;

	mutex_lock(&lock);
	list_for_each_entry(alloc, &allocs, node) {
		seq_printf(m, "allocation name=%s size=%llu areas=%lu", alloc->name,
			   alloc->size, alloc->fill ? alloc->fill->nr : 1);
		if (alloc->area)
			seq_printf(m, " range=%lu", alloc->area);
		else
			seq_puts(m, " range=hidden");
		if (!alloc->fill) {
			if (alloc->area)
				seq_printf(m, " slack=%lu guard=%lu",
					   alloc->area - alloc->memory.size - PAGE_SIZE,
					   PAGE_SIZE);
			seq_printf(m, " pages=%lu runs=%lu longest_run=%lu huge_pages=%lu",
				   alloc->pages, alloc->runs, alloc->longest,
				   alloc->order ? alloc->pages >> alloc->order : 0);
			for (i = 0; i < VP_NODES; i++)
				if (alloc->per_node[i])
					seq_printf(m, " N%u=%lu", i, alloc->per_node[i]);
			seq_printf(m, " address=%pK", vp_memory_block(&alloc->memory));
		}
		seq_printf(m, " age_ms=%llu pid=%d comm=",
			   div_u64(ktime_get_boottime_ns() - alloc->born, NSEC_PER_MSEC),
			   alloc->pid);
		seq_escape(m, alloc->comm, " \t\n\\");
		seq_putc(m, '\n');
	}
	mutex_unlock(&lock);
}

/**
 * vp_dump_select - choose the allocation that the dump report shows
 * @name: its name
 *
 * Return: 0, -ENOENT, -EINVAL for a filling, -EINTR.
 */
int vp_dump_select(const char *name)
{
	struct vp_alloc *alloc;
	int err = mutex_lock_killable(&lock);

	if (err)
		return err;
	alloc = find(name);
	if (!alloc)
		err = no_allocation(name);
	else if (alloc->fill)
		err = kml_fail(&vp_verdict, -EINVAL,
			       "the areas of '%s' share a page", name);
	else
		strscpy(dump_name, name, sizeof(dump_name));
	mutex_unlock(&lock);
	return err;
}

/*
 * The dump holds the lock while one buffer is filled, not while that is copied
 * to the reader; an allocation that is freed in between ends it.
 */
static void *dump_start(struct seq_file *m, loff_t *pos)
{
	struct vp_alloc *alloc;

	mutex_lock(&lock);
	alloc = find(dump_name);
	m->private = alloc;
	if (!alloc || *pos > alloc->pages)
		return NULL;
	return pos;
}

static void *dump_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct vp_alloc *alloc = m->private;

	return ++*pos > alloc->pages ? NULL : pos;
}

static void dump_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&lock);
}

static int dump_show(struct seq_file *m, void *v)
{
	struct vp_alloc *alloc = m->private;
	unsigned long index = *(loff_t *)v;
	struct page *page;

	if (!index) {
		seq_printf(m, "# %s: page pfn node order\n", alloc->name);
		return 0;
	}
	index--;
	page = vmalloc_to_page(vp_memory_block(&alloc->memory) + index * PAGE_SIZE);
	seq_printf(m, "%lu 0x%lx %d %u\n", index, page_to_pfn(page),
		   page_to_nid(page), alloc->order);
	return 0;
}

const struct seq_operations vp_dump_ops = {
	.start = dump_start,
	.next = dump_next,
	.stop = dump_stop,
	.show = dump_show,
};
