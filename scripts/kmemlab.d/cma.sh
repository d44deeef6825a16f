# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab cma: the CMA areas, who holds them, and why the last allocation failed.

here=$(dirname "$0")
reports=/sys/kernel/debug/cma_test
map='' json='' svg=''

usage() { echo "usage: kmemlab cma [map] [--json] [--svg FILE]" >&2; exit 2; }

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
[ -r $reports/areas ] || {
	echo "kmemlab: no $reports/areas: is cma_test loaded, debugfs mounted, and are you root?" >&2
	exit 1
}
[ "$svg" != - ] || svg=/dev/stdout
page=$(awk '/^KernelPageSize:/ { print $2 * 1024; exit }' /proc/self/smaps)

# The map comes last: by then the areas and their sizes are known.
for report in areas owners verdict latency pins map; do
	sed "s/^/$report /" $reports/$report || exit 1
done | awk -v map="$map" -v json="$json" -v svg="$svg" -v page="$page" \
	-f "$here/draw.awk" -f "$here/cma.awk"
