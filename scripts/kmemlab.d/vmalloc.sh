# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab vmalloc: the vmalloc range, who holds it, and what is left of it.

here=$(dirname "$0")
part=vmalloc
# shellcheck source=scripts/kmemlab.d/common
. "$here/common"
options "$@"
show vmalloc_probe areas
