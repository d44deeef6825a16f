# SPDX-License-Identifier: GPL-2.0
#
# kmemlab vmalloc: the vmalloc range, who holds it, and what is left of it.

here=$(dirname "$0")
device=/dev/vmalloc_probe
reports=/sys/kernel/debug/vmalloc_probe
map='' json='' svg=''

usage() { echo "usage: kmemlab vmalloc [map] [--json] [--svg FILE]" >&2; exit 2; }

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
	echo "kmemlab: no $device: is vmalloc_probe loaded, and are you root?" >&2
	exit 1
}
if [ "$map$svg" ] && [ ! -r $reports/areas ]; then
	echo "kmemlab: no $reports/areas: is debugfs mounted there?" >&2
	exit 1
fi
[ "$svg" != - ] || svg=/dev/stdout

{
	cat $device || exit 1
	[ ! "$map$svg" ] || cat $reports/areas
} | awk -v map="$map" -v json="$json" -v svg="$svg" -f "$here/draw.awk" -f "$here/vmalloc.awk"
