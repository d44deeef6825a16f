# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab cblock: the regions as bars, their holes, and who holds what.

here=$(dirname "$0")
device=/dev/cblock
verdict=/sys/kernel/debug/cblock/verdict
map='' json='' svg=''

usage() { echo "usage: kmemlab cblock [map] [--json] [--svg FILE]" >&2; exit 2; }

while [ $# -gt 0 ]; do
	case $1 in
	map) map=yes ;;
	--json) json=yes ;;
	--svg)
		[ $# -gt 1 ] || usage
		svg=$2
		shift ;;
	*) usage ;;
	esac
	shift
done
[ -r $device ] || {
	echo "kmemlab: no $device: is cblock loaded, and are you root?" >&2
	exit 1
}
[ "$svg" != - ] || svg=/dev/stdout

{
	cat $device || exit 1
	[ ! -r $verdict ] || sed 's/^/verdict /' $verdict
} | awk -v map="$map" -v json="$json" -v svg="$svg" -f "$here/draw.awk" -f "$here/cblock.awk"
