// SPDX-License-Identifier: GPL-2.0
/*
 * Reaching the kernel's vmalloc areas.
 *
 * None of them is exported, so they are read where the kernel keeps them,
 * under its own lock, one area for each time that the lock is taken: whoever
 * calls vmalloc() meanwhile waits for one search of a tree and one copy, however
 * many areas there are. /proc/vmallocinfo, the only other source, formats and
 * symbolises a whole list under the same lock.
 *
 *  - Before 6.9 there is one tree under one lock, and the iterator behind
 *    /proc/vmallocinfo (struct seq_operations) takes that lock, gives the first
 *    area, and drops the lock again. From an area, the tree's root is reached by
 *    its parents.
 *  - From 6.9 on there is an array of nodes with a tree and a lock each. Where
 *    the kernel lists its data symbols (KALLSYMS_ALL) their addresses come from
 *    the kprobe code, which looks a symbol up before it refuses to put a probe on
 *    data. No unexported function is called, so IBT does not mind.
 *  - 32-bit kernels have a single node. Without data symbols it is met where the
 *    kernel passes it by reference: as an argument of insert_vmap_area().
 *
 * Before a tree is used it is looked at with reads that may fault, and then has
 * to contain an area that was made for that purpose. A kernel that passes
 * neither is one whose areas are hidden.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "vmalloc.h"

static const char *way = "none";

static struct vmap_area *first_behind(struct rb_node *node, unsigned long addr)
{
	struct vmap_area *found = NULL;

	while (node) {
		struct vmap_area *area = rb_entry(node, struct vmap_area, rb_node);

		if (area->va_end > addr) {
			found = area;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

#define VMAP_RAM	0x1	/* mm/vmalloc.c: vm_map_ram() owns the area */

static void copy_area(struct kml_vmap *to, const struct vmap_area *from,
		      enum kml_vmap_state state)
{
	const struct vm_struct *vm = state == KML_VMAP_BUSY ? from->vm : NULL;

	*to = (struct kml_vmap){ .start = from->va_start, .end = from->va_end };
	if (!vm) {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
		/* Linux 6.4, "mm/vmalloc.c: add flags to mark vm_map_ram area" */
		to->ram = state == KML_VMAP_BUSY && (from->flags & VMAP_RAM);
#else
		to->ram = state == KML_VMAP_BUSY;
#endif
		to->ready = to->ram;
		return;
	}
	to->described = true;
	to->ready = !(vm->flags & VM_UNINITIALIZED);
	/* pairs with smp_wmb() in clear_vm_uninitialized_flag() */
	smp_rmb();
	to->flags = vm->flags;
	to->nr_pages = vm->nr_pages;
	to->phys = vm->phys_addr;
	to->caller = vm->caller;
#ifdef CONFIG_HAVE_ARCH_HUGE_VMALLOC
	to->page_order = vm->page_order;
#endif
	to->vpages = is_vmalloc_addr(vm->pages);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
/*
 * "mm: vmalloc: remove global vmap_area_root rb-tree" made it many trees in 6.9.
 */

static const struct seq_operations *iterator;

static int find_way(void)
{
	struct seq_file *seq;
	struct file *file;
	int err = -EOPNOTSUPP;

	file = filp_open("/proc/vmallocinfo", O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	seq = file->private_data;
	/* the file itself, not what somebody has mounted in its place */
	if (file_inode(file)->i_sb->s_magic == PROC_SUPER_MAGIC &&
	    !strcmp(file->f_path.dentry->d_name.name, "vmallocinfo") &&
	    seq && seq->file == file && seq->op && seq->op->start &&
	    seq->op->stop) {
		/* constant data of the kernel: stays when the file is closed */
		iterator = seq->op;
		way = "iterator of /proc/vmallocinfo";
		err = 0;
	}
	filp_close(file, NULL);
	return err;
}

/**
 * kml_vmap_lists - how many lists the kernel keeps
 * @state: of which areas
 *
 * Return: their number; 0 where they are hidden.
 */
unsigned int kml_vmap_lists(enum kml_vmap_state state)
{
	/* freed areas are on a list that only /proc/vmallocinfo prints */
	return iterator && state == KML_VMAP_BUSY;
}

/**
 * kml_vmap_next - copy the first area that ends behind an address
 * @state: which lists
 * @list: which of kml_vmap_lists()
 * @addr: the address; an area's @end continues behind it
 * @area: the copy, valid where true is returned
 * @held: nanoseconds for which the kernel's lock was held
 *
 * Context: process; may sleep.
 * Return: whether there is one.
 */
bool kml_vmap_next(enum kml_vmap_state state, unsigned int list,
		   unsigned long addr, struct kml_vmap *area, u64 *held)
{
	struct vmap_area *found = NULL;
	struct seq_file seq = {};
	struct list_head *first;
	struct rb_node *node;
	loff_t pos = 0;
	u64 since;

	first = iterator->start(&seq, &pos);
	since = local_clock();
	if (first) {
		node = &list_entry(first, struct vmap_area, list)->rb_node;
		while (rb_parent(node))
			node = rb_parent(node);
		found = first_behind(node, addr);
		if (found)
			copy_area(area, found, state);
	}
	*held = local_clock() - since;
	iterator->stop(&seq, first);
	return found;
}

#else /* 6.9 and newer */

/* struct rb_list of mm/vmalloc.c */
struct area_list {
	struct rb_root root;
	struct list_head head;
	spinlock_t lock;	/* protects both */
};

/* struct vmap_node of mm/vmalloc.c, the same from 6.9 to 7.3 */
struct area_node {
	struct {
		struct list_head head;
		unsigned long len;
	} pool[256];
	spinlock_t pool_lock;		/* protects pool */
	bool skip_populate;
	struct area_list lists[2];	/* indexed by enum kml_vmap_state */
	struct list_head purge_list;
	struct work_struct purge_work;
	unsigned long nr_purged;
};

static struct area_node *nodes;
static unsigned int nr_nodes;
static struct area_list *single;

static struct area_list *get_list(enum kml_vmap_state state, unsigned int list)
{
	return nodes ? &nodes[list].lists[state] : &single[state];
}

/* Is this a tree with its list, or is it something else? */
static bool looks_right(const struct area_list *list)
{
	struct list_head head, neighbour;
	struct rb_node top;

	if (copy_from_kernel_nofault(&head, &list->head, sizeof(head)) ||
	    copy_from_kernel_nofault(&neighbour, head.next, sizeof(neighbour)) ||
	    neighbour.prev != &list->head ||
	    copy_from_kernel_nofault(&neighbour, head.prev, sizeof(neighbour)) ||
	    neighbour.next != &list->head)
		return false;
	if (!list->root.rb_node)
		return head.next == &list->head;
	return !copy_from_kernel_nofault(&top, list->root.rb_node, sizeof(top)) &&
	       !rb_parent(&top);
}

static bool contains(const void *addr)
{
	struct kml_vmap area;
	unsigned int i;
	u64 held;

	for (i = 0; i < kml_vmap_lists(KML_VMAP_BUSY); i++)
		if (!looks_right(get_list(KML_VMAP_BUSY, i)) ||
		    !looks_right(get_list(KML_VMAP_LAZY, i)))
			return false;
	for (i = 0; i < kml_vmap_lists(KML_VMAP_BUSY); i++)
		if (kml_vmap_next(KML_VMAP_BUSY, i, (unsigned long)addr, &area,
				  &held) && area.start == (unsigned long)addr)
			return true;
	return false;
}

#ifdef CONFIG_KPROBES
static void *address_of(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol };

	if (!register_kprobe(&probe)) {
		unregister_kprobe(&probe);
		return NULL;	/* a function by that name */
	}
	return probe.addr;
}
#else
static void *address_of(const char *symbol)
{
	return NULL;
}
#endif

static bool way_by_symbols(const void *proof)
{
	struct area_node **array = address_of("vmap_nodes");
	unsigned int *number = address_of("nr_vmap_nodes");

	if (!array || !number ||
	    copy_from_kernel_nofault(&nodes, array, sizeof(nodes)) ||
	    copy_from_kernel_nofault(&nr_nodes, number, sizeof(nr_nodes)))
		return false;
	if (nodes && nr_nodes && nr_nodes <= 128 && contains(proof)) {
		way = "vmap_nodes by its symbol";
		return true;
	}
	nodes = NULL;
	return false;
}

#if defined(CONFIG_ARM) && defined(CONFIG_KPROBES)
static struct task_struct *watched;

static int see_insert(struct kprobe *probe, struct pt_regs *regs)
{
	/* insert_vmap_area(va, &node->busy.root, &node->busy.head) */
	if (current == watched && !single &&
	    regs->ARM_r2 == regs->ARM_r1 + offsetof(struct area_list, head))
		single = (struct area_list *)regs->ARM_r1;
	return 0;
}

static bool way_by_argument(const void *proof)
{
	struct kprobe probe = {
		.symbol_name = "insert_vmap_area",
		.pre_handler = see_insert,
	};

	watched = current;
	if (register_kprobe(&probe))
		return false;
	vfree(vmalloc(PAGE_SIZE));
	unregister_kprobe(&probe);
	if (single && contains(proof)) {
		way = "the one vmap_node, seen as an argument";
		return true;
	}
	single = NULL;
	return false;
}
#else
static bool way_by_argument(const void *proof)
{
	return false;
}
#endif

static int find_way(void)
{
	void *proof = vmalloc(PAGE_SIZE);
	int err = 0;

	if (!proof)
		return -ENOMEM;
	if (!way_by_symbols(proof) && !way_by_argument(proof))
		err = -EOPNOTSUPP;
	vfree(proof);
	return err;
}

unsigned int kml_vmap_lists(enum kml_vmap_state state)
{
	return nodes ? nr_nodes : !!single;
}

bool kml_vmap_next(enum kml_vmap_state state, unsigned int list,
		   unsigned long addr, struct kml_vmap *area, u64 *held)
{
	struct area_list *tree = get_list(state, list);
	struct vmap_area *found;
	u64 since;

	spin_lock(&tree->lock);
	since = local_clock();
	found = first_behind(tree->root.rb_node, addr);
	if (found)
		copy_area(area, found, state);
	*held = local_clock() - since;
	spin_unlock(&tree->lock);
	return found;
}
#endif

/**
 * kml_vmap_init - find the way to this kernel's areas
 *
 * Context: process; may sleep.
 * Return: 0; -EOPNOTSUPP or another negative errno where they are hidden, and
 * kml_vmap_lists() then says that there are none.
 */
int kml_vmap_init(void)
{
	return find_way();
}

/**
 * kml_vmap_way - how the areas are reached
 *
 * Return: words for a report.
 */
const char *kml_vmap_way(void)
{
	return way;
}

/*
 * "mm/vmalloc: allow to set node and align in vrealloc", 6.18: the first exported
 * function that takes an alignment and, with GFP flags of the caller's, a node.
 */
#define HAVE_VREALLOC_NODE_ALIGN (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0))

/**
 * kml_vmalloc_can_align - does kml_vmalloc() take alignments above a page
 * @gfp: allocation flags
 * @huge: huge pages are welcome
 *
 * Return: whether it does. Otherwise an aligned block has to be found inside a
 * larger area.
 */
bool kml_vmalloc_can_align(gfp_t gfp, bool huge)
{
	return HAVE_VREALLOC_NODE_ALIGN && !huge && !(gfp & __GFP_DMA32);
}

/**
 * kml_vmalloc - vmalloc() with all that may be asked of it
 * @size: bytes, at least 1
 * @align: power of two; above a page only if kml_vmalloc_can_align()
 * @gfp: allocation flags
 * @node: NUMA node or NUMA_NO_NODE
 * @huge: huge pages are welcome
 *
 * Context: process; may sleep.
 * Return: the memory; NULL if there is none; ERR_PTR(-EOPNOTSUPP) where this
 * kernel exports no function for the combination.
 */
void *kml_vmalloc(unsigned long size, unsigned long align, gfp_t gfp, int node,
		  bool huge)
{
	/* __vmalloc() does not take zones any more in 7.3, if it ever should */
	if (gfp & __GFP_DMA32)
		return node == NUMA_NO_NODE && !huge ? vmalloc_32(size) :
						       ERR_PTR(-EOPNOTSUPP);
#if HAVE_VREALLOC_NODE_ALIGN
	if (huge)
		return vmalloc_huge_node(size, gfp, node);
	return vrealloc_node_align(NULL, size, align, gfp, node);
#else
	if (node != NUMA_NO_NODE) {
		if (huge || (gfp & ~(__GFP_NOWARN | __GFP_RETRY_MAYFAIL)) != GFP_KERNEL)
			return ERR_PTR(-EOPNOTSUPP);
		return vmalloc_node(size, node);
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
	/*
	 * 559089e0a93d ("vmalloc: replace VM_NO_HUGE_VMAP with
	 * VM_ALLOW_HUGE_VMAP", v5.18), in long-term kernels from 6.1 on
	 */
	if (huge)
		return vmalloc_huge(size, gfp);
#endif
	return __vmalloc(size, gfp);
#endif
}
