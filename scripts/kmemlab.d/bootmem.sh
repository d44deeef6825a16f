# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab bootmem: where the memory went while booting, and what contradicts
# what.

here=$(dirname "$0")
device=/dev/bootmem_probe
reports=/sys/kernel/debug/bootmem_probe
map='' json='' svg=''

usage() { echo "usage: kmemlab bootmem [map] [--json] [--svg FILE]" >&2; exit 2; }

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
	echo "kmemlab: no $device: is bootmem_probe loaded, and are you root?" >&2
	exit 1
}
if [ "$map$svg" ] && [ ! -r $reports/layout ]; then
	echo "kmemlab: no $reports/layout: is debugfs mounted there?" >&2
	exit 1
fi
[ "$svg" != - ] || svg=/dev/stdout

{
	cat $device || exit 1
	[ ! "$map$svg" ] || cat $reports/layout
} | awk -v map="$map" -v json="$json" -v svg="$svg" -f "$here/draw.awk" -f "$here/bootmem.awk"
