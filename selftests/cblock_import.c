// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that import blocks. cblock_import TEST [ARG...] exits with 0, or says
 * what is wrong and exits with 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "cblock_io.h"

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

/* What cblock_importer sees of a buffer, and what was done to caches for it. */
struct device_view {
	unsigned long long address, cleaned, dropped;
	unsigned int length;
};

static int parameter(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/cblock_importer/parameters/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static int tell(const char *name, const char *text)
{
	int fd = parameter(name, O_WRONLY), result = 0;

	if (write(fd, text, strlen(text)) < 0)
		result = errno;
	close(fd);
	return result;
}

static int import(int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	return tell("import", text);
}

static struct device_view view(void)
{
	struct device_view view;
	char text[256] = "";
	int fd = parameter("import", O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "address=%llx length=%u cleaned=%llu dropped=%llu",
		   &view.address, &view.length, &view.cleaned, &view.dropped) != 4)
		err(1, "cblock_importer says '%s'", text);
	close(fd);
	return view;
}

#ifdef __aarch64__
#define COUNTED	1
#else
#define COUNTED	0
#endif

/* After @what as many bytes of caches were cleaned, and dropped, at least. */
static struct device_view maintained(const char *what, size_t cleaned,
				     size_t dropped)
{
	struct device_view now = view();

	if (COUNTED && (now.cleaned < cleaned || now.dropped < dropped))
		errx(1, "%s: %llu bytes of caches cleaned, %llu dropped; not %zu and %zu",
		     what, now.cleaned, now.dropped, cleaned, dropped);
	return now;
}

static void sync_cpu(int fd, unsigned int flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	if (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
}

/*
 * device REGION: a device that is not coherent sees a buffer where it is, and
 * the CPU's caches are written back before it reads, and dropped when it has
 * written; unless no mapping is cached.
 */
static int test_device(char **arg)
{
	struct cblock_ioc_region region = region_of(arg[0]);
	int pages = region.flags & CBLOCK_REGION_PAGES, result;
	struct cblock_ioc_alloc alloc;
	struct device_view seen;
	unsigned int cache;
	char text[128];
	size_t size, n;
	void *at;

	for (cache = 0; cache < 3; cache++) {
		if (!(region.caches & 1U << cache))
			continue;
		import(-1);
		alloc = request(2 * MIB, arg[0]);
		alloc.cache = cache;
		if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
			err(1, "alloc of cache mode %u", cache);
		size = cache == CBLOCK_CACHED ? alloc.size : 0;
		/* it was zeroed, cached */
		n = alloc.size - size;
		maintained("alloc", n, n);
		at = map(alloc.fd, alloc.size);
		snprintf(text, sizeof(text), "%lx %u %llx", (long)at, cache,
			 pages ? alloc.phys : 0);
		if (tell("mapping", text))
			errx(1, "a mapping is not of cache mode %u", cache);

		result = import(alloc.fd);
#ifdef __arm__
		if (!pages) {
			if (result != EOPNOTSUPP)
				errx(1, "without pages: not EOPNOTSUPP, %d", result);
			return 0;
		}
#endif
		if (result)
			errx(1, "import: %s", strerror(result));
		seen = maintained("mapping for a device", size, 0);
		if (seen.address != alloc.phys || seen.length != alloc.size)
			errx(1, "the device sees %u bytes at %#llx, not %llu at %#llx",
			     seen.length, seen.address, alloc.size, alloc.phys);
		sync_cpu(alloc.fd, DMA_BUF_SYNC_START);
		maintained("begin of CPU access", 0, size);
		sync_cpu(alloc.fd, DMA_BUF_SYNC_END);
		maintained("end of CPU access", size, 0);
		import(-1);
		maintained("end of the device's mapping", 0, size);
		munmap(at, alloc.size);
		close(alloc.fd);
	}
	return 0;
}

/*
 * limited REGION BITS: a device of so few address bits cannot reach a buffer, and
 * without struct pages nobody can copy it to where that one can
 */
static int test_limited(char **arg)
{
	int fd = buffer(64 << 10, arg[0], CBLOCK_CACHED, 0), result;
#ifdef __arm__
	const int want = EOPNOTSUPP;
#else
	const int want = EIO;
#endif

	tell("bits", arg[1]);
	result = import(fd);
	if (result != want)
		errx(1, "import: not %d, %d", want, result);
	return 0;
}

/*
 * copied REGION: where devices see nothing but copies, one gets a copy of a
 * buffer with struct pages, and of others nothing; and what is not to be cached
 * is itself in no cache
 */
static int test_copied(char **arg)
{
	struct cblock_ioc_alloc alloc = request(64 << 10, arg[0]);
	unsigned int cache;
	int result;

	for (cache = CBLOCK_WRITECOMBINE; cache <= CBLOCK_UNCACHED; cache++) {
		if (!(region_of(arg[0]).caches & 1U << cache))
			continue;
		import(-1);
		close(buffer(2 * MIB, arg[0], cache, 0));
		maintained("alloc", 2 * MIB, 2 * MIB);
	}
	if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "alloc");
	result = import(alloc.fd);
	if (!(region_of(arg[0]).flags & CBLOCK_REGION_PAGES)) {
		if (result != EIO)
			errx(1, "import: not %d, %d", EIO, result);
		return 0;
	}
	if (result)
		errx(1, "import: %s", strerror(result));
	if (view().address == alloc.phys)
		errx(1, "the device sees the buffer itself");
	import(-1);
	return 0;
}

static const struct test tests[] = {
	{ "copied", 1, test_copied },	/* REGION */
	{ "device", 1, test_device },	/* REGION */
	{ "drm", 2, test_drm },		/* REGION CARD */
	{ "limited", 2, test_limited },	/* REGION BITS */
	{ }
};

int main(int argc, char **argv)
{
	return run_test(tests, argc, argv);
}
