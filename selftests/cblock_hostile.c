// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that treat /dev/cblock badly. Each exits with 0 if the driver is
 * none the worse, or says what is wrong and exits with 1.
 *
 *	cblock_hostile fuzz COUNT SEED      random ioctls
 *	cblock_hostile race COUNT REGION    descriptors closed under way
 *	cblock_hostile storm PROCESSES SECONDS REGION
 *	cblock_hostile fault COUNT REGION CACHE
 *	    each step of an allocation fails, of its mapping, and of its import by a
 *	    device
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/cblock.h>

static int device;
static __u64 state = 1;

static __u32 draw(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static int fail(const char *what)
{
	fprintf(stderr, "cblock_hostile: %s (%s)\n", what, strerror(errno));
	return 1;
}

static struct cblock_ioc_alloc request(__u64 size, const char *region)
{
	struct cblock_ioc_alloc alloc = { .size = size };

	snprintf(alloc.region, sizeof(alloc.region), "%s", region);
	return alloc;
}

/* Mostly plausible, now and then nonsense: what is all nonsense gets nowhere. */
static void fuzz_fill(unsigned char *data, size_t len)
{
	unsigned int flips = draw() % 6;

	memset(data, draw() % 16 ? 0 : draw(), len);
	if (draw() % 2) {
		__u64 size = 1ULL << draw() % 64;

		memcpy(data, &size, sizeof(size));
	}
	while (flips--)
		data[draw() % len] = draw() % 4 ? 1U << draw() % 8 : draw();
}

static int test_fuzz(char **arg)
{
	unsigned long count = strtoul(arg[0], NULL, 0), done = 0, allocated = 0;
	int unused = dup(device);
	unsigned char data[512];
	size_t len;
	unsigned int cmd;

	close(unused);
	state = strtoull(arg[1], NULL, 0);
	for (; done < count; done++) {
		static const unsigned int known[] = {
			CBLOCK_IOC_INFO, CBLOCK_IOC_REGION, CBLOCK_IOC_FIT,
			CBLOCK_IOC_ALLOC, CBLOCK_IOC_ALLOC,
		};
		struct cblock_ioc_alloc *alloc = (void *)data;
		void *where = data;

		cmd = known[draw() % 5];
		if (!(draw() % 4))
			cmd = _IOC(draw() % 4, draw() % 8 ? CBLOCK_IOC_MAGIC : draw() % 256,
				   draw() % 6, draw() % (sizeof(data) + 1));
		len = _IOC_SIZE(cmd);
		fuzz_fill(data, sizeof(data));
		/* what lies behind the structure must not be written */
		memset(data + len, 0x5a, sizeof(data) - len);
		if (!(draw() % 64))
			where = (void *)(uintptr_t)draw();
		if (ioctl(device, cmd, where))
			goto check;
		if (_IOC_NR(cmd) == 3 && where == data) {
			allocated++;
			if (alloc->fd <= device || close(alloc->fd))
				return fail("an allocation without a descriptor");
		}
check:
		for (; len < sizeof(data); len++)
			if (data[len] != 0x5a)
				return fail("written behind the structure");
	}
	if (dup(device) != unused)
		return fail("a descriptor that nobody was told of");
	printf("%lu ioctls, %lu of them allocated\n", done, allocated);
	return allocated ? 0 : fail("none of them allocated");
}

static bool stop;

/* Closes what others open. */
static void *closer(void *unused)
{
	unsigned int seed = 1;

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		seed = seed * 1103515245 + 12345;
		close(device + 1 + (seed >> 16) % 8);
		sched_yield();
	}
	return NULL;
}

static int test_race(char **arg)
{
	unsigned long count = strtoul(arg[0], NULL, 0);
	pthread_t thread;

	if (pthread_create(&thread, NULL, closer, NULL))
		return fail("no thread");
	while (count--) {
		struct cblock_ioc_alloc alloc = request(16384, arg[1]);
		unsigned char *at;

		if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc))
			return fail("alloc");
		at = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, alloc.fd, 0);
		if (at == MAP_FAILED)
			continue;
		at[8192] = 1;
		close(alloc.fd);
		munmap(at, 16384);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return 0;
}

/* One of many: its tag is in every page of its blocks, and no other's is. */
static int storm_one(unsigned int who, time_t end, const char *region)
{
	unsigned int turn = 0;
	__u64 tag;
	size_t i, size;

	state = who + 1;
	while (!turn || time(NULL) < end) {
		struct cblock_ioc_alloc alloc;
		__u64 *at;

		alloc = request(1 + draw() % (256 << 10), region);
		alloc.align = draw() % 4 ? 0 : 4096ULL << draw() % 6;
		alloc.flags = draw() % 2 ? CBLOCK_ALLOC_BEST : 0;
		if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc)) {
			if (errno != ENOMEM)
				return fail("alloc");
			sched_yield();
			continue;
		}
		size = alloc.size / sizeof(*at);
		at = mmap(NULL, alloc.size, PROT_READ | PROT_WRITE, MAP_SHARED, alloc.fd, 0);
		if (at == MAP_FAILED)
			return fail("mmap");
		close(alloc.fd);
		tag = (__u64)(who + 1) << 32 | turn++;
		for (i = 0; i < size; i += 64) {
			if (at[i])
				return fail("another's data");
			at[i] = tag;
		}
		sched_yield();
		for (i = 0; i < size; i += 64)
			if (at[i] != tag)
				return fail("a wrong tag");
		munmap(at, alloc.size);
	}
	return 0;
}

static int test_storm(char **arg)
{
	unsigned int count = strtoul(arg[0], NULL, 0), i;
	time_t end = time(NULL) + strtoul(arg[1], NULL, 0);
	int status, bad = 0;
	pid_t pid;

	for (i = 0; i < count; i++) {
		pid = fork();
		if (pid < 0)
			return fail("fork");
		/* every eighth is killed at some moment */
		if (!pid)
			_exit(storm_one(i, end, arg[2]));
		if (i % 8 == 7) {
			usleep(1000 * (i + 1));
			kill(pid, SIGKILL);
		}
	}
	while (wait(&status) > 0)
		if (status && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
			bad++;
	if (bad)
		fprintf(stderr, "cblock_hostile: %d processes failed\n", bad);
	return !!bad;
}

/* Let allocation 1, 2, 3... inside the kernel fail until none is left to. */
static int test_fault(char **arg)
{
	unsigned int most = strtoul(arg[0], NULL, 0), step, refused = 0;
	int control = open("/proc/self/fail-nth", O_RDWR);
	int importer = open("/sys/module/cblock_importer/parameters/import", O_WRONLY);
	char text[16];
	ssize_t len;

	if (control < 0)
		return fail("no fault injection");
	if (importer < 0)
		return fail("no cblock_importer");
	for (step = 1; step <= most; step++) {
		struct cblock_ioc_alloc alloc = request(1 << 20, arg[1]);
		unsigned char *at = MAP_FAILED;
		bool imported = false;
		int err;

		alloc.cache = strtoul(arg[2], NULL, 0);
		snprintf(text, sizeof(text), "%u", step);
		if (pwrite(control, text, strlen(text), 0) < 0)
			return fail("fail-nth");
		err = ioctl(device, CBLOCK_IOC_ALLOC, &alloc);
		if (!err)
			at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, alloc.fd, 0);
		if (!err)
			imported = dprintf(importer, "%d", alloc.fd) > 0;
		len = pread(control, text, sizeof(text) - 1, 0);
		if (pwrite(control, "0", 1, 0) < 0)
			return fail("fail-nth");
		refused += err || at == MAP_FAILED || !imported;
		if (imported && dprintf(importer, "-1") < 0)
			return fail("the device does not let go");
		if (at != MAP_FAILED) {
			at[0] = 1;
			munmap(at, 1 << 20);
		}
		if (!err)
			close(alloc.fd);
		/* what was not used up met no failure */
		if (len > 0 && text[0] != '0')
			break;
	}
	printf("%u steps, %u refused\n", step, refused);
	return step <= most && refused > 2 ? 0 : fail("no end, or no refusals");
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} tests[] = {
	{ "fuzz", 2, test_fuzz },
	{ "race", 2, test_race },
	{ "storm", 3, test_storm },
	{ "fault", 3, test_fault },
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
			return fail("/dev/cblock");
		return tests[i].run(argv + 2);
	}
	fprintf(stderr, "usage: cblock_hostile fuzz|race|storm|fault ARG...\n");
	return 2;
}
