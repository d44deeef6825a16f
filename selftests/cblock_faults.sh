#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# Every allocation that a command, the report or loading makes is made to fail in
# turn, where the kernel has fault injection: refused or carried out, nothing
# stays behind, and the kernel is silent.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/faults.sh
. "$here/faults.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
need_faults
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"

# nothing is cleaned meanwhile: the report stays as it was
commands_fail()
{
	cblock_load clean=0
	every_step -c $cblock_dev write $cblock_dev 'alloc 1M name=a' 'free a'
	every_step -c $cblock_dev write $cblock_dev 'fit 1M'
	ok $cblock_dev 'alloc 4K name=b'
	before=$(region carved dirty)
	every_step write $cblock_dev 'clear b'
	same "$before" "$(region carved dirty)" "dirty bytes"
	ok $cblock_dev 'free b'
}

reports_fail()
{
	cblock_load
	ok $cblock_dev 'alloc 4K name=b'
	every_step read $cblock_dev
	every_step read $cblock_verdict
	ok $cblock_dev 'free b'
}

loading_fails()
{
	cblock_load
	every_load cblock "region=carved:64M@$(carved_base)"
	! grep -q ': cblock' /proc/iomem || fail "memory stays claimed"
}

run_cases \
	"commands, every step:commands_fail" \
	"reports, every step:reports_fail" \
	"loading, every step:loading_fails"
