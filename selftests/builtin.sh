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
# name; until there are as many as it takes.
from_memblock()
{
	grep -q 'cblock=16M ' /proc/cmdline || fail "nothing is reserved with cblock="
	same "boot fixed boot2 d e f g h " "$(region_names | tr '\n' ' ')" regions
	for pair in boot:16777216 fixed:8388608 boot2:4194304 h:65536; do
		name=${pair%:*}
		same boot "$(region "$name" source)" "source of $name"
		same yes "$(region "$name" pages)" "pages of $name"
		same "${pair#*:}" "$(region "$name" size)" "size of $name"
	done
	same $((0x20000000)) $(($(region fixed base))) "base of fixed"
	grep -q '20000000-207fffff : cblock' /proc/iomem || fail "fixed is not claimed"
	ok /dev/cblock 'alloc 16M region=boot name=all'
	ok /dev/cblock 'clear all'
	ok /dev/cblock 'free all'
	same 16777216 "$(region boot largest)" "largest hole"
}

# A second time the same address, or name; more than there is, or none; a name, an
# address, that is none; and one too many.
refused_by_memblock()
{
	dmesg >/tmp/log
	while read -r text reason; do
		grep -q "cblock=$text: $reason" /tmp/log || fail "$text: not refused: $reason"
	done <<-EOF
		8M@0x20400000,overlap there is no such free memory
		4096G,large there is no such free memory
		2M@0x700000000000,beyond there is no such free memory
		2M,fixed the name 'fixed' is taken
		2M,no/name 'no/name' is not a name
		2M@0x28000200,edge not SIZE
		2M@0,zero not SIZE
		0 not SIZE
		64K,i more than 8
	EOF
	rm /tmp/log
}

effects()
{
	for effect in 16M:as-asked 8M@0x20000000,fixed:as-asked \
		8M@0x20400000,overlap:not-at-all 4096G,large:not-at-all \
		0:not-at-all 4M:as-asked 2M,fixed:not-at-all 64K,d:as-asked; do
		grep -q "^param cblock=${effect%:*} ${effect#*:}:" /sys/kernel/debug/bootmem_probe/parameters ||
			fail "$effect: $(cat /sys/kernel/debug/bootmem_probe/parameters)"
	done
}

run_cases \
	"the devices are there from boot on:devices" \
	"cma_test allocates and frees:classic" \
	"bootmem_probe and vmalloc_probe report:probes" \
	"cblock= reserves before there is a page allocator:from_memblock" \
	"cblock= that is wrong, or for what is not there, is refused:refused_by_memblock" \
	"bootmem_probe tells what became of each cblock=:effects"
