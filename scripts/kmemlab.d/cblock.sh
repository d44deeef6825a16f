# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab cblock: the regions as bars, their holes, and who holds what.

here=$(dirname "$0")
part=cblock
verdict=/sys/kernel/debug/cblock/verdict
# shellcheck source=scripts/kmemlab.d/common
. "$here/common"
options "$@"
[ -r /dev/cblock ] || {
	echo "kmemlab: no /dev/cblock: is cblock loaded, and are you root?" >&2
	exit 1
}

{
	cat /dev/cblock || exit 1
	[ ! -r $verdict ] || sed 's/^/verdict /' $verdict
} | awk -v map="$map" -v json="$json" -v svg="$svg" -f "$here/draw.awk" -f "$here/cblock.awk"
