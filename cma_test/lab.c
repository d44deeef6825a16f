// SPDX-License-Identifier: GPL-2.0
/*
 * The failure laboratory: real pages inside an area, held so that they cannot
 * move, as a driver or a filesystem holds a movable page that happens to lie
 * there.
 *
 * The page must belong to the page allocator, not to the area's bitmap. So it
 * is taken from CMA, given back, and at once allocated again as an ordinary
 * movable page: a freed page is the first that its CPU hands out again.
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "cma_test.h"

#define CT_PIN_NEW	XA_MARK_0	/* by the command that is not done yet */
#define CT_PIN_TRIES	64	/* pages that may slip away in one pin command */

static DEFINE_XARRAY(ct_pins);		/* struct page by page frame number */
static DEFINE_MUTEX(ct_pin_lock);	/* one pin or unpin at a time */

bool ct_pin_has(unsigned long pfn)
{
	return xa_load(&ct_pins, pfn);
}

struct ct_pin_job {
	struct ct_run run;
	unsigned long pinned;
	struct list_head misses;	/* pages that came instead */
};

/* Exchange one page of the run, whose place is reserved; runs bound to one CPU. */
static int ct_pin_page(struct ct_pin_job *job, unsigned long i)
{
	struct ct_run one = { .area = job->run.area, .pages = 1,
			      .pfn = job->run.pfn + i };
	struct page *page;

	ct_run_free(&one);
	page = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
	if (!page)
		return -ENOMEM;
	if (page_to_pfn(page) != one.pfn) {
		list_add(&page->lru, &job->misses);
		return 0;
	}
	/* in place of the reservation: needs no memory */
	xa_store(&ct_pins, one.pfn, page, 0);
	xa_set_mark(&ct_pins, one.pfn, CT_PIN_NEW);
	job->pinned++;
	return 0;
}

static long ct_pin_work(void *arg)
{
	struct ct_pin_job *job = arg;
	unsigned long i;
	int err = 0;

	for (i = 0; i < job->run.pages && !err; i++)
		err = ct_pin_page(job, i);
	if (i < job->run.pages) {
		struct ct_run rest = { .area = job->run.area,
				       .pfn = job->run.pfn + i,
				       .pages = job->run.pages - i };

		ct_run_free(&rest);
	}
	return err;
}

/* Reserve places for a run that is allocated, then exchange its pages. */
static int ct_pin_exchange(struct ct_pin_job *job)
{
	unsigned long pfn = job->run.pfn, end = pfn + job->run.pages;
	int err = 0;

	for (; pfn < end && !err; pfn++)
		err = xa_reserve(&ct_pins, pfn, GFP_KERNEL);
	if (err)
		ct_run_free(&job->run);
	else
		err = work_on_cpu(raw_smp_processor_id(), ct_pin_work, job);
	/* those that no page has taken */
	while (pfn-- > job->run.pfn)
		xa_release(&ct_pins, pfn);
	return err;
}

static int ct_pin_run(struct ct_pin_job *job, unsigned long pages)
{
	struct ct_flight flight = { .area = job->run.area, .pages = pages };
	int err;

	job->run.pages = pages;
	ct_flight_begin(&flight);
	err = ct_run_alloc(&job->run, 0, CT_VIA_CMA, 64);
	ct_flight_end(&flight, !err);
	return err ?: ct_pin_exchange(job);
}

static void ct_pin_drop(unsigned long pfn, struct page *page)
{
	lockdep_assert_held(&ct_pin_lock);
	xa_erase(&ct_pins, pfn);
	__free_page(page);
}

/**
 * ct_pin - hold pages of an area so that they cannot move
 * @area: the area
 * @bytes: how much; rounded up to pages
 *
 * They lie where cma_alloc() finds room first, in one piece unless other
 * processes are quicker.
 *
 * Context: process; may sleep.
 * Return: 0; -EOPNOTSUPP where cma_alloc() cannot be called, -ENOMEM if there
 * is no room, -EBUSY if others keep taking the pages. Nothing is held then.
 */
int ct_pin(struct ct_area *area, u64 bytes)
{
	u64 pages = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	struct ct_pin_job job = { .run.area = area };
	struct page *page, *next;
	unsigned int tries;
	unsigned long pfn;
	int err = 0;

	if (!ct_area_callable(area))
		return kml_fail(&ct_verdict, -EOPNOTSUPP,
				"pin: cma_alloc() cannot be called on area %s",
				area->name);
	if (bytes > U64_MAX - PAGE_SIZE || pages > area->pages)
		return kml_fail(&ct_verdict, -ENOMEM,
				"pin: %llu bytes are more than the whole of area %s",
				bytes, area->name);

	mutex_lock(&ct_pin_lock);
	INIT_LIST_HEAD(&job.misses);
	for (tries = 0; job.pinned < pages && !err; tries++) {
		if (tries == CT_PIN_TRIES)
			err = -EBUSY;
		else
			err = ct_pin_run(&job, pages - job.pinned);
	}
	list_for_each_entry_safe(page, next, &job.misses, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
	xa_for_each_marked(&ct_pins, pfn, page, CT_PIN_NEW) {
		if (err)
			ct_pin_drop(pfn, page);
		else
			xa_clear_mark(&ct_pins, pfn, CT_PIN_NEW);
	}
	mutex_unlock(&ct_pin_lock);
	if (err)
		return kml_fail(&ct_verdict, err,
				"pin: no %llu pages to hold in area %s", pages,
				area->name);
	pr_info("pin: %llu pages of area %s are held\n", pages, area->name);
	return 0;
}

/**
 * ct_unpin - let go of everything that was pinned
 *
 * Context: process; may sleep.
 * Return: 0, or -ENOENT if nothing was.
 */
int ct_unpin(void)
{
	struct page *page;
	unsigned long pfn;
	bool some = false;

	mutex_lock(&ct_pin_lock);
	xa_for_each(&ct_pins, pfn, page) {
		ct_pin_drop(pfn, page);
		some = true;
	}
	/* a place that could not be reserved may have left nodes without entries */
	xa_destroy(&ct_pins);
	mutex_unlock(&ct_pin_lock);
	return some ? 0 : -ENOENT;
}

/**
 * ct_pins_show - print what is pinned
 * @m: where to
 */
void ct_pins_show(struct seq_file *m)
{
	struct ct_area *area;
	struct page *page;
	unsigned long pfn;

	mutex_lock(&ct_pin_lock);
	xa_for_each(&ct_pins, pfn, page) {
		area = ct_area_of_pfn(pfn);
		seq_printf(m, "area=%s pfn=%#lx refs=%d\n",
			   area ? area->name : "?", ct_shown_pfn(m, pfn),
			   page_ref_count(page));
	}
	mutex_unlock(&ct_pin_lock);
}
