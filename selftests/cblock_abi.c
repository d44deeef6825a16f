// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of /dev/cblock, right and wrong. Exits with 0, or says what is wrong
 * and exits with 1.
 *
 * Also built for 32 bits, as cblock_abi32, for arm64.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "cblock_io.h"

static void refuse_ioctl(unsigned int cmd, void *arg, int expected,
			 const char *what)
{
	if (!ioctl(device, cmd, arg))
		errx(1, "%s: accepted", what);
	if (errno != expected)
		err(1, "%s: not the errno %d", what, expected);
}

/* Info, regions and fit: every field, right and wrong. */
static void abi_of_questions(void)
{
	struct cblock_ioc_region region = { 0 };
	struct cblock_ioc_info info = { 0 };
	struct cblock_ioc_fit fit = { .size = 4096 };
	__u64 largest = 0;
	__u32 version = 0;

	if (ioctl(device, CBLOCK_IOC_INFO, &info) || info.version != 1 ||
	    info.alloc_flags != CBLOCK_ALLOC_FLAGS || !info.regions)
		err(1, "info: version %u, %u regions", info.version, info.regions);
	/* an older program, which knows the first field alone */
	if (ioctl(device, _IOWR(CBLOCK_IOC_MAGIC, 0, version), &version) ||
	    version != 1)
		err(1, "version alone: %u", version);
	info.reserved = 1;
	refuse_ioctl(CBLOCK_IOC_INFO, &info, EINVAL, "info: a reserved field");

	for (; !ioctl(device, CBLOCK_IOC_REGION, &region); region.index++) {
		if (!region.size || !region.name[0] || !(region.caches & 1) ||
		    region.free != region.size || region.largest != region.size ||
		    region.blocks)
			errx(1, "region %u", region.index);
		if (region.largest > largest)
			largest = region.largest;
		memcpy(fit.region, region.name, sizeof(fit.region));
		if (ioctl(device, CBLOCK_IOC_FIT, &fit) || !fit.fits ||
		    fit.largest != region.size)
			err(1, "fit in %s", fit.region);
	}
	if (errno != ENOENT || region.index != info.regions)
		err(1, "%u regions of %u", region.index, info.regions);

	memset(fit.region, 0, sizeof(fit.region));
	if (ioctl(device, CBLOCK_IOC_FIT, &fit) || !fit.fits ||
	    fit.largest != largest)
		err(1, "fit of a page");
	fit.size = largest + 1;
	if (ioctl(device, CBLOCK_IOC_FIT, &fit) || fit.fits)
		err(1, "fit of a byte too much");
	fit.size = 1ULL << 50;
	if (ioctl(device, CBLOCK_IOC_FIT, &fit) || fit.fits)
		err(1, "fit of 2^50");
	fit.align = 3;
	refuse_ioctl(CBLOCK_IOC_FIT, &fit, EINVAL, "fit with alignment 3");
	fit.align = 0;
	fit.reserved = 1;
	refuse_ioctl(CBLOCK_IOC_FIT, &fit, EINVAL, "fit: a reserved field");
	fit.reserved = 0;
	fit.region[0] = '!';
	refuse_ioctl(CBLOCK_IOC_FIT, &fit, ENOENT, "fit in no region");
	fit.size = 0;
	refuse_ioctl(CBLOCK_IOC_FIT, &fit, EINVAL, "fit of nothing");

	refuse_ioctl(_IOWR(CBLOCK_IOC_MAGIC, 9, fit), &fit, ENOTTY, "ioctl 9");
	refuse_ioctl(_IOWR('?', 0, info), &info, ENOTTY, "an ioctl of others");
	refuse_ioctl(_IOR(CBLOCK_IOC_MAGIC, 0, info), &info, ENOTTY, "another direction");
	refuse_ioctl(_IO(CBLOCK_IOC_MAGIC, 0), &info, ENOTTY, "no structure");
}

/* Pages of one region; where they are. */
static struct cblock_ioc_alloc pages_of(const char *region, int count, __u32 flags)
{
	struct cblock_ioc_alloc alloc = request(count * sysconf(_SC_PAGESIZE), region);

	alloc.flags = flags;
	if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "alloc of %d pages", count);
	return alloc;
}

/* What an allocation gives back. */
static void abi_of_allocations(void)
{
	struct cblock_ioc_region region = { 0 };
	struct cblock_ioc_alloc alloc = request(1, NULL), other;
	__u64 page = sysconf(_SC_PAGESIZE), hole;

	if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
		err(1, "alloc of a byte");
	if (alloc.size != page || !alloc.phys || alloc.phys % page)
		errx(1, "a byte: %llu at %#llx", alloc.size, alloc.phys);
	if (fcntl(alloc.fd, F_GETFD) != FD_CLOEXEC)
		errx(1, "not closed by exec()");
	if (ioctl(device, CBLOCK_IOC_REGION, &region) || region.blocks != 1 ||
	    region.free != region.size - page || region.largest != region.free)
		err(1, "%s with a block in it", region.name);
	other = request(1, NULL);
	other.align = 1U << 21;
	if (ioctl(device, CBLOCK_IOC_ALLOC, &other) || other.phys % (1U << 21))
		err(1, "2 MiB aligned: at %#llx", other.phys);
	close(alloc.fd);
	close(other.fd);

	/* a hole of 4 pages, one of 2 behind it */
	alloc = pages_of(region.name, 4, 0);
	pages_of(region.name, 1, 0);
	other = pages_of(region.name, 2, 0);
	pages_of(region.name, 1, 0);
	hole = other.phys;
	close(alloc.fd);
	close(other.fd);
	other = pages_of(region.name, 2, CBLOCK_ALLOC_BEST);
	if (other.phys != hole)
		errx(1, "best fit: at %#llx, not %#llx", other.phys, hole);
	other = pages_of(region.name, 2, 0);
	if (other.phys != alloc.phys)
		errx(1, "first fit: at %#llx, not %#llx", other.phys, alloc.phys);
}

/* Without privilege nobody says where memory is. */
static void abi_without_privilege(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };
	char report[4096] = "";
	int fd, status;

	if (!fork()) {
		if (syscall(__NR_capset, &header, none))
			err(1, "capset");
		if (pages_of(NULL, 1, 0).phys)
			errx(1, "the physical address of a block");
		fd = open("/dev/cblock", O_RDONLY);
		if (fd < 0 || read(fd, report, sizeof(report) - 1) < 0 ||
		    !strstr(report, "region name="))
			err(1, "the report");
		if (strstr(report, " base="))
			errx(1, "the physical address of a region");
		_exit(0);
	}
	wait(&status);
	if (status)
		errx(1, "without privilege: %#x", status);
}

/* abi: every field, right and wrong */
static int test_abi(char **arg)
{
	struct {
		struct cblock_ioc_alloc alloc;
		__u64 later;
	} grown = { .alloc = request(4096, NULL) };
	struct cblock_ioc_alloc alloc;
	int fd, unused = dup(device);
	void *fixed;

	(void)arg;
	close(unused);
	abi_of_questions();
	abi_without_privilege();
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
	alloc.flags = CBLOCK_ALLOC_PAGES;
	alloc.cache = CBLOCK_WRITECOMBINE;
	refuse(alloc, EINVAL, "references to pages that are not cached");
	alloc = request(4096, NULL);
	alloc.reserved = 1;
	refuse(alloc, EINVAL, "a reserved field");
	alloc = request(4096, NULL);
	alloc.fd = 1;
	refuse(alloc, EINVAL, "a descriptor");
	alloc = request(4096, NULL);
	alloc.phys = 1;
	refuse(alloc, EINVAL, "a physical address");
	alloc = request(4096, NULL);
	memset(alloc.region, 'x', sizeof(alloc.region));
	refuse(alloc, EINVAL, "a name without end");

	/* a newer program: fine as long as what it adds is 0 */
	fd = ioctl(device, _IOWR(CBLOCK_IOC_MAGIC, 3, grown), &grown);
	if (fd || close(grown.alloc.fd))
		err(1, "a larger structure");
	grown.alloc = request(4096, NULL);
	grown.later = 1;
	refuse_ioctl(_IOWR(CBLOCK_IOC_MAGIC, 3, grown), &grown, E2BIG,
		     "an unknown field");
	refuse_ioctl(CBLOCK_IOC_ALLOC, (void *)8, EFAULT, "a bad pointer");
	alloc = request(4096, NULL);
	refuse_ioctl(_IOWR(CBLOCK_IOC_MAGIC, 3, alloc.size), &alloc, EINVAL,
		     "a structure without a descriptor");

	/* where it cannot be said, there is no block and no descriptor */
	fixed = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fixed == MAP_FAILED)
		err(1, "mmap");
	*(struct cblock_ioc_alloc *)fixed = request(4096, NULL);
	mprotect(fixed, 4096, PROT_READ);
	refuse_ioctl(CBLOCK_IOC_ALLOC, fixed, EFAULT, "a read-only structure");
	if (dup(device) != unused)
		errx(1, "a descriptor stays");
	limit_descriptors(unused + 1);
	refuse(request(4096, NULL), EMFILE, "no descriptor left");
	limit_descriptors(0);
	abi_of_allocations();
	return 0;
}

static const struct test tests[] = {
	{ "abi", 0, test_abi },
	{ }
};

int main(int argc, char **argv)
{
	return run_test(tests, argc, argv);
}
