// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds what: a record for every live CMA allocation since the module was
 * loaded, whoever made it, in a tree by page frame number.
 *
 * Records are written from tracepoints, where nothing may be allocated (on
 * PREEMPT_RT not even without waiting): they come from a pool that a work item
 * refills. If the pool is empty the record is lost, and counted as lost. Stacks
 * are kept in the records, not in the stack depot: the depot never gives memory
 * back, and may allocate.
 */

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/workqueue.h>

#include "cma_test.h"

#define CT_STACK	10	/* frames of a call stack that are kept */
#define CT_STACK_SKIP	3	/* the probe's own frames */
#define CT_POOL		512	/* records ready for use */

/**
 * struct ct_owner - a live allocation
 * @node: in ct_tree by @pfn; ranges do not overlap
 * @list: in ct_pool while it is unused
 * @area: whose pages
 * @pfn: first page
 * @pages: how many
 * @since: ns since boot
 * @pid: who
 * @comm: who
 * @depth: frames in @stack
 * @stack: from where
 */
struct ct_owner {
	union {
		struct rb_node node;
		struct list_head list;
	};
	const struct ct_area *area;
	unsigned long pfn;
	unsigned long pages;
	u64 since;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	unsigned int depth;
	unsigned long stack[CT_STACK];
};

static struct rb_root ct_tree = RB_ROOT;
static LIST_HEAD(ct_pool);
static unsigned int ct_pool_size;

static void ct_pool_refill(struct work_struct *work);
static DECLARE_WORK(ct_pool_work, ct_pool_refill);

static void ct_pool_put(struct ct_owner *owner)
{
	lockdep_assert_held(&ct_track_lock);
	list_add(&owner->list, &ct_pool);
	ct_pool_size++;
}

static struct ct_owner *ct_pool_get(void)
{
	struct ct_owner *owner;

	lockdep_assert_held(&ct_track_lock);
	if (ct_pool_size < CT_POOL / 2)
		schedule_work(&ct_pool_work);
	owner = list_first_entry_or_null(&ct_pool, struct ct_owner, list);
	if (owner) {
		list_del(&owner->list);
		ct_pool_size--;
	}
	return owner;
}

static void ct_pool_refill(struct work_struct *work)
{
	struct ct_owner *owner;
	unsigned long flags;

	while (READ_ONCE(ct_pool_size) < CT_POOL) {
		owner = kmalloc(sizeof(*owner), GFP_KERNEL | __GFP_NOWARN);
		if (!owner)
			return;
		raw_spin_lock_irqsave(&ct_track_lock, flags);
		ct_pool_put(owner);
		raw_spin_unlock_irqrestore(&ct_track_lock, flags);
	}
}

int ct_owners_init(void)
{
	ct_pool_refill(NULL);
	if (ct_pool_size < CT_POOL) {
		ct_owners_exit();
		return -ENOMEM;
	}
	return 0;
}

/* Nothing is tracked any more. */
void ct_owners_exit(void)
{
	struct ct_owner *owner, *next;

	cancel_work_sync(&ct_pool_work);
	rbtree_postorder_for_each_entry_safe(owner, next, &ct_tree, node)
		kfree(owner);
	ct_tree = RB_ROOT;
	list_for_each_entry_safe(owner, next, &ct_pool, list)
		kfree(owner);
	INIT_LIST_HEAD(&ct_pool);
	ct_pool_size = 0;
}

/* The first record that ends behind @pfn. */
static struct ct_owner *ct_owner_from(unsigned long pfn)
{
	struct rb_node *node = ct_tree.rb_node;
	struct ct_owner *owner, *found = NULL;

	lockdep_assert_held(&ct_track_lock);
	while (node) {
		owner = rb_entry(node, struct ct_owner, node);
		if (owner->pfn + owner->pages > pfn) {
			found = owner;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static void ct_owner_insert(struct ct_owner *new)
{
	struct rb_node **link = &ct_tree.rb_node, *parent = NULL;

	lockdep_assert_held(&ct_track_lock);
	while (*link) {
		parent = *link;
		if (new->pfn < rb_entry(parent, struct ct_owner, node)->pfn)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &ct_tree);
}

/*
 * Part of an allocation, or several, will do. False if a record was lost: an
 * allocation fell in two and there was none left for its second part.
 */
static bool ct_owner_remove(unsigned long pfn, unsigned long pages)
{
	unsigned long end = pfn + pages, owner_end;
	struct ct_owner *owner, *rest;

	while ((owner = ct_owner_from(pfn)) && owner->pfn < end) {
		owner_end = owner->pfn + owner->pages;
		if (owner->pfn < pfn) {
			owner->pages = pfn - owner->pfn;
			if (owner_end <= end)
				continue;
			rest = ct_pool_get();
			if (!rest)
				return false;
			*rest = *owner;
			rest->pfn = end;
			rest->pages = owner_end - end;
			ct_owner_insert(rest);
			return true;
		}
		if (owner_end > end) {
			/* the order in the tree stays the same */
			owner->pages = owner_end - end;
			owner->pfn = end;
			return true;
		}
		rb_erase(&owner->node, &ct_tree);
		ct_pool_put(owner);
	}
	return true;
}

/**
 * ct_owner_add - somebody, the current task, got pages
 * @area: whose
 * @pfn: first page
 * @pages: how many
 *
 * Context: any; ct_track_lock held.
 * Return: false if there was no record left for it.
 */
bool ct_owner_add(const struct ct_area *area, unsigned long pfn,
		  unsigned long pages)
{
	struct ct_owner *owner;

	/* what is handed out now was given back, even if that was not seen */
	ct_owner_remove(pfn, pages);
	owner = ct_pool_get();
	if (!owner)
		return false;
	owner->area = area;
	owner->pfn = pfn;
	owner->pages = pages;
	owner->since = ktime_get_ns();
	owner->pid = task_tgid_nr(current);
	memcpy(owner->comm, current->comm, sizeof(owner->comm));
	owner->depth = stack_trace_save(owner->stack, CT_STACK, CT_STACK_SKIP);
	ct_owner_insert(owner);
	return true;
}

/**
 * ct_owner_release - pages were given back
 * @pfn: first page
 * @pages: how many; part of an allocation, or several, will do
 *
 * The kernel says so when the pages are free already: somebody else may have
 * them by now, and a record that says so. Then all of them are taken, while
 * those that were given back are free, or borrowed, or most of them are.
 *
 * Context: any; ct_track_lock held.
 * Return: false if a record was lost, as there was none left for the second part
 * of an allocation.
 */
bool ct_owner_release(unsigned long pfn, unsigned long pages)
{
	unsigned long end = pfn + pages, start;
	struct ct_owner *owner;
	bool ok = true;

	while ((owner = ct_owner_from(pfn)) && owner->pfn < end) {
		start = max(owner->pfn, pfn);
		pfn = min(owner->pfn + owner->pages, end);
		if (!ct_pages_taken(start, pfn - start))
			ok &= ct_owner_remove(start, pfn - start);
	}
	return ok;
}

/**
 * ct_owner_covers - is a page known to be allocated?
 * @pfn: the page
 *
 * Context: any.
 * Return: pages of its allocation from @pfn on, 0 if it is in none.
 */
unsigned long ct_owner_covers(unsigned long pfn)
{
	struct ct_owner *owner;
	unsigned long flags, pages = 0;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	owner = ct_owner_from(pfn);
	if (owner && owner->pfn <= pfn)
		pages = owner->pfn + owner->pages - pfn;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
	return pages;
}

/* A copy of the first record that ends behind @pfn. */
static bool ct_owner_copy(unsigned long pfn, struct ct_owner *copy)
{
	struct ct_owner *owner;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	owner = ct_owner_from(pfn);
	if (owner)
		*copy = *owner;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
	return owner;
}

/**
 * ct_owner_largest - the largest allocation of an area
 * @area: the area
 * @holder: filled in
 *
 * Context: process.
 */
void ct_owner_largest(const struct ct_area *area, struct ct_holder *holder)
{
	unsigned long pfn = area->base;
	struct ct_owner owner;

	holder->pages = 0;
	while (ct_owner_copy(pfn, &owner) &&
	       owner.pfn < area->base + area->pages) {
		pfn = owner.pfn + owner.pages;
		if (owner.pages <= holder->pages)
			continue;
		holder->pfn = owner.pfn;
		holder->pages = owner.pages;
		holder->pid = owner.pid;
		memcpy(holder->comm, owner.comm, sizeof(holder->comm));
	}
}

/* Allocated, but by nobody who was seen: before the load, if nobody was missed. */
static void ct_unseen_show(void *arg, unsigned long pfn, unsigned long pages,
			   enum ct_class class)
{
	unsigned long end = pfn + pages, covered;
	struct seq_file *m = arg;

	if (class != CT_ALLOCATED)
		return;
	for (; pfn < end; pfn += covered) {
		unsigned long start = pfn;

		covered = ct_owner_covers(pfn);
		if (covered)
			continue;
		while (pfn < end && !ct_owner_covers(pfn))
			pfn++;
		seq_printf(m, "area=%s pfn=%#lx pages=%lu age=%s pid=- comm=- stack=-\n",
			   ct_area_of_pfn(start)->name, ct_shown_pfn(m, start),
			   pfn - start,
			   ct_all_watched() ? "before-load" : "unknown");
	}
}

/**
 * ct_owners_show - print every live allocation
 * @m: where to
 */
void ct_owners_show(struct seq_file *m)
{
	struct ct_owner owner;
	struct ct_area *area;
	unsigned long pfn = 0;
	unsigned int i;
	u64 now;

	seq_printf(m, "# owners lost=%llu\n", ct_lost());
	while (ct_owner_copy(pfn, &owner)) {
		pfn = owner.pfn + owner.pages;
		now = ktime_get_ns();
		seq_printf(m, "area=%s pfn=%#lx pages=%lu age=%llums pid=%d comm=",
			   owner.area ? owner.area->name : "?",
			   ct_shown_pfn(m, owner.pfn), owner.pages,
			   div_u64(now - min(owner.since, now), NSEC_PER_MSEC),
			   owner.pid);
		seq_escape(m, owner.comm, " \t\n\\");
		seq_puts(m, " stack=");
		for (i = 0; i < owner.depth; i++)
			seq_printf(m, "%s%pS", i ? "<" : "",
				   (void *)owner.stack[i]);
		seq_putc(m, '\n');
	}
	ct_for_each_area(area)
		ct_scan(area, ct_unseen_show, m);
}
