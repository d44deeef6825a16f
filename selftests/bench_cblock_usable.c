// SPDX-License-Identifier: GPL-2.0
/* bench_cblock_usable usable SIZE FROM: see bench_cblock_usable.sh */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-heap.h>

#include "cblock_io.h"

static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int heap_buffer(__u64 size, const char *path)
{
	struct dma_heap_allocation_data data = {
		.len = size, .fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open(path, O_RDONLY | O_CLOEXEC);

	if (heap < 0 || ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		err(1, "%llu of %s", size, path);
	return data.fd;
}

/*
 * usable SIZE FROM: what it costs until the first byte is written, and to touch
 * every page after it. FROM is a region, or the path of a dma-heap.
 */
static int test_usable(char **arg)
{
	size_t size = strtoull(arg[0], NULL, 0), page = sysconf(_SC_PAGESIZE), i;
	__u64 start = now(), first, all;
	unsigned char *at;
	int fd;

	fd = arg[1][0] == '/' ? heap_buffer(size, arg[1]) :
				buffer(size, arg[1], CBLOCK_CACHED, 0);
	at = map_congruent(fd, size);
	__atomic_store_n(&at[0], 1, __ATOMIC_RELAXED);
	first = now();
	for (i = 0; i < size; i += page)
		__atomic_store_n(&at[i], 1, __ATOMIC_RELAXED);
	all = now();
	printf("first=%llu touch=%llu\n", first - start, all - first);
	return 0;
}

static const struct test tests[] = {
	{ "usable", 2, test_usable },	/* SIZE REGION|PATH */
	{ }
};

int main(int argc, char **argv)
{
	return run_test(tests, argc, argv);
}
