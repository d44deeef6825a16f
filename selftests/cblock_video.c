// SPDX-License-Identifier: GPL-2.0
/*
 * cblock_video DEVICE REGION CACHE: a V4L2 capture driver fills blocks of REGION,
 * of that cache mode, as dma-bufs, with frames of a test pattern; are they there?
 *
 * The pattern is the one that vivid starts with: eight vertical bars of different colours.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/cblock.h>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>

#define BUFFERS	3
#define FRAMES	6
#define BARS	8

static void sync_cpu(int fd, unsigned int flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_READ };

	if (ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync))
		err(1, "DMA_BUF_IOCTL_SYNC");
}

/* Each bar is of one colour, and its neighbour of another. */
static void check_line(const unsigned char *line, unsigned int width)
{
	const unsigned char *bar[BARS];
	unsigned int i, x, step = width / BARS;

	for (i = 0; i < BARS; i++) {
		/* two bytes a pixel, four have a colour; not those at the edges */
		bar[i] = line + (i * step + step / 4) / 2 * 4;
		for (x = 0; x < step / 4; x++)
			if (memcmp(bar[i] + 4 * x, bar[i], 4))
				errx(1, "bar %u is not of one colour", i);
		if (i && !memcmp(bar[i], bar[i - 1], 4))
			errx(1, "bars %u and %u are of the same colour", i - 1, i);
	}
}

static void queue(int video, unsigned int index, int fd, unsigned int length)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.length = length,
		.m.fd = fd,
	};

	if (ioctl(video, VIDIOC_QBUF, &buffer))
		err(1, "VIDIOC_QBUF");
}

int main(int argc, char **argv)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_requestbuffers req = {
		.count = BUFFERS,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE, fd[BUFFERS], video, device;
	struct cblock_ioc_alloc alloc;
	unsigned char *at[BUFFERS];
	unsigned int i;

	if (argc != 4)
		errx(2, "usage: cblock_video DEVICE REGION CACHE");
	video = open(argv[1], O_RDWR);
	device = open("/dev/cblock", O_RDWR);
	if (video < 0 || device < 0)
		err(1, "%s or /dev/cblock", argv[1]);

	format.fmt.pix.width = 640;
	format.fmt.pix.height = 360;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	if (ioctl(video, VIDIOC_S_FMT, &format) ||
	    format.fmt.pix.pixelformat != V4L2_PIX_FMT_YUYV)
		err(1, "VIDIOC_S_FMT");
	if (ioctl(video, VIDIOC_REQBUFS, &req) || req.count < BUFFERS)
		err(1, "VIDIOC_REQBUFS");

	for (i = 0; i < BUFFERS; i++) {
		alloc = (struct cblock_ioc_alloc){ .size = format.fmt.pix.sizeimage };
		snprintf(alloc.region, sizeof(alloc.region), "%s", argv[2]);
		alloc.cache = atoi(argv[3]);
		if (ioctl(device, CBLOCK_IOC_ALLOC, &alloc)) {
			/* not every region can be anything but cached */
			if (errno == EOPNOTSUPP && alloc.cache)
				return 0;
			err(1, "CBLOCK_IOC_ALLOC");
		}
		fd[i] = alloc.fd;
		at[i] = mmap(NULL, alloc.size, PROT_READ, MAP_SHARED, alloc.fd, 0);
		if (at[i] == MAP_FAILED)
			err(1, "mmap");
		queue(video, i, fd[i], alloc.size);
	}
	if (ioctl(video, VIDIOC_STREAMON, &type))
		err(1, "VIDIOC_STREAMON");
	for (i = 0; i < FRAMES; i++) {
		struct v4l2_buffer buffer = {
			.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
			.memory = V4L2_MEMORY_DMABUF,
		};

		if (ioctl(video, VIDIOC_DQBUF, &buffer))
			err(1, "VIDIOC_DQBUF");
		if (buffer.bytesused < format.fmt.pix.sizeimage)
			errx(1, "a frame of %u bytes", buffer.bytesused);
		sync_cpu(fd[buffer.index], DMA_BUF_SYNC_START);
		/* near the lower edge: the driver writes text above */
		check_line(at[buffer.index] + (format.fmt.pix.height - 8) *
			   format.fmt.pix.bytesperline, format.fmt.pix.width);
		sync_cpu(fd[buffer.index], DMA_BUF_SYNC_END);
		queue(video, buffer.index, fd[buffer.index], buffer.length);
	}
	if (ioctl(video, VIDIOC_STREAMOFF, &type))
		err(1, "VIDIOC_STREAMOFF");
	printf("%d frames of %ux%u\n", FRAMES, format.fmt.pix.width,
	       format.fmt.pix.height);
	return 0;
}
