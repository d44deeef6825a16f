// SPDX-License-Identifier: GPL-2.0
/*
 * Have a V4L2 capture driver allocate buffers, and hold them.
 *
 *	cma_test_video DEVICE COUNT
 *	cma_test_video DEVICE COUNT ROUNDS
 *
 * Prints how many it got and holds them until standard input ends; or
 * allocates and frees them ROUNDS times.
 */

#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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

int main(int argc, char **argv)
{
	int fd, got, rounds;
	char c;

	if (argc < 3) {
		fprintf(stderr, "usage: %s DEVICE COUNT [ROUNDS]\n", argv[0]);
		return 2;
	}
	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	for (rounds = argc > 3 ? atoi(argv[3]) : 0; rounds > 0; rounds--)
		if (request(fd, atoi(argv[2])) < 0 || request(fd, 0) < 0)
			return 1;
	if (argc > 3)
		return 0;
	got = request(fd, atoi(argv[2]));
	if (got < 0)
		return 1;
	printf("%d buffers\n", got);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
