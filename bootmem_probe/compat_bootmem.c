// SPDX-License-Identifier: GPL-2.0
#include "../compat/bootmem.c"
