// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of CMA, with one set of callbacks for all kernels. None of
 * them is exported: they are found by name. A probe whose prototype is not the
 * kernel's does not compile.
 */

#include <linux/migrate_mode.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>
#include <trace/events/cma.h>
#include <trace/events/page_isolation.h>

#include "cma.h"

static const struct kml_cma_events *kml_events;

static void __maybe_unused
kml_on_isolated(void *data, unsigned long start, unsigned long end,
		unsigned long fin)
{
	kml_events->isolated(start, end, fin);
}

static void __maybe_unused
kml_on_migrate(void *data, enum migrate_mode mode, int reason)
{
	kml_events->migrate();
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 13, 0)
/*
 * 7bc1aec5e287 ("mm: cma: add trace events for CMA alloc perf testing", v5.13)
 * and the commit after it split cma_alloc in three and added the area's name.
 */
static void kml_on_alloc(void *data, unsigned long pfn, const struct page *page,
			 unsigned int count, unsigned int align)
{
	kml_events->finish(NULL, page, count, align, 0);
}

static void kml_on_release(void *data, unsigned long pfn,
			   const struct page *page, unsigned int count)
{
	kml_events->release(NULL, pfn, count);
}

static void kml_check_probes(void)
{
	check_trace_callback_type_cma_alloc(kml_on_alloc);
	check_trace_callback_type_cma_release(kml_on_release);
	check_trace_callback_type_test_pages_isolated(kml_on_isolated);
}

#else
/*
 * 6.18 added the available and the total count to cma_alloc_start ("mm/cma:
 * trace available and total counts").
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
static void kml_on_start(void *data, const char *name, unsigned long count,
			 unsigned int align)
{
	kml_events->start(name, count, ULONG_MAX, ULONG_MAX, align);
}
#else
static void kml_on_start(void *data, const char *name, unsigned long count,
			 unsigned long available, unsigned long total,
			 unsigned int align)
{
	kml_events->start(name, count, available, total, align);
}
#endif

/* 6.3 added the errno ("cma: tracing: print alloc result in …_finish"). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static void kml_on_finish(void *data, const char *name, unsigned long pfn,
			  const struct page *page, unsigned long count,
			  unsigned int align)
{
	kml_events->finish(name, page, count, align, 0);
}
#else
static void kml_on_finish(void *data, const char *name, unsigned long pfn,
			  const struct page *page, unsigned long count,
			  unsigned int align, int err)
{
	kml_events->finish(name, page, count, align, err);
}
#endif

static void kml_on_retry(void *data, const char *name, unsigned long pfn,
			 const struct page *page, unsigned long count,
			 unsigned int align)
{
	kml_events->retry();
}

static void kml_on_release(void *data, const char *name, unsigned long pfn,
			   const struct page *page, unsigned long count)
{
	kml_events->release(name, pfn, count);
}

static void kml_check_probes(void)
{
	check_trace_callback_type_cma_alloc_start(kml_on_start);
	check_trace_callback_type_cma_alloc_finish(kml_on_finish);
	check_trace_callback_type_cma_alloc_busy_retry(kml_on_retry);
	check_trace_callback_type_cma_release(kml_on_release);
	check_trace_callback_type_test_pages_isolated(kml_on_isolated);
}
#endif

/* A tracepoint, its probe, and the callback that it needs. */
static struct kml_event {
	const char *name;
	void *probe;
	size_t callback;
	struct tracepoint *tp;
} kml_event_table[] = {
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 13, 0)
	{ "cma_alloc", kml_on_alloc,
	  offsetof(struct kml_cma_events, finish) },
#else
	{ "cma_alloc_start", kml_on_start,
	  offsetof(struct kml_cma_events, start) },
	{ "cma_alloc_finish", kml_on_finish,
	  offsetof(struct kml_cma_events, finish) },
	{ "cma_alloc_busy_retry", kml_on_retry,
	  offsetof(struct kml_cma_events, retry) },
#endif
	{ "cma_release", kml_on_release,
	  offsetof(struct kml_cma_events, release) },
	{ "test_pages_isolated", kml_on_isolated,
	  offsetof(struct kml_cma_events, isolated) },
	{ "mm_migrate_pages_start", kml_on_migrate,
	  offsetof(struct kml_cma_events, migrate) },
};

static void kml_event_match(struct tracepoint *tp, void *priv)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kml_event_table); i++)
		if (!strcmp(tp->name, kml_event_table[i].name))
			kml_event_table[i].tp = tp;
}

static void kml_event_detach(int n)
{
	while (n--) {
		struct kml_event *event = &kml_event_table[n];

		if (event->tp)
			tracepoint_probe_unregister(event->tp, event->probe,
						    NULL);
		event->tp = NULL;
	}
	tracepoint_synchronize_unregister();
	kml_events = NULL;
}

int kml_cma_watch(const struct kml_cma_events *events)
{
	int i, err;

	kml_check_probes();
	kml_events = events;
	for_each_kernel_tracepoint(kml_event_match, NULL);
	for (i = 0; i < ARRAY_SIZE(kml_event_table); i++) {
		struct kml_event *event = &kml_event_table[i];

		if (!*(void **)((char *)events + event->callback))
			event->tp = NULL;
		if (!event->tp)
			continue;
		err = tracepoint_probe_register(event->tp, event->probe, NULL);
		if (err) {
			event->tp = NULL;
			kml_event_detach(i);
			return err;
		}
	}
	return 0;
}

void kml_cma_unwatch(void)
{
	kml_event_detach(ARRAY_SIZE(kml_event_table));
}
