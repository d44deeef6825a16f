// SPDX-License-Identifier: GPL-2.0
/*
 * What shell cannot do with /dev/cblock. cblock_io TEST [ARG...] exits with 0,
 * or says what is wrong and exits with 1.
 *
 * Also built for 32 bits, as cblock_io32, for arm64.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/io_uring.h>

#include "cblock_io.h"

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
	int heap = open(arg[0], O_RDONLY | O_CLOEXEC), unused = dup(heap);
	struct dma_heap_allocation_data *fixed;
	unsigned char *at;

	if (heap < 0)
		err(1, "%s", arg[0]);
	close(unused);
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
	if (fcntl(data.fd, F_GETFD) != FD_CLOEXEC)
		errx(1, "O_CLOEXEC is not heeded");
	close(data.fd);
	munmap(at, 2 * MIB);

	data.fd = 1;
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) || errno != EINVAL)
		err(1, "a descriptor that is not 0");
	if (!ioctl(heap, DMA_BUF_IOCTL_SYNC, &sync) || errno != ENOTTY)
		err(1, "an unknown ioctl");
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (void *)8) || errno != EFAULT)
		err(1, "a bad pointer");
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

	/* where it cannot be said, there is no buffer and no descriptor */
	fixed = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if ((void *)fixed == MAP_FAILED)
		err(1, "mmap");
	fixed->len = 4096;
	mprotect(fixed, 4096, PROT_READ);
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, fixed) || errno != EFAULT)
		err(1, "a read-only structure");
	if (dup(heap) != unused)
		errx(1, "a descriptor stays");
	limit_descriptors(unused + 1);
	data.len = 4096;
	if (!ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) || errno != EMFILE)
		err(1, "no descriptor left");
	limit_descriptors(0);
	return 0;
}

static void map_and_change(const char *region, __u32 flags)
{
	size_t size = 4 * MIB, page = sysconf(_SC_PAGESIZE);
	int fd = buffer(size, region, CBLOCK_CACHED, flags), status;
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
	fd = buffer(size, region, CBLOCK_CACHED, flags);
	memset(map(fd, size), 0x33, size);
	must_hold(other, size / 4, 0x22, "what was mapped");
}

/* map REGION: what is allowed with a mapping, and what is not */
static int test_map(char **arg)
{
	map_and_change(arg[0], 0);
	if (region_of(arg[0]).flags & CBLOCK_REGION_PAGES)
		map_and_change(arg[0], CBLOCK_ALLOC_PAGES);
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

/* pinned REGION: what somebody has a reference to, here a pipe, is not freed */
static int test_pinned(char **arg)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct iovec iov = { .iov_len = page };
	unsigned char copy[page], *at;
	int ends[2], fd;

	if (!(region_of(arg[0]).flags & CBLOCK_REGION_PAGES))
		return 0;
	fd = buffer(page, arg[0], CBLOCK_CACHED, CBLOCK_ALLOC_PAGES);
	at = map(fd, page);
	memset(at, 0x5a, page);
	iov.iov_base = at;
	if (pipe(ends) || vmsplice(ends[1], &iov, 1, 0) != (ssize_t)page)
		err(1, "vmsplice");
	munmap(at, page);
	close(fd);
	if (region_of(arg[0]).blocks != 1)
		errx(1, "freed while a pipe holds its page");
	close(device);
	if (!syscall(SYS_delete_module, "cblock", O_NONBLOCK) ||
	    errno != EWOULDBLOCK)
		err(1, "unloading while a pipe holds a page");
	if (read(ends[0], copy, page) != (ssize_t)page)
		err(1, "the pipe");
	must_hold(copy, page, 0x5a, "what the pipe holds");
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

/* page: bytes of one */
static int test_page(char **arg)
{
	(void)arg;
	printf("%ld\n", sysconf(_SC_PAGESIZE));
	return 0;
}

static const struct test tests[] = {
	{ "zero", 1, test_zero },	/* REGION */
	{ "heap", 1, test_heap },	/* PATH */
	{ "map", 1, test_map },		/* REGION */
	{ "direct", 2, test_direct },	/* REGION FILE */
	{ "pinned", 1, test_pinned },	/* REGION */
	{ "has-uring", 0, test_has_uring },
	{ "uring", 2, test_uring },	/* REGION FILE */
	{ "faults", 1, test_faults },	/* REGION */
	{ "behind", 1, test_behind },	/* REGION */
	{ "hold", 2, test_hold },	/* SIZE REGION */
	{ "page", 0, test_page },
	{ }
};

int main(int argc, char **argv)
{
	return run_test(tests, argc, argv);
}
