// SPDX-License-Identifier: GPL-2.0
/*
 * What a shell cannot do to /dev/cma_test: writes of no bytes, bad pointers,
 * one-byte reads, a crowd of writers and readers, death in the middle, and
 * loading and unloading as fast as it goes.
 *
 *	cma_test_io DEVICE zero|badread|badwrite	one call; prints its errno
 *	cma_test_io DEVICE onebyte		reads to the end, byte by byte
 *	cma_test_io DEVICE crowd N		N processes at once
 *	cma_test_io DEVICE herd N [COMMAND]	N processes write it at once, no more;
 *						without it they read
 *	cma_test_io DEVICE kill N		N processes, each killed
 *	cma_test_io MODULE reload N PAGES	loads and unloads it, N times, with
 *						PAGES allocated before
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

#define OWNERS	"/sys/kernel/debug/cma_test/owners"

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

/* A whole line goes out in one piece. */
static int read_line(int fd)
{
	char text[256];
	ssize_t len = read(fd, text, sizeof(text));

	return len < 0 || (len && write(STDOUT_FILENO, text, len) != len);
}

/* It succeeds, or fails for want of memory or because others were quicker. */
static int may_write(int fd, const char *command)
{
	int late = *command == '0' ? ENOSPC : *command == 'a' ? EEXIST : ENOENT;

	return write(fd, command, strlen(command)) >= 0 || errno == ENOMEM ||
	       errno == EBUSY || errno == late;
}

/*
 * One of the crowd: even ones fill slots and take a name, odd ones free them,
 * be they allocated by now or not.
 */
static int member(int number)
{
	static const char * const writes[] = { "0\n", "alloc 256K name=same" };
	static const char * const frees[] = { NULL, "free same", NULL, "free all" };
	const char *command;
	char text[256];
	int i, fd, ok;

	for (i = 0; i < 8; i++) {
		command = number % 2 ? frees[i % 4] : writes[i % 2];
		fd = device_open();
		ok = command ? may_write(fd, command) :
			       read(fd, text, sizeof(text)) >= 0;
		close(fd);
		if (!ok)
			return 1;
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

/* They wait for the last of them, and then all begin. */
static int herd(int size, const char *command)
{
	int gate[2], status, failed = 0, i;
	char c;

	if (pipe(gate))
		return 1;
	for (i = 0; i < size; i++) {
		pid_t pid = fork();

		if (!pid) {
			int fd = device_open();

			close(gate[1]);
			if (read(gate[0], &c, 1))
				_exit(1);
			_exit(command ? !may_write(fd, command) : read_line(fd));
		}
		if (pid < 0) {
			perror("fork");
			failed++;
		}
	}
	close(gate[1]);
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

/*
 * What was allocated before the load, @there pages or more, is shown as such, we
 * have one record of @ours pages, and nothing is lost.
 */
static int owners_are_exact(unsigned long there, unsigned long ours)
{
	unsigned long pages, unseen = 0, own = 0, lost = 1;
	FILE *report = fopen(OWNERS, "r");
	char line[2048], who[64];
	int pid = 0;

	if (!report) {
		perror(OWNERS);
		return 0;
	}
	while (fgets(line, sizeof(line), report)) {
		if (sscanf(line, "# owners lost=%lu", &lost) == 1)
			continue;
		if (sscanf(line, "area=%*s pfn=%*s pages=%lu age=%63s pid=%d",
			   &pages, who, &pid) < 2)
			continue;
		if (!strcmp(who, "before-load"))
			unseen += pages;
		else if (pid == getpid())
			own += pages;
	}
	fclose(report);
	if (!lost && own == ours && unseen >= there)
		return 1;
	fprintf(stderr, "%lu records are lost; we have %lu of %lu pages; %lu of %lu are older\n",
		lost, own, ours, unseen, there);
	return 0;
}

/* A module that is no path is loaded and unloaded by modprobe. */
static int load(const char *module)
{
	int fd, err;

	if (!strchr(module, '/'))
		return system("modprobe cma_test");
	fd = open(module, O_RDONLY | O_CLOEXEC);
	err = fd < 0 || syscall(SYS_finit_module, fd, "", 0);
	if (err)
		perror(module);
	close(fd);
	return err;
}

static int unload(void)
{
	/* a reader of its reports may still be leaving */
	while (syscall(SYS_delete_module, "cma_test", O_NONBLOCK)) {
		if (errno != EAGAIN && errno != EBUSY) {
			perror("delete_module");
			return 1;
		}
		usleep(10000);
	}
	return 0;
}

static int reload(int rounds, unsigned long there)
{
	static const char command[] = "alloc 256K name=x";
	const char *module = device;
	int i, fd;

	device = "/dev/cma_test";
	for (i = 1; i <= rounds; i++) {
		if (load(module))
			break;
		fd = device_open();
		if (write(fd, command, strlen(command)) < 0) {
			perror(command);
			break;
		}
		close(fd);
		if (!owners_are_exact(there, 262144 / getpagesize()) || unload())
			break;
	}
	if (i <= rounds)
		fprintf(stderr, "that was in round %d of %d\n", i, rounds);
	return i <= rounds;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr,
			"usage: %s DEVICE zero|badread|badwrite|onebyte|crowd N|herd N [COMMAND]|kill N\n"
			"       %s MODULE reload N PAGES\n", argv[0], argv[0]);
		return 2;
	}
	device = argv[1];
	if (!strcmp(argv[2], "onebyte"))
		return one_byte();
	if (!strcmp(argv[2], "crowd") && argc > 3)
		return crowd(atoi(argv[3]));
	if (!strcmp(argv[2], "herd") && argc > 3)
		return herd(atoi(argv[3]), argv[4]);
	if (!strcmp(argv[2], "kill") && argc > 3)
		return killed(atoi(argv[3]));
	if (!strcmp(argv[2], "reload") && argc > 4)
		return reload(atoi(argv[3]), strtoul(argv[4], NULL, 0));
	return one_call(argv[2]);
}
