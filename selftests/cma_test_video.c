// SPDX-License-Identifier: GPL-2.0
/*
 * Have a V4L2 capture driver allocate buffers, and hold them.
 *
 *	cma_test_video DEVICE COUNT
 *	cma_test_video DEVICE COUNT ROUNDS
 *	cma_test_video DEVICE COUNT unpin
 *
 * Prints how many it got and how large they are, and holds them until standard
 * input ends; or allocates and frees them ROUNDS times, or until it is told to
 * terminate, and prints how often it did; or has cma_test let go of its pins
 * before any worker of the kernel runs on this CPU.
 */

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int request(int fd, unsigned int count)
{
	struct v4l2_requestbuffers req = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	if (ioctl(fd, VIDIOC_REQBUFS, &req)) {
		perror("VIDIOC_REQBUFS");
		return -1;
	}
	return req.count;
}

static unsigned int length(int fd)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	if (ioctl(fd, VIDIOC_QUERYBUF, &buffer))
		perror("VIDIOC_QUERYBUF");
	return buffer.length;
}

/* @rounds times, or until told to terminate. */
static int again_and_again(int fd, unsigned int count, int rounds)
{
	/* others want the CPU, too */
	const struct timespec pause = { .tv_nsec = 20000000 };
	sigset_t term;
	int done;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	for (done = 0; done < rounds; done++) {
		if (request(fd, count) < 0 || request(fd, 0) < 0)
			return 1;
		if (sigtimedwait(&term, NULL, &pause) == SIGTERM)
			break;
	}
	printf("%d times %u buffers\n", done, count);
	return 0;
}

static int and_unpin(int fd, unsigned int count)
{
	const struct sched_param first = { .sched_priority = 1 };
	int cma = open("/dev/cma_test", O_WRONLY);

	if (cma < 0 || sched_setscheduler(0, SCHED_FIFO, &first)) {
		perror("unpin");
		return 1;
	}
	request(fd, count);
	if (write(cma, "unpin\n", 6) != 6) {
		perror("unpin");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int fd, got;
	char c;

	if (argc < 3) {
		fprintf(stderr, "usage: %s DEVICE COUNT [ROUNDS|unpin]\n", argv[0]);
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	if (argc > 3 && !strcmp(argv[3], "unpin"))
		return and_unpin(fd, atoi(argv[2]));
	if (argc > 3)
		return again_and_again(fd, atoi(argv[2]), atoi(argv[3]));
	got = request(fd, atoi(argv[2]));
	if (got < 0)
		return 1;
	printf("%d buffers of %u bytes\n", got, length(fd));
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
