// SPDX-License-Identifier: GPL-2.0
/*
 * Following every CMA allocation in the system through the kernel's
 * tracepoints. Those that are under way, our own among them, are in a small
 * table by task; what the tracepoints say about the current task is noted
 * there, and judged when the allocation ends.
 */

#include <linux/ktime.h>

#include "cma_test.h"

#define CT_FLIGHTS	64	/* allocations under way at once */

DEFINE_RAW_SPINLOCK(ct_track_lock);

static struct ct_flight ct_flights[CT_FLIGHTS];	/* the first ones are in use */
static unsigned int ct_flying;
static u64 ct_lost_count;
static bool ct_tracking;
static bool ct_unwatched;	/* a page may be somebody's of whom there is no record */

static struct ct_flight *ct_flight_find(void)
{
	unsigned int i;

	lockdep_assert_held(&ct_track_lock);
	for (i = 0; i < ct_flying; i++)
		if (ct_flights[i].task == current)
			return &ct_flights[i];
	return NULL;
}

/*
 * A full table loses its first entry: where begins and ends do not come in
 * pairs, some of the older ones may be over already.
 */
static struct ct_flight *ct_flight_add(struct ct_area *area,
				       unsigned long pages, unsigned int order)
{
	struct ct_flight *flight = ct_flight_find();
	unsigned int i;

	if (!flight && ct_flying == CT_FLIGHTS) {
		ct_lost_count++;
		flight = &ct_flights[0];
	} else if (!flight) {
		flight = &ct_flights[ct_flying++];
	}
	memset(flight, 0, sizeof(*flight));
	flight->task = current;
	flight->area = area;
	flight->pages = pages;
	flight->order = order;
	flight->available = ULONG_MAX;
	for (i = 0; i < ct_flying; i++) {
		if (&ct_flights[i] == flight || ct_flights[i].area != area)
			continue;
		ct_flights[i].parallel = true;
		flight->parallel = true;
	}
	return flight;
}

static void ct_flight_remove(struct ct_flight *flight)
{
	lockdep_assert_held(&ct_track_lock);
	*flight = ct_flights[--ct_flying];
}

static void ct_flight_clock(struct ct_flight *flight, bool migrating)
{
	u64 now = ktime_get_ns(), ns = now - flight->mark;

	if (flight->mark && flight->migrating)
		flight->migrate += ns;
	else if (flight->mark)
		flight->search += ns;
	flight->mark = now;
	flight->migrating = migrating;
}

/* -- probes: they run in the task that allocates, and may not sleep -- */

static void ct_on_start(const char *name, unsigned long count,
			unsigned long available, unsigned long total,
			unsigned int align)
{
	struct ct_flight *flight;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	flight = ct_flight_find();
	if (!flight || !flight->own)
		flight = ct_flight_add(ct_area_of_name(name), count, align);
	flight->available = available;
	if (!flight->begun)
		flight->begun = ktime_get_ns();
	flight->mark = flight->begun;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

static void ct_on_migrate(void)
{
	struct ct_flight *flight;
	unsigned long flags;

	/* every compaction in the system comes by here */
	if (!READ_ONCE(ct_flying))
		return;
	raw_spin_lock_irqsave(&ct_track_lock, flags);
	flight = ct_flight_find();
	if (flight)
		ct_flight_clock(flight, true);
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

static void ct_flight_block(struct ct_flight *flight, unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i < flight->blockers; i++)
		if (flight->blocker[i].pfn == pfn)
			break;
	if (i == CT_BLOCKERS)
		i = CT_BLOCKERS - 1;
	else if (i == flight->blockers)
		flight->blockers++;
	ct_page_look(&flight->blocker[i], pfn);
}

static void ct_on_isolated(unsigned long start, unsigned long end,
			   unsigned long fin)
{
	struct ct_flight *flight;
	struct ct_area *area;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	flight = ct_flight_find();
	area = ct_area_of_pfn(start);
	/* where nothing marks the begin, this is the first that is seen */
	if (!flight && area)
		flight = ct_flight_add(area, end - start, 0);
	if (flight) {
		if (!flight->area)
			flight->area = area;
		ct_flight_clock(flight, false);
		flight->attempts++;
		if (fin < end)
			ct_flight_block(flight, fin);
	}
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

static void ct_on_retry(void)
{
	struct ct_flight *flight;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	flight = ct_flight_find();
	if (flight)
		flight->retries++;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

static void ct_on_finish(const char *name, const struct page *page,
			 unsigned long count, unsigned int align, int err)
{
	struct ct_flight *flight;
	unsigned long flags, pfn;
	struct ct_area *area;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	flight = ct_flight_find();
	if (!flight)
		flight = ct_flight_add(ct_area_of_name(name), count, align);
	flight->pages = count;
	flight->order = align;
	flight->err = err;
	if (page) {
		pfn = page_to_pfn(page);
		area = ct_area_of_pfn(pfn);
		if (!ct_owner_add(area, pfn, count)) {
			ct_lost_count++;
			ct_unwatched = true;
		}
		if (!flight->area)
			flight->area = area;
	}
	if (!flight->own) {
		ct_latency_alloc(flight, ktime_get_ns(), page);
		if (!page && !ct_verdict_post(flight))
			ct_lost_count++;
		ct_flight_remove(flight);
	}
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

static void ct_on_release(const char *name, unsigned long pfn,
			  unsigned long count)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	if (!ct_owner_release(pfn, count)) {
		ct_lost_count++;
		ct_unwatched = true;
	}
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

/* -- our own allocations -- */

/**
 * ct_flight_begin - the current task is going to allocate
 * @flight: area, pages and order of it
 *
 * Context: process. Ended by ct_flight_end() in the same task.
 */
void ct_flight_begin(const struct ct_flight *flight)
{
	struct ct_flight *live;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	live = ct_flight_add(flight->area, flight->pages, flight->order);
	live->own = true;
	live->begun = ktime_get_ns();
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

/**
 * ct_flight_end - the current task has allocated, or not
 * @flight: as it was begun; filled in with all that was seen since, unless too
 *	    many were under way to keep it
 * @ok: did it succeed?
 *
 * Context: process.
 */
void ct_flight_end(struct ct_flight *flight, bool ok)
{
	struct ct_flight *live;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	live = ct_flight_find();
	if (live && live->own) {
		*flight = *live;
		ct_latency_alloc(flight, ktime_get_ns(), ok);
		ct_flight_remove(live);
	}
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

/* Records that were lost because too much happened at once. */
u64 ct_lost(void)
{
	unsigned long flags;
	u64 lost;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	lost = ct_lost_count;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
	return lost;
}

void ct_lost_reset(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	ct_lost_count = 0;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

/* Is every allocation since the load on record? */
bool ct_all_watched(void)
{
	return !READ_ONCE(ct_unwatched);
}

static const struct kml_cma_events ct_events = {
	.start = ct_on_start,
	.finish = ct_on_finish,
	.retry = ct_on_retry,
	.release = ct_on_release,
	.isolated = ct_on_isolated,
	.migrate = ct_on_migrate,
};

/**
 * ct_track_start - begin to watch
 * @track: attach to the tracepoints; else only our own allocations are seen
 *
 * Context: process; may sleep.
 * Return: 0 or a negative errno.
 */
int ct_track_start(bool track)
{
	int err;

	err = ct_latency_init();
	if (err)
		return err;
	err = ct_owners_init();
	if (err)
		goto exit_latency;
	ct_unwatched = !track;
	if (track) {
		err = kml_cma_watch(&ct_events);
		if (err)
			goto exit_owners;
		ct_tracking = true;
	}
	return 0;

exit_owners:
	ct_owners_exit();
exit_latency:
	ct_latency_exit();
	return err;
}

/* Nothing of ours is allocated or being allocated any more. */
void ct_track_stop(void)
{
	if (ct_tracking)
		kml_cma_unwatch();
	ct_tracking = false;
	ct_flying = 0;
	ct_verdicts_exit();
	ct_owners_exit();
	ct_latency_exit();
}
