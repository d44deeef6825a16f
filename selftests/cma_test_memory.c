// SPDX-License-Identifier: GPL-2.0
/*
 * Have a CMA area borrowed by pages of known content, anonymous ones and page
 * cache by turns, and read them again and again.
 *
 *	cma_test_memory DIRECTORY
 *	cma_test_memory outside KIB
 *
 * DIRECTORY is on a tmpfs. It obeys the lines of standard input:
 *
 *	fill	have the area borrowed by memory that is written anew, each time
 *		with other contents; answers "borrowed KIB"
 *	spoil	change one bit of it, of a MiB if nothing is written yet; answers
 *		"spoilt"
 *	hold FIRST END
 *		keep a page of it from moving whose frame number is FIRST or more,
 *		and less than END; answers "held PFN anon" or "held PFN file"
 *	release	let it go; answers "released"
 *
 * Until the next line everything is read over and over, but while a page is held:
 * no other is to be busy. Standard input ending means stop: prints what was read and
 * exits 1 if a word differed.
 *
 * The second form leaves KIB free outside, says so, and waits for standard input
 * to end.
 *
 * Movable pages come to lie in CMA when nothing else is free that was meant for
 * them. So all memory outside is filled once, with the contents of pipes, which
 * never move and never lie in CMA; what is emptied of it then is in pageblocks of
 * theirs, which others take last. From then on new memory is written while the
 * old one still lies where it was moved to, and fills the area; freed after that,
 * the old one leaves just the room that the new one will be moved to.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK		1048576UL
#define WORDS		(CHUNK / sizeof(unsigned long))
#define MAX_CHUNKS	256
#define MAX_PIPES	400
#define PIPE		(4 * CHUNK)
#define OUTSIDE		32768UL		/* KiB that the kernel needs */

static struct chunk {
	unsigned long *text;
	unsigned long seed;
} chunks[MAX_CHUNKS];
static unsigned int n_chunks;		/* in use */
static unsigned long written;		/* chunks, ever */
static int pipes[MAX_PIPES][2];
static unsigned int n_pipes;

/* In KiB, how much is free in CMA; and outside, where that is wanted. */
static unsigned long cma_free(unsigned long *outside)
{
	unsigned long all = 0, cma = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	if (!file)
		exit(2);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %lu", &all) != 1 &&
		    sscanf(line, "CmaFree: %lu", &cma) == 1)
			break;
	fclose(file);
	if (outside)
		*outside = all - cma;
	return cma;
}

static unsigned long outside(void)
{
	unsigned long kib;

	cma_free(&kib);
	return kib;
}

/* Fill the outside, but for @kib. */
static void squeeze(unsigned long kib)
{
	static char buffer[PIPE];

	while (n_pipes < MAX_PIPES && outside() > kib + PIPE / 1024) {
		if (pipe2(pipes[n_pipes], O_NONBLOCK) ||
		    fcntl(pipes[n_pipes][1], F_SETPIPE_SZ, PIPE) < 0) {
			perror("pipe");
			exit(2);
		}
		if (write(pipes[n_pipes++][1], buffer, PIPE) < 0) {
			perror("write");
			exit(2);
		}
	}
}

/* Have @kib free outside. */
static void relax(unsigned long kib)
{
	while (n_pipes && outside() < kib) {
		n_pipes--;
		close(pipes[n_pipes][0]);
		close(pipes[n_pipes][1]);
	}
}

/* What a chunk holds: a sequence of its own. */
static unsigned long first_word(const struct chunk *chunk)
{
	return chunk->seed * 0x9e3779b1ul;
}

static unsigned long next_word(unsigned long word)
{
	return word + 0x61c88647ul;
}

/* One fault a page costs more than all the rest: let the kernel go ahead. */
static void write_chunk(struct chunk *chunk, const char *directory)
{
	static unsigned long text[WORDS];
	unsigned long i, word;
	char path[256];
	int fd = -1;

	chunk->seed = ++written;
	word = first_word(chunk);
	for (i = 0; i < WORDS; i++, word = next_word(word))
		text[i] = word;
	if (chunk->seed % 2) {
		snprintf(path, sizeof(path), "%s/chunk%lu", directory, chunk->seed);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, text, CHUNK) != (ssize_t)CHUNK) {
			perror(path);
			exit(2);
		}
		unlink(path);
	}
	chunk->text = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_POPULATE |
			   (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED), fd, 0);
	if (chunk->text == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	if (fd >= 0)
		close(fd);
	else
		memcpy(chunk->text, text, CHUNK);
}

static unsigned long differing(void)
{
	unsigned long i, word, wrong = 0;
	unsigned int n;

	for (n = 0; n < n_chunks; n++) {
		const unsigned long *text = chunks[n].text;

		word = first_word(&chunks[n]);
		for (i = 0; i < WORDS; i++, word = next_word(word))
			wrong += text[i] != word;
	}
	return wrong;
}

/* Have all but little of @area KiB borrowed; says what differed until now. */
static unsigned long fill(unsigned long area, const char *directory)
{
	unsigned long wrong = differing();
	unsigned int n, old = n_chunks;

	if (!n_pipes)
		squeeze(OUTSIDE);
	while (n_chunks < MAX_CHUNKS && n_chunks - old < 4 * area * 1024 / CHUNK &&
	       cma_free(NULL) > area / 16) {
		relax(OUTSIDE / 2);
		write_chunk(&chunks[n_chunks++], directory);
	}
	for (n = 0; n < old; n++)
		munmap(chunks[n].text, CHUNK);
	n_chunks -= old;
	memmove(chunks, chunks + old, n_chunks * sizeof(chunks[0]));
	printf("borrowed %ld\n", (long)area - (long)cma_free(NULL));
	relax(OUTSIDE + area);
	return wrong;
}

/* A pipe takes a reference to a page that is given to it. */
static void hold(int pipe, unsigned long first, unsigned long end)
{
	size_t size = sysconf(_SC_PAGESIZE), i;
	int map = open("/proc/self/pagemap", O_RDONLY);
	unsigned int n;
	unsigned long long pfn;

	for (n = 0; n < n_chunks; n++) {
		for (i = 0; i < CHUNK; i += size) {
			struct iovec page = { (char *)chunks[n].text + i, size };

			if (pread(map, &pfn, sizeof(pfn), (uintptr_t)page.iov_base / size *
				  sizeof(pfn)) != sizeof(pfn)) {
				perror("pagemap");
				exit(2);
			}
			pfn &= (1ull << 55) - 1;
			if (pfn < first || pfn >= end || vmsplice(pipe, &page, 1, 0) < 0)
				continue;
			printf("held %#lx %s\n", (unsigned long)pfn,
			       chunks[n].seed % 2 ? "file" : "anon");
			close(map);
			return;
		}
	}
	puts("none");
	close(map);
}

int main(int argc, char **argv)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	unsigned long area = cma_free(NULL), wrong = 0, times = 0, first, end;
	int held[2];
	char line[64] = "";

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
	/* on one CPU, reading is not to keep others from what they do */
	if (nice(10) < 0)
		perror("nice");
	while (read(0, line, sizeof(line) - 1) > 0) {
		if (sscanf(line, "hold %lu %lu", &first, &end) == 2) {
			if (pipe(held)) {
				perror("pipe");
				return 2;
			}
			hold(held[1], first, end);
			fflush(stdout);
			continue;
		}
		if (line[0] == 'f') {
			wrong += fill(area, argv[1]);
		} else if (line[0] == 'r') {
			close(held[0]);
			close(held[1]);
			puts("released");
		} else {
			if (!n_chunks)
				write_chunk(&chunks[n_chunks++], argv[1]);
			chunks[n_chunks / 2].text[WORDS / 2] ^= 1;
			puts("spoilt");
		}
		fflush(stdout);
		do {
			wrong += differing();
			times++;
		} while (!poll(&input, 1, 0));
	}
	printf("read %u MiB %lu times, %lu words differ\n", n_chunks, times, wrong);
	return wrong ? 1 : 0;
}
