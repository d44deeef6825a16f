# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab cma: the CMA areas, who holds them, and why the last allocation failed.

here=$(dirname "$0")
reports=/sys/kernel/debug/cma_test
part=cma
# shellcheck source=scripts/kmemlab.d/common
. "$here/common"
options "$@"
[ -r $reports/areas ] || {
	echo "kmemlab: no $reports/areas: is cma_test loaded, debugfs mounted, and are you root?" >&2
	exit 1
}
page=$(awk '/^KernelPageSize:/ { print $2 * 1024; exit }' /proc/self/smaps)

# The map comes last: by then the areas and their sizes are known.
for report in areas owners verdict latency pins map; do
	sed "s/^/$report /" $reports/$report || exit 1
done | awk -v map="$map" -v json="$json" -v svg="$svg" -v page="$page" \
	-f "$here/draw.awk" -f "$here/cma.awk"
