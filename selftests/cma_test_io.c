// SPDX-License-Identifier: GPL-2.0
/*
 * What a shell cannot do to /dev/cma_test: writes of no bytes, bad pointers,
 * one-byte reads, a crowd of writers and readers, death in the middle, and
 * loading a module just once (insmod may try again) while an allocation fails.
 *
 *	cma_test_io DEVICE zero|badread|badwrite	one call; prints its errno
 *	cma_test_io DEVICE onebyte		reads to the end, byte by byte
 *	cma_test_io DEVICE crowd N		N processes at once
 *	cma_test_io DEVICE kill N		N processes, each killed
 *	cma_test_io MODULE load N		the N-th allocation of it fails;
 *						prints what is left of N, and the errno
 *
 * Exits 0 if nothing happened but what may.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *device;

static int device_open(void)
{
	int fd = open(device, O_RDWR);

	if (fd < 0) {
		perror(device);
		exit(2);
	}
	return fd;
}

static int one_call(const char *what)
{
	/* an address that is ours, but not to be touched */
	void *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = device_open();
	ssize_t ret;

	if (!strcmp(what, "zero"))
		ret = write(fd, "", 0);
	else if (!strcmp(what, "badread"))
		ret = read(fd, bad, 64);
	else
		ret = write(fd, bad, 8);
	puts(ret < 0 ? strerror(errno) : "done");
	return 0;
}

static int one_byte(void)
{
	int fd = device_open();
	char c;

	while (read(fd, &c, 1) == 1)
		putchar(c);
	return 0;
}

/* One of the crowd: even ones fill slots, odd ones free them. */
static int member(int number)
{
	char text[256];
	int i, fd;

	for (i = 0; i < 5; i++) {
		fd = device_open();
		if (number % 2) {
			if (read(fd, text, sizeof(text)) < 0)
				return 1;
		} else if (write(fd, "0\n", 2) < 0 && errno != ENOSPC &&
			   errno != ENOMEM && errno != EBUSY) {
			return 1;
		}
		close(fd);
	}
	return 0;
}

static int crowd(int size)
{
	int status, failed = 0, i;

	for (i = 0; i < size; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(member(i));
		if (pid < 0) {
			perror("fork");
			failed++;
		}
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed ? 1 : 0;
}

/* Each child allocates and frees until it is killed, somewhere on the way. */
static int killed(int rounds)
{
	struct timespec delay = {};
	int status, i;

	for (i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		while (!pid)
			member(rand() % 2);
		delay.tv_nsec = (i * 7919L % 50 + 1) * 1000000L;
		nanosleep(&delay, NULL);
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
			return 1;
	}
	return 0;
}

static int load(int step)
{
	int module = open(device, O_RDONLY | O_CLOEXEC);
	int nth = open("/proc/self/fail-nth", O_RDWR);
	char left[16] = "";
	long ret;

	if (module < 0 || nth < 0) {
		perror("open");
		return 2;
	}
	dprintf(nth, "%d", step);
	ret = syscall(SYS_finit_module, module, "", 0);
	ret = ret ? errno : 0;
	if (pread(nth, left, sizeof(left) - 1, 0) < 0)
		perror("fail-nth");
	dprintf(nth, "0");
	printf("%d %s\n", atoi(left), strerror(ret));
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr,
			"usage: %s DEVICE zero|badread|badwrite|onebyte|crowd N|kill N\n"
			"       %s MODULE load N\n", argv[0], argv[0]);
		return 2;
	}
	device = argv[1];
	if (!strcmp(argv[2], "onebyte"))
		return one_byte();
	if (!strcmp(argv[2], "crowd") && argc > 3)
		return crowd(atoi(argv[3]));
	if (!strcmp(argv[2], "kill") && argc > 3)
		return killed(atoi(argv[3]));
	if (!strcmp(argv[2], "load") && argc > 3)
		return load(atoi(argv[3]));
	return one_call(argv[2]);
}
