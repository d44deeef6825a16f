# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab bootmem: where the memory went while booting, and what contradicts
# what.

here=$(dirname "$0")
part=bootmem
# shellcheck source=scripts/kmemlab.d/common
. "$here/common"
options "$@"
show bootmem_probe layout
