#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The header of cblock's ioctls is C and C++, and its structures and numbers are
# the same for programs of 32 and 64 bits.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

need clang

prepare()
{
	cat >"$scratch/layout.c" <<-'EOF'
	#include <stddef.h>
	#include <linux/cblock.h>
	#ifdef __cplusplus
	#define _Static_assert static_assert
	#endif
	#define SAME(what, value) _Static_assert((what) == (value), #what)
	SAME(sizeof(struct cblock_ioc_info), 16);
	SAME(sizeof(struct cblock_ioc_region), 72);
	SAME(offsetof(struct cblock_ioc_region, size), 16);
	SAME(offsetof(struct cblock_ioc_region, name), 40);
	SAME(sizeof(struct cblock_ioc_fit), 64);
	SAME(offsetof(struct cblock_ioc_fit, region), 24);
	SAME(offsetof(struct cblock_ioc_fit, fits), 56);
	SAME(sizeof(struct cblock_ioc_alloc), 72);
	SAME(offsetof(struct cblock_ioc_alloc, region), 16);
	SAME(offsetof(struct cblock_ioc_alloc, fd), 56);
	SAME(offsetof(struct cblock_ioc_alloc, phys), 64);
	SAME(CBLOCK_IOC_INFO, 0xc010cb00U);
	SAME(CBLOCK_IOC_REGION, 0xc048cb01U);
	SAME(CBLOCK_IOC_FIT, 0xc040cb02U);
	SAME(CBLOCK_IOC_ALLOC, 0xc048cb03U);
	EOF
	echo '#include <linux/cblock.h>' >"$scratch/alone.c"
}

# compiles COMPILER ARG...: both files
compiles()
{
	prepare
	for file in alone layout; do
		"$@" -Wall -Wextra -Werror -fsyntax-only -I"$top/include/uapi" \
			"$scratch/$file.c" 2>"$scratch/log" ||
			fail "$*: $(head -n 3 "$scratch/log")"
	done
}

as_c() { compiles cc -std=c11 -pedantic; }
as_cxx() { compiles clang -x c++ -std=c++11; }
for_arm()
{
	compiles arm-linux-gnueabihf-gcc
	compiles aarch64-linux-gnu-gcc
}

# i386 aligns 64-bit members to 4 bytes: the padding must not depend on it
for_i386() { compiles clang --target=i386-linux-gnu -I/usr/include/x86_64-linux-gnu; }

run_cases \
	"C:as_c" \
	"C++:as_cxx" \
	"ARM, 32 and 64 bits:for_arm" \
	"i386:for_i386"
