/* SPDX-License-Identifier: GPL-2.0 */
/* What a storm's cases see of it. */
#ifndef _VMALLOC_PROBE_STORM_H
#define _VMALLOC_PROBE_STORM_H

#include <linux/compiler.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * struct vp_worker - one CPU's part in a storm
 * @task: the thread
 * @case_: what it does
 * @operations: how often
 * @spoil: flip a bit in what is given back and verified
 * @done: how often it did, up to now
 * @failures: allocations that gave NULL
 * @corrupt: allocations that did not contain what was written
 * @since: when the first of them began
 * @ns: how long they took
 * @stop: the storm is over early
 */
struct vp_worker {
	struct task_struct *task;
	const struct vp_storm_case *case_;
	u64 operations;
	bool spoil;
	u64 done;
	u64 failures;
	u64 corrupt;
	u64 since;
	u64 ns;
	const bool *stop;
};

/**
 * struct vp_storm_case - a pattern of allocations
 * @name: as lib/test_vmalloc.c calls it, where that has it
 * @run: carry it out, until vp_worker_goes_on() says no
 */
struct vp_storm_case {
	const char *name;
	void (*run)(struct vp_worker *worker);
};

extern const struct vp_storm_case vp_storm_cases[];
extern const unsigned int vp_storm_cases_nr;

/* Is there another operation to do? What comes before the first is not timed. */
static inline bool vp_worker_goes_on(struct vp_worker *worker)
{
	cond_resched();
	if (!worker->since)
		worker->since = ktime_get_ns();
	if (worker->done < worker->operations && !READ_ONCE(*worker->stop))
		return true;
	worker->ns = ktime_get_ns() - worker->since;
	return false;
}

#endif /* _VMALLOC_PROBE_STORM_H */
