#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm-arm64: --append 'cma=72M numa_cma=0:32M' --mem 768M --dts cma_test_areas.dts
# kmemlab-vm-arm: --append cma=64M@0x54000000 --mem 768M --dts cma_test_areas.dts
#
# Several areas, of different sizes, from the device tree (cma_test_areas.dts):
# each is listed with its bounds and each can be allocated from, whichever way
# it is reached. The default one has a neighbour where it can have one: numa_cma='s,
# which no device tree knows, or one that the device tree knows.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma
[ -d /proc/device-tree/reserved-memory/camera@50000000 ] ||
	skip_all "the device tree has no reserved-memory nodes of cma_test_areas.dts"

areas_are_listed()
{
	mib=$((1048576 / page_size))
	same $((0x50000000 / page_size)) $(($(area_field camera@50000000 base))) "base of camera"
	same $((0x58000000 / page_size)) $(($(area_field codec@58000000 base))) "base of codec"
	same $((32 * mib)) "$(area_field camera@50000000 pages)" "size of camera"
	same $((64 * mib)) "$(area_field codec@58000000 pages)" "size of codec"
	same $((96 * mib)) "$(area_field display pages)" "size of display"
	[ "$(default_area)" ] || fail "no default area"
	same '' "$(awk '!/^#/ { print $1 }' $cma_dir/areas | sort | uniq -d)" "areas that are listed twice"
	awk '!/^#/ && ($4 + $5 + $6 + $7 != $3 || $8 > $4 || $9 < $8 || $9 > $4 + $5) { exit 1 }' \
		$cma_dir/areas || fail "the numbers contradict each other: $(cat $cma_dir/areas)"
	for area in camera@50000000 codec@58000000 display; do
		same no "$(area_field $area default)" "default flag of $area"
	done
}

# routes: of all areas, each once
routes() { awk '!/^#/ { print $10 }' $cma_dir/areas | sort -u | tr '\n' ' '; }

# Are CMA's functions exported? Older kernels may have them, too.
exported() { uname -r | awk -F '[.-]' '{ exit $1 < 7 || $1 == 7 && $2 + 0 < 1 }'; }

# The kernel's own list; from 7.2 on.
nothing_is_missing()
{
	for area in /sys/kernel/mm/cma/*; do
		[ -d "$area" ] || continue
		same "$(cat "$area/total_pages")" "$(area_field "${area##*/}" pages)" "size of ${area##*/}"
	done
}

# in_area NAME AREA: the block lies in the area, says the report and says the sum
in_area()
{
	same "$2" "$(alloc_field "$1" area)" "area of $1"
	same area "$(alloc_field "$1" from)" "origin of $1"
	pfn=$(($(alloc_field "$1" pfn)))
	[ $pfn -ge $(($(area_field "$2" base))) ] || fail "$1 begins before $2"
	[ $((pfn + $(alloc_field "$1" pages))) -le \
	  $(($(area_field "$2" base) + $(area_field "$2" pages))) ] || fail "$1 ends behind $2"
}

each_area_is_used()
{
	for area in camera@50000000 codec@58000000 display "$(default_area)"; do
		ok $cma_dev "alloc 1M area=$area name=one"
		in_area one "$area"
		ok $cma_dev "alloc 3M area=$area name=two via=dma"
		in_area two "$area"
		[ "$(area_field "$area" allocated)" -ge $((4 * mib)) ] ||
			fail "4 MiB of $area are not allocated"
		ok $cma_dev 'free all'
	done
}

short_names_do()
{
	ok $cma_dev 'alloc 1M area=codec name=short'
	in_area short codec@58000000
	ok $cma_dev 'free short'
	refused 'No such file or directory' $cma_dev 'alloc 1M area=cod'
}

a_drivers_page_comes_from_its_area()
{
	ok $cma_dev 'alloc 4K area=camera name=page via=dma'
	in_area page camera@50000000
	ok $cma_dev 'free page'
}

areas_are_whole()
{
	for area in camera@50000000 codec@58000000; do
		pages=$(area_field $area pages)
		ok $cma_dev "alloc $((pages * page_size)) area=$area name=whole"
		in_area whole $area
		refused 'Cannot allocate memory' $cma_dev "alloc 64K area=$area"
		ok $cma_dev 'free whole'
	done
	refused 'Cannot allocate memory' $cma_dev 'alloc 65M area=codec'
}

with_the_exports()
{
	cma_load
	areas_are_listed
	case $(routes) in
	'exports ') ;;
	'resolved ') ! exported || fail "the exports are not used" ;;
	*) fail "cma_alloc() is not what reaches each area: $(routes)" ;;
	esac
	nothing_is_missing
	each_area_is_used
	short_names_do
	a_drivers_page_comes_from_its_area
	areas_are_whole
	holders_are_apart
}

# Of those who hold an area the one who holds most of it is named, whatever others
# hold elsewhere.
holders_are_apart()
{
	ok $cma_dev 'alloc 24M area=camera name=elsewhere'
	for i in 1 2 3 4; do
		ok $cma_dev "alloc 16M area=codec name=here$i"
	done
	refused 'Cannot allocate memory' $cma_dev 'alloc 64K area=codec'
	last_verdict | grep -q '^advice .*sh\[[0-9]*\] holds 16384 KiB; ' || fail "$(last_verdict)"
	ok $cma_dev 'free all'
}

# default_bounds: where the default area is
default_bounds()
{
	area=$(default_area)
	echo "$(area_field "$area" base) $(area_field "$area" pages)"
}

# taken LEAST: kmemlab_parts has taken that many pages of the default area
taken()
{
	[ "$(area_field "$(default_area)" allocated)" -ge "$1" ] ||
		fail "less than $1 pages are taken: $(cat $cma_dir/areas)"
}

# Where the kernel can be asked for an area's bounds, they are known although none
# of its pages can be had.
full_areas_are_listed()
{
	cma_load
	bounds=$(default_bounds)
	name=$(default_area)
	load kmemlab_parts below=$((${bounds% *} + ${bounds#* })) || fail "kmemlab_parts takes nothing"
	cma_load
	same "$name" "$(default_area)" "the default area"
	same "$bounds" "$(default_bounds)" "its bounds"
	taken $((${bounds#* } * 3 / 4))
	areas_are_listed
	cma_load resolve=0
	areas=$(awk '!/^#/ { print $1 }' $cma_dir/areas | tr '\n' ' ')
	say "with resolve=0: $areas"
	if [ "$(routes)" = 'device-tree ' ]; then
		same '' "$(default_area)" "a default area that nothing tells"
		refused 'No such file or directory' $cma_dev 0
		refused 'No such file or directory' $cma_dev 'alloc 64K'
	else
		same "$name" "$(default_area)" "the default area with resolve=0"
	fi
	ok $cma_dev 'alloc 1M area=camera@50000000 name=one'
	in_area one camera@50000000
	unload kmemlab_parts || fail "kmemlab_parts does not unload"
}

# Does numa_cma='s area, which no device tree knows, end where the default one begins?
numa_adjoins()
{
	[ "$(area_field numa0 base)" ] &&
		[ $(($(area_field numa0 base) + $(area_field numa0 pages))) = $(($(area_field "$(default_area)" base))) ]
}

# No unexported function is called: on kernels before 7.1 the device tree and
# the DMA API are all that is left. The default area is found by a page of it,
# which lies in its upper half: another driver has the lower.
without_resolving()
{
	cma_load
	bounds=$(default_bounds)
	numa_adjoins && adjoins=yes || adjoins=
	load kmemlab_parts below=$((${bounds% *} + ${bounds#* } / 2)) || fail "kmemlab_parts takes nothing"
	cma_load resolve=0
	areas_are_listed
	case $(routes) in
	'exports ') ;;
	'device-tree dma ')
		! exported || fail "the exports are not used"
		same dma "$(area_field "$(default_area)" route)" "route of the default area" ;;
	*) fail "something is resolved with resolve=0: $(routes)" ;;
	esac
	case $adjoins$(area_field "$(default_area)" bounds) in
	yesadjoining-areas | yespageblocks) ;;
	*) same "$bounds" "$(default_bounds)" "the default area" ;;
	esac
	taken $((${bounds#* } / 4))
	unload kmemlab_parts || fail "kmemlab_parts does not unload"
	each_area_is_used
	areas_are_whole
}

default_by_parameter()
{
	cma_load area=display
	ok $cma_dev 0
	same display "$(alloc_field slot0 area)" "area of a classic slot"
	cat $cma_dev >/dev/null
}

run_cases \
	"every area is listed and used:with_the_exports" \
	"an area that is full is listed:full_areas_are_listed" \
	"every area is listed and used with resolve=0:without_resolving" \
	"area= chooses the default area:default_by_parameter"
