// SPDX-License-Identifier: GPL-2.0
/*
 * What shell cannot do with /dev/cblock. cblock_io TEST [ARG...] exits with 0,
 * or says what is wrong and exits with 1.
 *
 * Also built for 32 bits, as cblock_io32, for arm64.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/cblock.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/io_uring.h>

#define MIB	1048576UL

static int device;

static struct cblock_ioc_alloc request(__u64 size, const char *region)
{
	struct cblock_ioc_alloc alloc = { .size = size };

	if (region)
		snprintf(alloc.region, sizeof(alloc.region), "%s", region);
	return alloc;
}

static int buffer(__u64 size, const char *region, __u32 cache,
		  __u32 flags)
{
	struct cblock_ioc_alloc alloc = request(size, region);

	alloc.cache = cache;
	alloc.flags = flags;
	if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "alloc %llu of %s", size, region ?: "any");
	return alloc.fd;
}

static unsigned char *map(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		err(1, "mmap of %zu", size);
	return at;
}

/* The same at an address that is congruent to a physical one modulo 2 MiB. */
static unsigned char *map_congruent(int fd, size_t size)
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

static void must_be_zero(const unsigned char *at, size_t size, const char *what)
{
	const __u64 *word = (const void *)at;
	size_t i;

	for (i = 0; i < size / sizeof(*word); i++)
		if (word[i])
			errx(1, "%s: byte %zu is not 0", what, i * sizeof(*word));
}

static void must_hold(const unsigned char *at, size_t size, unsigned char tag,
		      const char *what)
{
	size_t i;

	for (i = 0; i < size; i += 512)
		if (at[i] != tag)
			errx(1, "%s: byte %zu is %#x, not %#x", what, i, at[i], tag);
}

static struct cblock_ioc_region region_of(const char *name)
{
	struct cblock_ioc_region region = { 0 };

	for (; !ioctl(device, CBLOCK_IOC_REGION, &region); region.index++)
		if (!strcmp(region.name, name))
			return region;
	err(1, "no region %s", name);
}

/* zero REGION: what one owner wrote, no later one sees, through any door. */
static int test_zero(char **arg)
{
	size_t size = 3 * MIB + 4096;
	__u32 caches = region_of(arg[0]).caches;
	unsigned int turn, cache;
	unsigned char *at;
	int fd;

	for (turn = 0; turn < 2; turn++) {
		for (cache = 0; cache < 3; cache++) {
			if (!(caches & 1U << cache))
				continue;
			fd = buffer(size, arg[0], cache, 0);
			at = map(fd, size);
			must_be_zero(at, size, "a new buffer");
			memset(at, 0xff, size);
			must_hold(at, size, 0xff, "what was written");
			munmap(at, size);
			close(fd);
		}
	}
	return 0;
}

/* heap PATH: the kernel's dma-heap ABI */
static int test_heap(char **arg)
{
	struct dma_heap_allocation_data data = {
		.len = 2 * MIB, .fd_flags = O_RDWR | O_CLOEXEC,
	};
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW };
	int heap = open(arg[0], O_RDONLY | O_CLOEXEC);
	unsigned char *at;

	if (heap < 0)
		err(1, "%s", arg[0]);
	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data))
		err(1, "DMA_HEAP_IOCTL_ALLOC");
	at = map(data.fd, 2 * MIB);
	if (ioctl(data.fd, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
	must_be_zero(at, 2 * MIB, "a heap's buffer");
	memset(at, 0x5a, 2 * MIB);
	sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW;
	if (ioctl(data.fd, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
	close(data.fd);
	munmap(at, 2 * MIB);

	data.fd = 0;
	data.fd_flags = 0x40000000;
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) || errno != EINVAL)
		err(1, "unknown fd_flags");
	data.fd_flags = 0;
	data.heap_flags = 1ULL << 40;
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) || errno != EINVAL)
		err(1, "unknown heap_flags");
	data.heap_flags = 0;
	data.len = 1ULL << 40;
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) || errno != ENOMEM)
		err(1, "a terabyte");
	return 0;
}

static void refuse(struct cblock_ioc_alloc alloc, int expected, const char *what)
{
	if (!ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "%s is accepted", what);
	if (errno != expected)
		err(1, "%s: not the errno %d", what, expected);
}

/* abi: every field, right and wrong */
static int test_abi(char **arg)
{
	struct {
		struct cblock_ioc_alloc alloc;
		__u64 later;
	} grown = { .alloc = request(4096, NULL) };
	struct cblock_ioc_alloc alloc;
	struct cblock_ioc_region region = { 0 };
	struct cblock_ioc_info info = { 0 };
	struct cblock_ioc_fit fit = { .size = 4096 };
	int fd;

	(void)arg;
	if (ioctl(device, CBLOCK_IOC_INFO, &info) || info.version != 1 ||
	    !info.regions)
		err(1, "info: version %u, %u regions", info.version, info.regions);
	for (; !ioctl(device, CBLOCK_IOC_REGION, &region); region.index++)
		if (!region.size || !region.name[0] || !(region.caches & 1) ||
		    region.free > region.size || region.largest > region.free)
			err(1, "region %u", region.index);
	if (errno != ENOENT || region.index != info.regions)
		err(1, "%u regions of %u", region.index, info.regions);
	if (ioctl(device, CBLOCK_IOC_FIT, &fit) || !fit.fits || !fit.largest)
		err(1, "fit of a page");
	fit.size = 1ULL << 50;
	if (ioctl(device, CBLOCK_IOC_FIT, &fit) || fit.fits)
		err(1, "fit of 2^50");
	fit.align = 3;
	if (!ioctl(device, CBLOCK_IOC_FIT, &fit) || errno != EINVAL)
		err(1, "fit with alignment 3");

	refuse(request(0, NULL), EINVAL, "size 0");
	refuse(request(1ULL << 60, NULL), ENOMEM, "size 2^60");
	refuse(request(~0ULL, NULL), ENOMEM, "size 2^64 - 1");
	refuse(request(4096, "nowhere"), ENOENT, "an unknown region");
	alloc = request(4096, NULL);
	alloc.align = 3;
	refuse(alloc, EINVAL, "alignment 3");
	alloc.align = 1ULL << 31;
	refuse(alloc, EINVAL, "alignment 2 GiB");
	alloc = request(4096, NULL);
	alloc.cache = 3;
	refuse(alloc, EINVAL, "cache mode 3");
	alloc = request(4096, NULL);
	alloc.flags = 1U << 31;
	refuse(alloc, EINVAL, "an unknown flag");
	alloc = request(4096, NULL);
	alloc.reserved = 1;
	refuse(alloc, EINVAL, "a reserved field");
	alloc = request(4096, NULL);
	memset(alloc.region, 'x', sizeof(alloc.region));
	refuse(alloc, EINVAL, "a name without end");

	/* a newer program: fine as long as what it adds is 0 */
	fd = ioctl(device, _IOWR(CBLOCK_IOC_MAGIC, 3, grown), &grown);
	if (fd || close(grown.alloc.fd))
		err(1, "a larger structure");
	grown.alloc = request(4096, NULL);
	grown.later = 1;
	if (!ioctl(device, _IOWR(CBLOCK_IOC_MAGIC, 3, grown), &grown) ||
	    errno != E2BIG)
		err(1, "an unknown field");
	if (!ioctl(device, _IOWR(CBLOCK_IOC_MAGIC, 9, fit), &fit) ||
	    errno != ENOTTY)
		err(1, "an unknown ioctl");
	if (!ioctl(device, CBLOCK_IOC_ALLOC, (void *)8) || errno != EFAULT)
		err(1, "a bad pointer");
	return 0;
}

/* map REGION: what is allowed with a mapping, and what is not */
static int test_map(char **arg)
{
	size_t size = 4 * MIB, page = sysconf(_SC_PAGESIZE);
	int fd = buffer(size, arg[0], CBLOCK_CACHED, 0), status;
	unsigned char *at = map_congruent(fd, size), *other;
	pid_t child;

	if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) !=
	    MAP_FAILED)
		err(1, "a private mapping is accepted");
	if (mmap(NULL, size + page, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED)
		err(1, "a mapping past the end is accepted");
	if (mmap(NULL, page, PROT_READ, MAP_SHARED, fd, size) != MAP_FAILED)
		err(1, "a mapping at the end is accepted");
	if (mremap(at, size, size + page, MREMAP_MAYMOVE) != MAP_FAILED)
		err(1, "a mapping grows");

	memset(at, 0x11, size);
	child = fork();
	if (!child) {
		must_hold(at, size, 0x11, "what the parent wrote");
		memset(at, 0x22, size);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status)
		err(1, "the child");
	must_hold(at, size, 0x22, "what the child wrote");

	if (munmap(at + size / 2, page))
		err(1, "a partial munmap");
	must_hold(at, size / 2, 0x22, "the rest");
	if (mprotect(at, page, PROT_READ))
		err(1, "mprotect");
	other = mremap(at + size / 4, size / 4, size / 4,
		       MREMAP_MAYMOVE | MREMAP_FIXED, at + size / 2);
	if (other != at + size / 2)
		err(1, "a mapping does not move");
	must_hold(other, size / 4, 0x22, "what moved");

	/* the mapping outlives the descriptor, and the memory is not reused */
	close(fd);
	fd = buffer(size, arg[0], CBLOCK_CACHED, 0);
	memset(map(fd, size), 0x33, size);
	must_hold(other, size / 4, 0x22, "what was mapped");
	return 0;
}

/* direct REGION FILE: O_DIRECT reads into a block that has pages */
static int test_direct(char **arg)
{
	struct cblock_ioc_alloc alloc = request(2 * MIB, arg[0]);
	unsigned char *at, *copy;
	ssize_t got;
	int file;

	alloc.flags = CBLOCK_ALLOC_PAGES;
	if (!(region_of(arg[0]).flags & CBLOCK_REGION_PAGES)) {
		refuse(alloc, EOPNOTSUPP, "pages of a region without");
		return 0;
	}
	if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "alloc with pages");
	at = map(alloc.fd, 2 * MIB);
	must_be_zero(at, 2 * MIB, "a new buffer");
	file = open(arg[1], O_RDONLY | O_DIRECT);
	if (file < 0)
		err(1, "%s with O_DIRECT", arg[1]);
	got = read(file, at, MIB);
	if (got != (ssize_t)MIB)
		err(1, "O_DIRECT read: %zd", got);
	copy = malloc(MIB);
	file = open(arg[1], O_RDONLY);
	if (read(file, copy, MIB) != (ssize_t)MIB || memcmp(at, copy, MIB))
		err(1, "O_DIRECT read something else");
	must_be_zero(at + MIB, MIB, "behind what was read");
	return 0;
}

/* What <drm/drm.h> says, which not every C library brings. */
struct prime_handle {
	__u32 handle;
	__u32 flags;
	__s32 fd;
};

struct gem_close {
	__u32 handle;
	__u32 pad;
};

#define GEM_CLOSE		_IOW('d', 0x09, struct gem_close)
#define PRIME_HANDLE_TO_FD	_IOWR('d', 0x2d, struct prime_handle)
#define PRIME_FD_TO_HANDLE	_IOWR('d', 0x2e, struct prime_handle)

/* drm REGION CARD: a DRM driver imports a block, and alone keeps it for a while */
static int test_drm(char **arg)
{
	struct prime_handle prime = { .flags = O_RDWR | O_CLOEXEC };
	int card = open(arg[1], O_RDWR | O_CLOEXEC);
	struct gem_close gem = { 0 };
	size_t size = 4 * MIB;
	unsigned char *at;

	if (card < 0)
		err(1, "%s", arg[1]);
	prime.fd = buffer(size, arg[0], CBLOCK_CACHED, 0);
	at = map(prime.fd, size);
	memset(at, 0x5a, size);
	if (ioctl(card, PRIME_FD_TO_HANDLE, &prime))
		err(1, "PRIME_FD_TO_HANDLE");
	munmap(at, size);
	close(prime.fd);

	/* would be zero, or another's, had it been freed */
	memset(map(buffer(size, arg[0], CBLOCK_CACHED, 0), size), 0xa5, size);
	prime.fd = -1;
	if (ioctl(card, PRIME_HANDLE_TO_FD, &prime))
		err(1, "PRIME_HANDLE_TO_FD");
	at = map(prime.fd, size);
	must_hold(at, size, 0x5a, "what DRM kept");
	munmap(at, size);
	close(prime.fd);
	gem.handle = prime.handle;
	if (ioctl(card, GEM_CLOSE, &gem))
		err(1, "GEM_CLOSE");
	return 0;
}

/* has-uring: whether the kernel has io_uring, and lets us use it */
static int test_has_uring(char **arg)
{
	struct io_uring_params params = { 0 };

	(void)arg;
	return syscall(__NR_io_uring_setup, 1, &params) < 0;
}

/*
 * uring REGION FILE: io_uring reads into a block, pinned beforehand where that
 * is possible: before Linux 6.5 it is not for memory that has a file.
 */
static int test_uring(char **arg)
{
	struct io_uring_params params = { 0 };
	struct iovec registered = { .iov_len = MIB };
	__u32 *array, *head, *tail;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	unsigned char *at, *copy, *sq, *cq;
	int ring, file, fixed;

	if (!(region_of(arg[0]).flags & CBLOCK_REGION_PAGES))
		return 0;
	at = map(buffer(MIB, arg[0], CBLOCK_CACHED, CBLOCK_ALLOC_PAGES), MIB);
	file = open(arg[1], O_RDONLY | O_DIRECT);
	if (file < 0)
		err(1, "%s with O_DIRECT", arg[1]);
	ring = syscall(__NR_io_uring_setup, 1, &params);
	if (ring < 0)
		err(1, "io_uring_setup");
	registered.iov_base = at;
	fixed = !syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS,
			 &registered, 1);
	if (!fixed && errno != EOPNOTSUPP)
		err(1, "IORING_REGISTER_BUFFERS");
	sq = mmap(NULL, params.sq_off.array + sizeof(*array),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + 2 * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)sqe == MAP_FAILED)
		err(1, "mmap of the ring");
	sqe->opcode = fixed ? IORING_OP_READ_FIXED : IORING_OP_READ;
	sqe->fd = file;
	sqe->addr = (uintptr_t)at;
	sqe->len = MIB;
	array = (void *)(sq + params.sq_off.array);
	tail = (void *)(sq + params.sq_off.tail);
	*array = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		err(1, "io_uring_enter");
	head = (void *)(cq + params.cq_off.head);
	tail = (void *)(cq + params.cq_off.tail);
	if (__atomic_load_n(tail, __ATOMIC_ACQUIRE) != *head + 1)
		err(1, "no completion");
	cqe = (void *)(cq + params.cq_off.cqes);
	if (cqe->res != (int)MIB)
		err(1, "io_uring read: %d", cqe->res);
	copy = malloc(MIB);
	file = open(arg[1], O_RDONLY);
	if (read(file, copy, MIB) != (ssize_t)MIB || memcmp(at, copy, MIB))
		err(1, "io_uring read something else");
	puts(fixed ? "registered" : "not registered: EOPNOTSUPP");
	return 0;
}

/* faults REGION: how many it takes to touch 16 MiB */
static int test_faults(char **arg)
{
	size_t size = 16 * MIB, page = sysconf(_SC_PAGESIZE), i;
	struct rusage before, after;
	unsigned char *at;

	at = map_congruent(buffer(size, arg[0], CBLOCK_CACHED, 0), size);
	getrusage(RUSAGE_SELF, &before);
	for (i = 0; i < size; i += page)
		__atomic_store_n(&at[i], 1, __ATOMIC_RELAXED);
	getrusage(RUSAGE_SELF, &after);
	printf("%ld\n", after.ru_minflt - before.ru_minflt);
	return 0;
}

/* hold SIZE REGION: until killed; says so when it holds */
static int test_hold(char **arg)
{
	size_t size = strtoull(arg[0], NULL, 0);
	int fd = buffer(size, arg[1], CBLOCK_CACHED, 0);

	memset(map(fd, size), 0x77, size);
	puts("held");
	fflush(stdout);
	pause();
	return 0;
}

/* Bytes that wait to be zeroed, as the report has them. */
static __u64 dirty_bytes(const char *region)
{
	FILE *report = fopen("/dev/cblock", "r");
	char line[512], name[64];
	__u64 bytes = -1;

	if (!report)
		err(1, "/dev/cblock");
	while (fgets(line, sizeof(line), report))
		if (sscanf(line, "region name=%63s", name) == 1 &&
		    !strcmp(name, region))
			bytes = strtoull(strstr(line, " dirty=") + 7, NULL, 10);
	fclose(report);
	return bytes;
}

/*
 * behind REGION: what is freed while the background cleans, where it has been
 * already, is zero when it comes again, though nothing else is dirty by then.
 */
static int test_behind(char **arg)
{
	const size_t size = 65536;
	unsigned int turn;
	unsigned char *at;
	__u64 all, left;
	int low, rest;

	for (turn = 0; turn < 20; turn++) {
		low = buffer(size, arg[0], CBLOCK_CACHED, 0);
		at = map(low, size);
		memset(at, 0x5a, size);
		munmap(at, size);
		rest = buffer(region_of(arg[0]).largest, arg[0], CBLOCK_CACHED, 0);
		close(rest);
		all = dirty_bytes(arg[0]);
		while (dirty_bytes(arg[0]) == all)
			;
		close(low);
		left = dirty_bytes(arg[0]);
		if (left <= size)
			continue;	/* the background was done before */
		while ((left = dirty_bytes(arg[0])) > size)
			;
		low = buffer(size, arg[0], CBLOCK_CACHED, 0);
		must_be_zero(map(low, size), size, "what was freed behind the cleaner");
		if (left == size)
			return 0;
		close(low);
	}
	errx(1, "in %u turns nothing was freed behind the cleaner", turn);
}

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

/* page: bytes of one */
static int test_page(char **arg)
{
	(void)arg;
	printf("%ld\n", sysconf(_SC_PAGESIZE));
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} tests[] = {
	{ "zero", 1, test_zero },	/* REGION */
	{ "heap", 1, test_heap },	/* PATH */
	{ "abi", 0, test_abi },
	{ "map", 1, test_map },		/* REGION */
	{ "direct", 2, test_direct },	/* REGION FILE */
	{ "drm", 2, test_drm },		/* REGION CARD */
	{ "has-uring", 0, test_has_uring },
	{ "uring", 2, test_uring },	/* REGION FILE */
	{ "faults", 1, test_faults },	/* REGION */
	{ "behind", 1, test_behind },	/* REGION */
	{ "hold", 2, test_hold },	/* SIZE REGION */
	{ "page", 0, test_page },
	{ "usable", 2, test_usable },	/* SIZE REGION|PATH */
	{ }
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; tests[i].name; i++) {
		if (argc < 2 || strcmp(argv[1], tests[i].name) ||
		    argc < 2 + tests[i].args)
			continue;
		device = open("/dev/cblock", O_RDWR | O_CLOEXEC);
		if (device < 0)
			err(1, "/dev/cblock");
		return tests[i].run(argv + 2);
	}
	fprintf(stderr, "usage: cblock_io TEST [ARG...]\n");
	return 2;
}
