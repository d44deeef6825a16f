// SPDX-License-Identifier: GPL-2.0
/*
 * Load a module, just once (insmod may try again), while an allocation fails.
 *
 *	load_failing MODULE-FILE N	the N-th allocation of it fails; prints
 *					what is left of N, and the errno
 *
 * Exits 0 if it was loaded.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int module, nth;
	char left[16] = "";
	long ret;

	if (argc != 3) {
		fprintf(stderr, "usage: %s MODULE-FILE N\n", argv[0]);
		return 2;
	}
	module = open(argv[1], O_RDONLY | O_CLOEXEC);
	nth = open("/proc/self/fail-nth", O_RDWR);
	if (module < 0 || nth < 0) {
		perror("open");
		return 2;
	}
	dprintf(nth, "%s", argv[2]);
	ret = syscall(SYS_finit_module, module, "", 0);
	ret = ret ? errno : 0;
	if (pread(nth, left, sizeof(left) - 1, 0) < 0)
		perror("fail-nth");
	dprintf(nth, "0");
	printf("%d %s\n", atoi(left), strerror(ret));
	return ret ? 1 : 0;
}
