#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A kernel with the suite built in, from a tree that scripts/in-tree prepared:
# the devices are there from boot on and work without a module.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
loaded cma_test && ! module_file cma_test >/dev/null ||
	skip_all "the suite is not built into this kernel"

devices()
{
	for name in cma_test cblock bootmem_probe vmalloc_probe; do
		[ -c /dev/$name ] || fail "no /dev/$name"
		! grep -q "^$name " /proc/modules || fail "$name is a module here"
	done
}

classic()
{
	ok /dev/cma_test 0
	ok /dev/cma_test 'alloc 3M name=three'
	grep -q '^slot0 .*pages=256 .*from=area' /sys/kernel/debug/cma_test/allocations ||
		fail "slot 0 is not in the report"
	grep -q '^three .*pages=768 .*from=area' /sys/kernel/debug/cma_test/allocations ||
		fail "'three' is not in the report"
	case $(cat /dev/cma_test) in
	'slot 0: freed 1024 KiB'*) ;;
	*) fail "reading does not free slot 0" ;;
	esac
	ok /dev/cma_test 'free three'
	refused 'No such file or directory' /dev/cma_test 'free three'
}

probes()
{
	cat /dev/bootmem_probe >/tmp/report || fail "bootmem_probe reports nothing"
	[ -s /tmp/report ] || fail "bootmem_probe's report is empty"
	ok /dev/bootmem_probe 'alloc 1M'
	ok /dev/vmalloc_probe 'alloc 1M name=one'
	cat /dev/vmalloc_probe >/tmp/report || fail "vmalloc_probe reports nothing"
	grep -q one /tmp/report || fail "'one' is not in the report"
	ok /dev/vmalloc_probe 'free one'
}

# cblock= as the board's command line has it: right, at an address, without a
# name; a second time the same address, more than there is, no size.
from_memblock()
{
	grep -q 'cblock=16M ' /proc/cmdline || fail "nothing is reserved with cblock="
	same "boot fixed boot2 " "$(region_names | tr '\n' ' ')" regions
	for pair in boot:16777216 fixed:8388608 boot2:4194304; do
		name=${pair%:*}
		same boot "$(region "$name" source)" "source of $name"
		same yes "$(region "$name" pages)" "pages of $name"
		same "${pair#*:}" "$(region "$name" size)" "size of $name"
	done
	same $((0x20000000)) $(($(region fixed base))) "base of fixed"
	grep -q '20000000-207fffff : cblock' /proc/iomem || fail "fixed is not claimed"
	dmesg | grep -q 'cblock=8M@0x20400000,overlap: there is no such free memory' ||
		fail "an overlapping range is not refused"
	dmesg | grep -q 'cblock=4096G,large: there is no such free memory' ||
		fail "too large a range is not refused"
	dmesg | grep -q 'cblock=0: not SIZE' || fail "a size of 0 is not refused"
	for effect in 16M:as-asked 8M@0x20000000,fixed:as-asked \
		8M@0x20400000,overlap:not-at-all 4096G,large:not-at-all \
		0:not-at-all 4M:as-asked; do
		grep -q "^param cblock=${effect%:*} ${effect#*:}:" /sys/kernel/debug/bootmem_probe/parameters ||
			fail "$effect: $(cat /sys/kernel/debug/bootmem_probe/parameters)"
	done
	ok /dev/cblock 'alloc 16M region=boot name=all'
	ok /dev/cblock 'clear all'
	ok /dev/cblock 'free all'
	same 16777216 "$(region boot largest)" "largest hole"
}

run_cases \
	"the devices are there from boot on:devices" \
	"cma_test allocates and frees:classic" \
	"bootmem_probe and vmalloc_probe report:probes" \
	"cblock= reserves before there is a page allocator:from_memblock"
