// SPDX-License-Identifier: GPL-2.0
/*
 * Why an allocation failed. The kernel says -EBUSY, -ENOMEM or nothing at all;
 * what counts here is what was seen while it failed (the pages that blocked it)
 * and what the area looks like right afterwards.
 */

#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mmdebug.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "cma_test.h"

#define CT_VERDICTS	32	/* that are kept */
#define CT_PENDING	16	/* failures of others that wait to be judged */

enum ct_cause {
	CT_EXHAUSTED, CT_FRAGMENTED, CT_BLOCKED, CT_RACING, CT_MISCONFIGURED,
	CT_INTERRUPTED,
};

static const struct {
	const char *name;
	int err;	/* what a command of ours returns */
} ct_causes[] = {
	[CT_EXHAUSTED]	   = { "exhausted", -ENOMEM },
	[CT_FRAGMENTED]	   = { "fragmented", -ENOMEM },
	[CT_BLOCKED]	   = { "pinned", -EBUSY },
	[CT_RACING]	   = { "racing", -EBUSY },
	[CT_MISCONFIGURED] = { "misconfigured", -ENOMEM },
	[CT_INTERRUPTED]   = { "interrupted", -EINTR },
};

/**
 * struct ct_verdict - a failed allocation, judged
 * @id: counts from 1
 * @ns: when, since boot
 * @pid: who
 * @comm: who
 * @flight: what was asked for, and what was seen meanwhile
 * @cause: why
 * @stats: the area right afterwards
 * @fit: whether it would have fitted then
 * @holder: largest allocation in the area
 * @advice: what would help
 * @logged: page_owner said in the log who allocated the first blocking page
 */
struct ct_verdict {
	u64 id;
	u64 ns;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct ct_flight flight;
	enum ct_cause cause;
	struct ct_stats stats;
	struct ct_fit fit;
	struct ct_holder holder;
	char advice[224];
	bool logged;
};

static DEFINE_MUTEX(ct_verdict_lock);		/* protects the next two */
static struct ct_verdict ct_verdicts[CT_VERDICTS];
static u64 ct_verdict_count;

static struct ct_verdict ct_pending[CT_PENDING];	/* ct_track_lock */
static unsigned int ct_pending_count;

static u64 ct_kib(unsigned long pages)
{
	return (u64)pages << (PAGE_SHIFT - 10);
}

/* Blocking pages that could still not be moved now. */
static unsigned int ct_still_blocked(const struct ct_flight *flight)
{
	unsigned int i, n = 0;

	for (i = 0; i < flight->blockers; i++)
		n += !ct_page_movable(flight->blocker[i].pfn);
	return n;
}

static enum ct_cause ct_judge(const struct ct_verdict *v, bool fatal)
{
	const struct ct_flight *flight = &v->flight;
	const struct ct_area *area = flight->area;
	unsigned long left;

	if (area && area->pages &&
	    (flight->pages > area->pages ||
	     1UL << min(flight->order, BITS_PER_LONG - 1U) > area->pages))
		return CT_MISCONFIGURED;
	if (fatal || flight->err == -EINTR)
		return CT_INTERRUPTED;
	/* a range that was tried was free for CMA: only its pages kept it */
	if (ct_still_blocked(flight))
		return CT_BLOCKED;
	if (flight->blockers || flight->retries)
		return flight->parallel || flight->blockers ? CT_RACING :
							       CT_BLOCKED;
	if (!area || !area->pages)
		return CT_EXHAUSTED;
	if (v->fit.found)
		return CT_RACING;
	left = area->pages - v->stats.pages[CT_ALLOCATED];
	if (flight->available != ULONG_MAX)
		left = flight->available;
	return flight->pages > left ? CT_EXHAUSTED : CT_FRAGMENTED;
}

/* Add to the advice. */
static __printf(2, 3) void ct_add(struct ct_verdict *v, const char *fmt, ...)
{
	size_t used = strlen(v->advice);
	va_list args;

	va_start(args, fmt);
	vscnprintf(v->advice + used, sizeof(v->advice) - used, fmt, args);
	va_end(args);
}

/* How to have a larger area: a line for the command line or the device tree. */
static void ct_add_enlarge(struct ct_verdict *v, unsigned long more)
{
	const struct ct_area *area = v->flight.area;
	u64 bytes = (u64)(area->pages + more) << PAGE_SHIFT;

	if (!strchr(area->name, '@') && area->is_default)
		ct_add(v, "boot with cma=%lluM",
		       DIV_ROUND_UP_ULL(bytes, SZ_4M) * 4);
	else
		ct_add(v, "give the reserved-memory node %s %#llx bytes",
		       area->name, DIV_ROUND_UP_ULL(bytes, SZ_4M) * SZ_4M);
}

static void ct_advise_fragmented(struct ct_verdict *v)
{
	struct ct_fit unaligned = { .pages = v->flight.pages };

	ct_scan_fit(v->flight.area, &unaligned);
	if (v->flight.order && unaligned.found) {
		ct_add(v, "ask for less alignment: without any it would fit");
		return;
	}
	ct_add(v,
	       "no more than %llu KiB are in one piece: ask for that at most, or have what lies between released",
	       ct_kib(v->fit.largest));
	if (v->holder.pages)
		ct_add(v, "; the largest holder is %s[%d]", v->holder.comm,
		       v->holder.pid);
}

static void ct_advise_pinned(struct ct_verdict *v)
{
	const struct ct_page *page = &v->flight.blocker[0];

	if (!v->flight.blockers)
		ct_add(v,
		       "the kernel did not say which page; look for pinned ones in the map report");
	else if (!strcmp(page->kind, "lab-pin"))
		ct_add(v, "echo unpin > /dev/cma_test");
	else
		ct_add(v,
		       "have the user of this %s page release it (%d references, %d mappings), then try again",
		       page->kind, page->refs, page->maps);
}

static void ct_advise(struct ct_verdict *v)
{
	const struct ct_flight *flight = &v->flight;
	unsigned long aligned = 1UL << min(flight->order, BITS_PER_LONG - 1U);

	if (!flight->area) {
		ct_add(v, "this kernel does not say in which area; see the areas report");
		return;
	}
	switch (v->cause) {
	case CT_EXHAUSTED:
		if (v->holder.pages)
			ct_add(v, "%s[%d] holds %llu KiB; have it release them, or ",
			       v->holder.comm, v->holder.pid,
			       ct_kib(v->holder.pages));
		ct_add_enlarge(v, flight->pages);
		break;
	case CT_FRAGMENTED:
		ct_advise_fragmented(v);
		break;
	case CT_BLOCKED:
		ct_advise_pinned(v);
		break;
	case CT_RACING:
		ct_add(v, "others were allocating or moving pages there: try again");
		break;
	case CT_MISCONFIGURED:
		ct_add(v, "the whole area has %llu KiB: use another one, or ",
		       ct_kib(flight->area->pages));
		ct_add_enlarge(v, max(flight->pages, aligned));
		break;
	case CT_INTERRUPTED:
		ct_add(v, "a signal ended it; nothing is wrong with the area");
		break;
	}
}

/*
 * Where the kernel was booted with page_owner=on it knows who allocated the
 * page, but tells nobody except the log. Its report is there only if it is on.
 */
static bool ct_ask_page_owner(unsigned long pfn)
{
	struct dentry *report = debugfs_lookup("page_owner", NULL);

	if (IS_ERR_OR_NULL(report))
		return false;
	dput(report);
	dump_page(pfn_to_page(pfn), "it kept CMA from a range");
	return true;
}

/* Judge, and keep in place of the oldest one. */
static enum ct_cause ct_verdict_keep(struct ct_verdict *v, bool fatal)
{
	const struct ct_flight *flight = &v->flight;

	if (flight->area) {
		v->fit.pages = flight->pages;
		v->fit.order = min(flight->order, BITS_PER_LONG - 1U);
		ct_scan_stats(flight->area, &v->stats);
		ct_scan_fit(flight->area, &v->fit);
		ct_owner_largest(flight->area, &v->holder);
	}
	v->cause = ct_judge(v, fatal);
	ct_advise(v);
	if (v->cause == CT_BLOCKED && flight->blockers)
		v->logged = ct_ask_page_owner(flight->blocker[0].pfn);
	mutex_lock(&ct_verdict_lock);
	v->id = ++ct_verdict_count;
	ct_verdicts[v->id % CT_VERDICTS] = *v;
	mutex_unlock(&ct_verdict_lock);
	return v->cause;
}

static void ct_verdict_fill(struct ct_verdict *v,
			    const struct ct_flight *flight)
{
	v->ns = ktime_get_ns();
	v->pid = task_tgid_nr(current);
	memcpy(v->comm, current->comm, sizeof(v->comm));
	v->flight = *flight;
}

/**
 * ct_verdict_own - judge a failure of ours
 * @flight: what was seen
 * @err: how it failed; -ENOMEM gives way to what the judgement says
 *
 * Context: process; may sleep.
 * Return: the errno that says why.
 */
int ct_verdict_own(const struct ct_flight *flight, int err)
{
	struct ct_verdict *v = kzalloc(sizeof(*v), GFP_KERNEL);
	enum ct_cause cause;

	if (!v)
		return kml_fail(&ct_verdict, err, "no memory to say why");
	ct_verdict_fill(v, flight);
	cause = ct_verdict_keep(v, fatal_signal_pending(current));
	if (err == -ENOMEM)
		err = ct_causes[cause].err;
	kml_fail(&ct_verdict, err, "no memory in area %s for %llu KiB: %s; %s",
		 flight->area->name, ct_kib(flight->pages),
		 ct_causes[cause].name, v->advice);
	kfree(v);
	return err;
}

static void ct_verdict_work_fn(struct work_struct *work)
{
	struct ct_verdict *v = kzalloc(sizeof(*v), GFP_KERNEL);
	unsigned long flags;
	bool some;

	/* without memory they wait for the next failure, or the next reader */
	while (v) {
		raw_spin_lock_irqsave(&ct_track_lock, flags);
		some = ct_pending_count;
		if (some) {
			*v = ct_pending[0];
			memmove(ct_pending, ct_pending + 1,
				--ct_pending_count * sizeof(*v));
		}
		raw_spin_unlock_irqrestore(&ct_track_lock, flags);
		if (!some)
			break;
		ct_verdict_keep(v, false);
	}
	kfree(v);
}

static DECLARE_WORK(ct_verdict_work, ct_verdict_work_fn);

/**
 * ct_verdict_post - somebody else's allocation failed; judge it soon
 * @flight: what was seen
 *
 * Context: any; ct_track_lock held.
 * Return: false if too many wait already; this one is lost.
 */
bool ct_verdict_post(const struct ct_flight *flight)
{
	bool room = ct_pending_count < CT_PENDING;

	lockdep_assert_held(&ct_track_lock);
	if (room) {
		memset(&ct_pending[ct_pending_count], 0, sizeof(*ct_pending));
		ct_verdict_fill(&ct_pending[ct_pending_count++], flight);
	}
	schedule_work(&ct_verdict_work);
	return room;
}

void ct_verdicts_exit(void)
{
	cancel_work_sync(&ct_verdict_work);
	ct_pending_count = 0;
}

static void ct_verdict_show(struct seq_file *m, const struct ct_verdict *v)
{
	const struct ct_flight *flight = &v->flight;
	unsigned int i;

	seq_printf(m, "verdict id=%llu time_ms=%llu by=%s pid=%d comm=", v->id,
		   div_u64(v->ns, NSEC_PER_MSEC),
		   flight->own ? "cma_test" : "other", v->pid);
	seq_escape(m, v->comm, " \t\n\\");
	seq_printf(m, " area=%s kib=%llu align_kib=%llu errno=",
		   flight->area ? flight->area->name : "?",
		   ct_kib(flight->pages),
		   ct_kib(1UL << min(flight->order, BITS_PER_LONG - 1U)));
	if (flight->err)
		seq_printf(m, "%d", flight->err);
	else
		seq_putc(m, '-');
	seq_printf(m, " class=%s free_kib=%llu borrowed_kib=%llu allocated_kib=%llu pinned_kib=%llu largest_kib=%llu fits=%s attempts=%u retries=%u parallel=%s page_owner=%s\n",
		   ct_causes[v->cause].name,
		   ct_kib(v->stats.pages[CT_FREE]),
		   ct_kib(v->stats.pages[CT_BORROWED]),
		   ct_kib(v->stats.pages[CT_ALLOCATED]),
		   ct_kib(v->stats.pages[CT_PINNED]), ct_kib(v->fit.largest),
		   v->fit.found ? "yes" : "no", flight->attempts,
		   flight->retries, flight->parallel ? "yes" : "no",
		   v->logged ? "log" : "-");
	for (i = 0; i < flight->blockers; i++) {
		const struct ct_page *page = &flight->blocker[i];

		seq_printf(m, "page id=%llu pfn=%#lx kind=%s refs=%d maps=%d flags=%pGp\n",
			   v->id, ct_shown_pfn(m, page->pfn), page->kind,
			   page->refs, page->maps, &page->flags);
	}
	seq_printf(m, "advice id=%llu %s\n", v->id, v->advice);
}

/**
 * ct_verdicts_show - print the verdicts that are kept, oldest first
 * @m: where to
 */
void ct_verdicts_show(struct seq_file *m)
{
	u64 id;

	schedule_work(&ct_verdict_work);
	flush_work(&ct_verdict_work);
	mutex_lock(&ct_verdict_lock);
	id = ct_verdict_count > CT_VERDICTS ? ct_verdict_count - CT_VERDICTS : 0;
	while (id++ < ct_verdict_count)
		ct_verdict_show(m, &ct_verdicts[id % CT_VERDICTS]);
	mutex_unlock(&ct_verdict_lock);
}
