// SPDX-License-Identifier: GPL-2.0
/*
 * Have a CMA area borrowed by pages of known content, anonymous ones and page
 * cache by turns, and read them again and again.
 *
 *	cma_test_memory DIRECTORY
 *	cma_test_memory outside KIB
 *
 * DIRECTORY is on a tmpfs. Every line on standard input means: have a third of
 * the area borrowed, with what is there already written anew; answered with
 * "borrowed KIB". Until the next line everything is read over and over. Standard
 * input ending means stop: prints what was read and exits 1 if a byte differed.
 *
 * The kernel puts movable pages into CMA once more is free inside than outside.
 * So the outside is filled with pages that never lie in CMA, the contents of
 * pipes; and emptied again, so that there is room to move to. The second form
 * does only this: it leaves KIB free outside, says so, and waits for standard
 * input to end.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK		1048576UL
#define MAX_CHUNKS	256
#define MAX_PIPES	400
#define OUTSIDE		32768UL		/* KiB that the kernel needs */

static unsigned long long *chunk[MAX_CHUNKS];
static unsigned int chunks;		/* in use */
static unsigned int oldest;		/* the next that is written anew */
static int pipes[MAX_PIPES][2];
static unsigned int n_pipes;

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

static unsigned long outside(void)
{
	return mem_field("MemFree:") - mem_field("CmaFree:");
}

/* Fill the outside, but for @kib. */
static void squeeze(unsigned long kib)
{
	static char buffer[4 * CHUNK];

	while (n_pipes < MAX_PIPES && outside() > kib + sizeof(buffer) / 1024) {
		if (pipe2(pipes[n_pipes], O_NONBLOCK) ||
		    fcntl(pipes[n_pipes][1], F_SETPIPE_SZ, sizeof(buffer)) < 0) {
			perror("pipe");
			exit(2);
		}
		if (write(pipes[n_pipes++][1], buffer, sizeof(buffer)) < 0) {
			perror("write");
			exit(2);
		}
	}
}

/* Room outside for @kib beside what the kernel needs. */
static void relax(unsigned long kib)
{
	while (n_pipes && outside() < kib + OUTSIDE) {
		n_pipes--;
		close(pipes[n_pipes][0]);
		close(pipes[n_pipes][1]);
	}
}

/* One fault a page costs more than all the rest: let the kernel go ahead. */
static void write_chunk(unsigned int n, const char *directory)
{
	static unsigned long long text[CHUNK / 8];
	unsigned long i;
	char path[256];
	int fd = -1;

	for (i = 0; i < CHUNK / 8; i++)
		text[i] = word(n, i);
	if (n % 2) {
		snprintf(path, sizeof(path), "%s/chunk%u", directory, n);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, text, CHUNK) != CHUNK) {
			perror(path);
			exit(2);
		}
		unlink(path);
	}
	chunk[n] = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_POPULATE |
			(fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), fd, 0);
	if (chunk[n] == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	if (fd >= 0)
		close(fd);
	else
		memcpy(chunk[n], text, CHUNK);
}

static unsigned long differing(unsigned int n)
{
	unsigned long i, wrong = 0;

	for (i = 0; i < CHUNK / 8; i++)
		wrong += chunk[n][i] != word(n, i);
	return wrong;
}

/* Until more than a third of @area KiB is borrowed; returns the wrong words. */
static unsigned long borrow(unsigned long area, const char *directory)
{
	unsigned long wrong = 0;
	unsigned int i, had = chunks;

	for (i = 0; i < MAX_CHUNKS && mem_field("CmaFree:") > area * 13 / 20; i++) {
		if (i < had) {
			oldest = (oldest + 1) % had;
			wrong += differing(oldest);
			munmap(chunk[oldest], CHUNK);
		} else if (chunks < MAX_CHUNKS) {
			oldest = chunks++;
		} else {
			break;
		}
		squeeze(OUTSIDE);
		write_chunk(oldest, directory);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	unsigned long area = mem_field("CmaFree:"), wrong = 0, times = 0;
	unsigned int n;
	char line[16];

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY|outside KIB\n", argv[0]);
		return 2;
	}
	if (argc > 2) {
		squeeze(strtoul(argv[2], NULL, 10));
		printf("%lu KiB are free outside\n", outside());
		fflush(stdout);
		while (read(0, line, sizeof(line)) > 0)
			;
		return 0;
	}
	while (read(0, line, sizeof(line)) > 0) {
		wrong += borrow(area, argv[1]);
		relax(area / 2);
		printf("borrowed %ld\n", (long)area - (long)mem_field("CmaFree:"));
		fflush(stdout);
		do {
			for (n = 0; n < chunks; n++)
				wrong += differing(n);
			times++;
		} while (!poll(&input, 1, 0));
	}
	printf("read %u MiB %lu times, %lu words differ\n", chunks, times, wrong);
	return wrong ? 1 : 0;
}
