/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel has and its tools/include lacks. */
#ifndef _SHIM_H
#define _SHIM_H

#include <string.h>

#define __ffs64(word)	((unsigned long)__builtin_ctzll(word))

#define max3(a, b, c)		max(max(a, b), c)

#endif /* _SHIM_H */
