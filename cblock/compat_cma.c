// SPDX-License-Identifier: GPL-2.0
#include "compat_cma.h"
#include "../compat/cma.c"
