// SPDX-License-Identifier: GPL-2.0
/* vmalloc'ed memory that knows what it should contain. */
#include <linux/random.h>
#include <linux/sched.h>

#include "vp.h"

/* Every word of the block differs from its neighbours and from other blocks'. */
static u64 word_at(const struct vp_memory *memory, unsigned long index)
{
	return memory->seed + index * 0x9e3779b97f4a7c15ULL;
}

#define VP_PAGE_WORDS	(PAGE_SIZE / sizeof(u64))

static void write_pattern(const struct vp_memory *memory)
{
	u64 *word = vp_memory_block(memory);
	unsigned long i, words = memory->size / sizeof(u64);

	for (i = 0; i < words; i++) {
		word[i] = word_at(memory, i);
		if (i % VP_PAGE_WORDS == 0)
			cond_resched();
	}
}

/**
 * vp_memory_get - vmalloc() a block and write its pattern
 * @memory: filled in on success, for vp_memory_put()
 * @request: what is wanted
 *
 * An alignment that this kernel's functions do not take is found inside a larger
 * area; the block's guard page then is that area's.
 *
 * Context: process; may sleep.
 * Return: 0; -ENOMEM: there is no memory, or the range has no such hole;
 * -EOPNOTSUPP: this kernel cannot do the combination.
 */
int vp_memory_get(struct vp_memory *memory, const struct vp_request *request)
{
	u64 size = ALIGN(request->size, PAGE_SIZE), area = size;
	unsigned long align = request->align;
	void *base;

	if (size < request->size || request->align > VP_END - VP_START)
		return -ENOMEM;
	if (align > PAGE_SIZE && !kml_vmalloc_can_align(request->gfp, request->huge)) {
		area += align - PAGE_SIZE;
		align = PAGE_SIZE;
	}
	/* VM-2, and without the complaint that some kernels make of it */
	if (area < size || area >> PAGE_SHIFT > totalram_pages() ||
	    area > VP_END - VP_START)
		return -ENOMEM;

	base = kml_vmalloc(area, align, request->gfp, request->node, request->huge);
	if (IS_ERR_OR_NULL(base))
		return base ? PTR_ERR(base) : -ENOMEM;

	memory->mask = request->unreferenced ? ~0UL : 0;
	memory->base = (unsigned long)base ^ memory->mask;
	memory->offset = ALIGN((unsigned long)base, (unsigned long)request->align) -
			 (unsigned long)base;
	memory->size = size;
	memory->seed = get_random_u64();
	write_pattern(memory);
	return 0;
}

/**
 * vp_memory_check - is the pattern still what was written
 * @memory: the block
 *
 * Context: process; may sleep.
 * Return: 0, or -EIO with the first difference in the log.
 */
int vp_memory_check(const struct vp_memory *memory)
{
	const u64 *word = vp_memory_block(memory);
	unsigned long i, words = memory->size / sizeof(u64);

	for (i = 0; i < words; i++) {
		if (unlikely(word[i] != word_at(memory, i))) {
			pr_err_ratelimited("byte %lu of %lu: found %016llx instead of %016llx\n",
					   (unsigned long)(i * sizeof(u64)),
					   memory->size, word[i], word_at(memory, i));
			return -EIO;
		}
		if (i % VP_PAGE_WORDS == 0)
			cond_resched();
	}
	return 0;
}

/**
 * vp_memory_corrupt - flip a bit, so that verification has something to find
 * @memory: the block
 * @byte: where
 */
void vp_memory_corrupt(const struct vp_memory *memory, unsigned long byte)
{
	((u8 *)vp_memory_block(memory))[byte] ^= 1;
}

/**
 * vp_memory_put - verify a block and vfree() it
 * @memory: the block; gone afterwards
 *
 * Context: process; may sleep.
 * Return: 0, or -EIO if the block did not contain what was written.
 */
int vp_memory_put(struct vp_memory *memory)
{
	int err = vp_memory_check(memory);

	vfree(vp_memory_base(memory));
	return err;
}
