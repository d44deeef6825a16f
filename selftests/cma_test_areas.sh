#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M --dts cma_test_areas.dts
#
# Several areas, of different sizes, from the device tree (cma_test_areas.dts):
# each is listed with its bounds and each can be allocated from, whichever way
# it is reached.

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
	mib=$((1048576 / $(page_size)))
	same $((0x50000000 / $(page_size))) $(($(area_field camera@50000000 base))) "base of camera"
	same $((0x58000000 / $(page_size))) $(($(area_field codec@58000000 base))) "base of codec"
	same $((32 * mib)) "$(area_field camera@50000000 pages)" "size of camera"
	same $((32 * mib)) "$(area_field codec@58000000 pages)" "size of codec"
	same $((32 * mib)) "$(area_field display pages)" "size of display"
	[ "$(default_area)" ] || fail "no default area"
	for area in camera@50000000 codec@58000000 display; do
		same no "$(area_field $area default)" "default flag of $area"
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
		ok $cma_dev "alloc $((pages * $(page_size))) area=$area name=whole"
		in_area whole $area
		refused 'Cannot allocate memory' $cma_dev "alloc 64K area=$area"
		ok $cma_dev 'free whole'
	done
	refused 'Cannot allocate memory' $cma_dev 'alloc 33M area=codec'
}

with_the_exports()
{
	cma_load
	areas_are_listed
	each_area_is_used
	short_names_do
	a_drivers_page_comes_from_its_area
	areas_are_whole
}

# No unexported function is called: on kernels before 7.1 the device tree and
# the DMA API are all that is left.
without_resolving()
{
	cma_load resolve=0
	grep -q resolved $cma_dir/areas && fail "something is resolved with resolve=0"
	areas_are_listed
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
	"every area is listed and used with resolve=0:without_resolving" \
	"area= chooses the default area:default_by_parameter"
