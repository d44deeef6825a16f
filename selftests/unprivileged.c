// SPDX-License-Identifier: GPL-2.0
/*
 * usage: unprivileged COMMAND...
 *
 * Runs COMMAND as root without a capability: whose files root may open, but not
 * what they keep for the privileged.
 */

#include <err.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { 0 };

	if (argc < 2)
		errx(2, "no command");
	/* or root would have all of them again in the command */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0))
		err(2, "securebits");
	if (syscall(__NR_capset, &header, none))
		err(2, "capset");
	execvp(argv[1], argv + 1);
	err(2, "%s", argv[1]);
}
