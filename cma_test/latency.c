// SPDX-License-Identifier: GPL-2.0
/*
 * How long allocations and releases take: log2 histograms by area and size.
 * Allocations are everybody's where the kernel has a tracepoint at their begin
 * (5.13 and newer), else only ours; releases are always ours, as the kernel
 * has no tracepoint at theirs.
 */

#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/sizes.h>

#include "cma_test.h"

#define CT_BUCKETS	40	/* the last one from 2^39 ns, nine minutes, on */

/**
 * struct ct_histogram - durations in ns
 * @bucket: [i] counts those of 2^i to 2^(i+1) - 1 ns
 * @count: how many, failed ones included
 * @failed: how many failed
 * @retries: busy ranges of all of them
 * @sum: of all
 * @search: part of @sum before pages began to move
 * @migrate: part of @sum while pages moved
 * @max: longest
 */
struct ct_histogram {
	u32 bucket[CT_BUCKETS];
	u64 count;
	u64 failed;
	u64 retries;
	u64 sum;
	u64 search;
	u64 migrate;
	u64 max;
};

static const struct {
	const char *name;
	u64 limit;
} ct_sizes[] = {
	{ "64K", SZ_64K }, { "1M", SZ_1M }, { "16M", SZ_16M },
	{ "more", U64_MAX },
};

struct ct_latency {
	struct ct_histogram alloc[ARRAY_SIZE(ct_sizes)];
	struct ct_histogram release;
};

int ct_latency_init(void)
{
	struct ct_area *area;

	ct_for_each_area(area) {
		area->latency = kzalloc(sizeof(*area->latency), GFP_KERNEL);
		if (!area->latency) {
			ct_latency_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

void ct_latency_exit(void)
{
	struct ct_area *area;

	ct_for_each_area(area) {
		kfree(area->latency);
		area->latency = NULL;
	}
}

static void ct_histogram_add(struct ct_histogram *h, u64 ns)
{
	lockdep_assert_held(&ct_track_lock);
	h->bucket[min(ilog2(ns | 1), CT_BUCKETS - 1)]++;
	h->count++;
	h->sum += ns;
	h->max = max(h->max, ns);
}

/**
 * ct_latency_alloc - an allocation ended
 * @flight: which; nothing is counted if its area or its begin is unknown
 * @now: when, in ns
 * @ok: did it succeed?
 *
 * Context: any; ct_track_lock held.
 */
void ct_latency_alloc(const struct ct_flight *flight, u64 now, bool ok)
{
	u64 bytes = (u64)flight->pages << PAGE_SHIFT;
	struct ct_histogram *h;
	int i = 0;

	if (!flight->area || !flight->area->latency || !flight->begun)
		return;
	while (bytes > ct_sizes[i].limit)
		i++;
	h = &flight->area->latency->alloc[i];
	ct_histogram_add(h, now - flight->begun);
	h->failed += !ok;
	h->retries += flight->retries;
	h->search += flight->search;
	h->migrate += flight->migrate;
}

/**
 * ct_latency_release - a release of ours ended
 * @area: where
 * @ns: how long it took
 *
 * Context: process.
 */
void ct_latency_release(struct ct_area *area, u64 ns)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	if (area->latency)
		ct_histogram_add(&area->latency->release, ns);
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

/**
 * ct_latency_reset - forget all durations
 *
 * Context: process.
 */
void ct_latency_reset(void)
{
	struct ct_area *area;
	unsigned long flags;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	ct_for_each_area(area)
		memset(area->latency, 0, sizeof(*area->latency));
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
}

/* The upper end of the bucket that holds the @percent-th duration. */
static u64 ct_percentile(const struct ct_histogram *h, unsigned int percent)
{
	u64 rank = DIV_ROUND_UP_ULL(h->count * percent, 100), seen = 0;
	int i;

	for (i = 0; i < CT_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			break;
	}
	return min(h->max, (2ULL << i) - 1);
}

static void ct_histogram_show(struct seq_file *m, const char *area,
			      const char *op, const char *size,
			      const struct ct_histogram *live)
{
	const char *separator = "";
	struct ct_histogram h;
	unsigned long flags;
	int i;

	raw_spin_lock_irqsave(&ct_track_lock, flags);
	h = *live;
	raw_spin_unlock_irqrestore(&ct_track_lock, flags);
	if (!h.count)
		return;
	seq_printf(m, "area=%s op=%s size=%s count=%llu failed=%llu retries=%llu mean_ns=%llu p50_ns=%llu p90_ns=%llu p99_ns=%llu max_ns=%llu search_ns=%llu migrate_ns=%llu other_ns=%llu log2=",
		   area, op, size, h.count, h.failed, h.retries,
		   div64_u64(h.sum, h.count), ct_percentile(&h, 50),
		   ct_percentile(&h, 90), ct_percentile(&h, 99), h.max,
		   h.search, h.migrate, h.sum - h.search - h.migrate);
	for (i = 0; i < CT_BUCKETS; i++) {
		if (!h.bucket[i])
			continue;
		seq_printf(m, "%s%d:%u", separator, i, h.bucket[i]);
		separator = ",";
	}
	seq_putc(m, '\n');
}

/**
 * ct_latency_show - print the statistics of every area
 * @m: where to
 */
void ct_latency_show(struct seq_file *m)
{
	struct ct_area *area;
	int i;

	ct_for_each_area(area) {
		for (i = 0; i < ARRAY_SIZE(ct_sizes); i++)
			ct_histogram_show(m, area->name, "alloc",
					  ct_sizes[i].name,
					  &area->latency->alloc[i]);
		ct_histogram_show(m, area->name, "release", "any",
				  &area->latency->release);
	}
}
