/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of the cblock tests share. */
#ifndef _CBLOCK_IO_H
#define _CBLOCK_IO_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/cblock.h>

#define MIB	1048576UL

static int device;

static inline struct cblock_ioc_alloc request(__u64 size, const char *region)
{
	struct cblock_ioc_alloc alloc = { .size = size };

	if (region)
		snprintf(alloc.region, sizeof(alloc.region), "%s", region);
	return alloc;
}

static inline int buffer(__u64 size, const char *region, __u32 cache,
			 __u32 flags)
{
	struct cblock_ioc_alloc alloc = request(size, region);

	alloc.cache = cache;
	alloc.flags = flags;
	if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "alloc %llu of %s", size, region ?: "any");
	return alloc.fd;
}

static inline unsigned char *map(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		err(1, "mmap of %zu", size);
	return at;
}

/* The same at an address that is congruent to a physical one modulo 2 MiB. */
static inline unsigned char *map_congruent(int fd, size_t size)
{
	char *room = mmap(NULL, size + 2 * MIB, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *at = (void *)(((uintptr_t)room + 2 * MIB - 1) & -(uintptr_t)(2 * MIB));

	if (room == MAP_FAILED)
		err(1, "room for %zu", size);
	at = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	if (at == MAP_FAILED)
		err(1, "mmap of %zu", size);
	return at;
}

static inline void must_be_zero(const unsigned char *at, size_t size,
				const char *what)
{
	const __u64 *word = (const void *)at;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i])
			errx(1, "%s: byte %zu is not 0", what, i * sizeof(*word));
}

static inline void must_hold(const unsigned char *at, size_t size,
			     unsigned char tag, const char *what)
{
	size_t i;

	for (i = 0; i < size; i += 512)
		if (at[i] != tag)
			errx(1, "%s: byte %zu is %#x, not %#x", what, i, at[i], tag);
}

static inline struct cblock_ioc_region region_of(const char *name)
{
	struct cblock_ioc_region region = { 0 };

	for (; !ioctl(device, CBLOCK_IOC_REGION, &region); region.index++)
		if (!strcmp(region.name, name))
			return region;
	err(1, "no region %s", name);
}

static inline void refuse(struct cblock_ioc_alloc alloc, int expected,
			  const char *what)
{
	if (!ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "%s is accepted", what);
	if (errno != expected)
		err(1, "%s: not the errno %d", what, expected);
}

/* No more than @count descriptors; 0 for as many as may be. */
static inline void limit_descriptors(rlim_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		err(1, "getrlimit");
	limit.rlim_cur = count ?: limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "setrlimit");
}

struct test {
	const char *name;
	int args;
	int (*run)(char **arg);
};

/* main() of a program that runs the one of @test that its arguments name. */
static inline int run_test(const struct test *test, int argc, char **argv)
{
	for (; test->name; test++) {
		if (argc < 2 || strcmp(argv[1], test->name) ||
		    argc < 2 + test->args)
			continue;
		device = open("/dev/cblock", O_RDWR | O_CLOEXEC);
		if (device < 0)
			err(1, "/dev/cblock");
		return test->run(argv + 2);
	}
	fprintf(stderr, "usage: %s TEST [ARG...]\n", argv[0]);
	return 2;
}

#endif /* _CBLOCK_IO_H */
