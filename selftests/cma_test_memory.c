// SPDX-License-Identifier: GPL-2.0
/*
 * Fill memory, CMA areas included, with pages of known content: anonymous ones
 * and page cache, by turns. Then read them again and again until told to stop.
 *
 *	cma_test_memory DIRECTORY RESERVE-MIB
 *
 * DIRECTORY is on a tmpfs. RESERVE-MIB of memory are left for what has to move
 * later. Prints "ready BORROWED-KIB" when all is filled; standard input ending
 * means stop. Prints "read N times" then, and exits 1 if a byte differed.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK		1048576UL
#define MAX_CHUNKS	4096

static unsigned long long *chunk[MAX_CHUNKS];
static unsigned int chunks;

static unsigned long mem_field(const char *field)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	if (!file)
		exit(2);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)))
			kib = strtoul(line + strlen(field), NULL, 10);
	fclose(file);
	return kib;
}

/* What word @i of chunk @n holds. */
static unsigned long long word(unsigned int n, unsigned long i)
{
	return (((unsigned long long)n << 32) + i) * 0x9e3779b97f4a7c15ull;
}

static void *map(size_t size, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

static void fill(const char *directory)
{
	unsigned long i;
	char path[256];
	int fd = -1;

	if (chunks % 2) {
		snprintf(path, sizeof(path), "%s/chunk%u", directory, chunks);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || ftruncate(fd, CHUNK)) {
			perror(path);
			exit(2);
		}
		unlink(path);
	}
	chunk[chunks] = map(CHUNK, fd);
	if (fd >= 0)
		close(fd);
	for (i = 0; i < CHUNK / 8; i++)
		chunk[chunks][i] = word(chunks, i);
	chunks++;
}

static unsigned long differing(void)
{
	unsigned long i, wrong = 0;
	unsigned int n;

	for (n = 0; n < chunks; n++)
		for (i = 0; i < CHUNK / 8; i++)
			wrong += chunk[n][i] != word(n, i);
	return wrong;
}

int main(int argc, char **argv)
{
	struct pollfd stop = { .fd = 0, .events = POLLIN };
	unsigned long reserve, cma, wrong = 0, times = 0;
	void *ballast;

	if (argc < 3) {
		fprintf(stderr, "usage: %s DIRECTORY RESERVE-MIB\n", argv[0]);
		return 2;
	}
	/* taken first, so that it does not lie in CMA, and given back last */
	reserve = strtoul(argv[2], NULL, 10) << 20;
	ballast = map(reserve, -1);
	memset(ballast, 1, reserve);

	cma = mem_field("CmaFree:");
	/* page tables cannot lie in CMA: what is free elsewhere must last */
	while (chunks < MAX_CHUNKS && mem_field("CmaFree:") > cma * 2 / 5 &&
	       mem_field("MemFree:") - mem_field("CmaFree:") > 20 << 10)
		fill(argv[1]);
	munmap(ballast, reserve);
	printf("ready %ld\n", (long)cma - (long)mem_field("CmaFree:"));
	fflush(stdout);
	do {
		wrong += differing();
		times++;
	} while (!poll(&stop, 1, 0));
	printf("read %lu times, %u MiB, %lu words differ\n", times, chunks, wrong);
	return wrong ? 1 : 0;
}
