// SPDX-License-Identifier: GPL-2.0
/*
 * Let allocation FROM, FROM + 1, … TO of an operation fail in turn, until one of
 * them meets no failure. Of loading, whose hundreds of first allocations are the
 * module loader's, only a sample of these.
 *
 *	failing [-c FILE]… FROM TO write DEVICE COMMAND [UNDO]
 *	failing [-c FILE]… FROM TO read FILE
 *	failing [-n] [-c FILE]… FROM TO load FILE MODULE [PARAMETERS]
 *
 * UNDO takes back what COMMAND did, where it did it; a module is unloaded. -n: the
 * module is asked for something that is not there, and done is when it says so. After
 * each step every FILE of -c must be as it was at first, or still not be there;
 * one that is the FILE of a read is read as it was, or not at all. Says
 * "refused=N last=STEP ended=yes done=yes": no more allocations than those
 * failed, and without a failure it is done.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATE_MAX	(256 * 1024)
#define FILES_MAX	4

/*
 * Most of our modules make fewer than LAST allocations: these are never left out. Nor
 * those of a load that is refused, which registers devices and removes them again;
 * kmemleak doubles them.
 */
#define LAST		60
#define LAST_REFUSED	240
#define SAMPLE		41

static const char *files[FILES_MAX];
static char *states[FILES_MAX];
static int nr_files;
static bool no_entry;
static int nth;

static void die(long step, const char *what, const char *name)
{
	fprintf(stderr, "step %ld: %s %s (%s)\n", step, what, name, strerror(errno));
	exit(1);
}

static void arm(long step)
{
	if (dprintf(nth, "%ld", step) < 0)
		die(step, "cannot write", "fail-nth");
}

/* Disarm; how much of the count was not used up. */
static long disarm(long step)
{
	char left[16] = "";

	if (pread(nth, left, sizeof(left) - 1, 0) < 0)
		die(step, "cannot read", "fail-nth");
	arm(0);
	return atol(left);
}

/* A file's content, "" if there is none; and whether it could be read. */
static char *state_of(const char *name, bool *done)
{
	static char buffer[STATE_MAX];
	size_t length = 0;
	ssize_t got = -1;
	int fd = open(name, O_RDONLY);

	while (fd >= 0 && length < sizeof(buffer) - 1) {
		got = read(fd, buffer + length, sizeof(buffer) - 1 - length);
		if (got <= 0)
			break;
		length += got;
	}
	if (fd >= 0)
		close(fd);
	buffer[length] = '\0';
	*done = got >= 0;
	return buffer;
}

static bool wrote(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool write_failing(long step, char **argv, long *left)
{
	int fd = open(argv[0], O_WRONLY);
	bool done;

	if (fd < 0)
		die(step, "cannot open", argv[0]);
	arm(step);
	done = wrote(fd, argv[1]);
	*left = disarm(step);
	if (done && argv[2] && !wrote(fd, argv[2]))
		die(step, "refused:", argv[2]);
	close(fd);
	return done;
}

static bool read_failing(long step, char **argv, long *left)
{
	const char *text;
	bool done;
	int i;

	arm(step);
	text = state_of(argv[0], &done);
	*left = disarm(step);
	for (i = 0; done && i < nr_files; i++)
		if (!strcmp(files[i], argv[0]) && strcmp(states[i], text))
			die(step, "read, but not as it was:", argv[0]);
	return done;
}

static bool load_failing(long step, char **argv, long *left)
{
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	bool loaded, done;

	if (fd < 0)
		die(step, "cannot open", argv[0]);
	arm(step);
	loaded = !syscall(SYS_finit_module, fd, argv[2] ? argv[2] : "", 0);
	done = no_entry ? !loaded && errno == ENOENT : loaded;
	*left = disarm(step);
	close(fd);
	if (loaded && syscall(SYS_delete_module, argv[1], O_NONBLOCK))
		die(step, "cannot unload", argv[1]);
	return done;
}

static const struct operation {
	const char *name;
	int args_min, args_max;
	bool (*run)(long step, char **argv, long *left);
} operations[] = {
	{ "write", 2, 3, write_failing },
	{ "read", 1, 1, read_failing },
	{ "load", 2, 3, load_failing },
	{ }
};

static const struct operation *operation_of(int argc, char **argv)
{
	const struct operation *operation;

	for (operation = operations; argc > 3 && operation->name; operation++)
		if (!strcmp(argv[2], operation->name) &&
		    argc - 3 >= operation->args_min &&
		    argc - 3 <= operation->args_max)
			return operation;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct operation *operation;
	long step, to, total = 0, left = 0, refused = 0, last = LAST;
	bool done = false, there;
	int i;

	if (argc > 1 && !strcmp(argv[1], "-n")) {
		no_entry = true;
		last = LAST_REFUSED;
		argv++;
		argc--;
	}
	while (argc > 2 && !strcmp(argv[1], "-c") && nr_files < FILES_MAX) {
		files[nr_files] = argv[2];
		states[nr_files++] = strdup(state_of(argv[2], &there));
		argv += 2;
		argc -= 2;
	}
	operation = operation_of(argc - 1, argv + 1);
	if (!operation) {
		fprintf(stderr, "usage: see failing.c\n");
		return 2;
	}
	step = atol(argv[1]);
	to = atol(argv[2]);
	argv += 4;
	nth = open("/proc/self/fail-nth", O_RDWR);
	if (nth < 0)
		die(0, "cannot open", "fail-nth");
	if (operation->run == load_failing) {
		if (!operation->run(to, argv, &left))
			die(to, "cannot load", argv[0]);
		total = to - left;
	}
	for (; step <= to; step += step + last < total ? SAMPLE : 1) {
		done = operation->run(step, argv, &left);
		refused += !done;
		for (i = 0; i < nr_files; i++)
			if (strcmp(states[i], state_of(files[i], &there)))
				die(step, done ? "done and undone, but changed:" :
						 "refused, but changed:", files[i]);
		if (left)
			break;
	}
	printf("refused=%ld last=%ld ended=%s done=%s\n", refused,
	       step > to ? to : step, left ? "yes" : "no", done ? "yes" : "no");
	return 0;
}
