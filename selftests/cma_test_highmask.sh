#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=64M@4G --mem 5G
#
# The third way in which dma_alloc_coherent() misses CMA: the area lies above
# what the device can address. The pages are allocated, found to be out of
# reach, given back, and the buddy allocator serves silently.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
cma_load
[ $(($(area_field "$(default_area)" base) * ($(page_size) / 1024))) -ge 4194304 ] ||
	skip_all "the area does not lie above 4 GiB on this machine"

a_narrow_mask_misses()
{
	ok $cma_dev 'alloc 1M name=narrow via=dma mask=32'
	same buddy "$(alloc_field narrow from)" "origin with a 32-bit mask"
	ok $cma_dev 'alloc 1M name=wide via=dma'
	same area "$(alloc_field wide from)" "origin with a 64-bit mask"
	ok $cma_dev 'free all'
}

run_cases "a 32-bit device misses an area above 4 GiB:a_narrow_mask_misses"
