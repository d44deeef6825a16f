#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --dts cblock.dts --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
# kmemlab-vm-x86_64: --append 'memmap=64M$0x28000000 mem=896M reserve_mem=16M:2M:spare cma=64M'
#
# The text commands of /dev/cblock and what reading it shows.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock
cmdline_has mem=896M || skip_all "needs memory kept from the kernel"

allocate_and_free()
{
	cblock_load
	ok $cblock_dev "alloc 10M name=big region=carved"
	same 10485760 "$(block big size)" "size"
	same carved "$(block big region)" "region"
	same 0 "$(block big offset)" "offset"
	same sh "$(block big owner)" "owner"
	block big caller | grep -q verb_alloc || fail "no caller"
	same $((54 << 20)) "$(region carved free)" "free bytes"
	ok $cblock_dev "alloc 5000 name=small region=carved"
	same "$(($(getconf_page) * ((5000 + $(getconf_page) - 1) / $(getconf_page))))" \
		"$(block small size)" "a size that is rounded up"
	ok $cblock_dev "free big"
	ok $cblock_dev "alloc 4M region=carved name=low"
	same 0 "$(block low offset)" "offset of what fits below"
	ok $cblock_dev "free small"
	ok $cblock_dev "free low"
	all_free
}

without_a_name()
{
	cblock_load
	ok $cblock_dev "alloc 1M"
	ok $cblock_dev "alloc 1M"
	same 2 "$(grep -c '^block name=block[0-9]' $cblock_dev)" "blocks named for us"
}

alignment()
{
	cblock_load
	ok $cblock_dev "alloc 4K name=a region=carved"
	for align in 64K 1M 16M; do
		ok $cblock_dev "alloc 4K align=$align name=at$align region=carved"
	done
	same 65536 "$(block at64K offset)" "offset of 64K"
	same 1048576 "$(block at1M offset)" "offset of 1M"
	same 16777216 "$(block at16M offset)" "offset of 16M"
	refused 'Invalid argument' $cblock_dev 'alloc 4K align=3'
	refused 'Invalid argument' $cblock_dev 'alloc 4K align=0'
	refused 'Invalid argument' $cblock_dev 'alloc 4K align=2G'
}

first_and_best()
{
	cblock_load
	# holes of 4M at 0 and of 2M at 5M
	n=0
	for size in 4M 1M 2M 1M; do
		ok $cblock_dev "alloc $size region=carved name=b$size$((n = n + 1))"
	done
	ok $cblock_dev "free b4M1"
	ok $cblock_dev "free b2M3"
	ok $cblock_dev "alloc 2M region=carved fit=best name=best"
	ok $cblock_dev "alloc 2M region=carved fit=first name=first"
	same 0 "$(block first offset)" "offset of first"
	same $((5 << 20)) "$(block best offset)" "offset of best"
	refused 'Invalid argument' $cblock_dev 'alloc 4K fit=worst'
}

would_it_fit()
{
	cblock_load
	ok $cblock_dev "fit 64M region=carved"
	refused 'Cannot allocate memory' $cblock_dev "fit 65M region=carved"
	ok $cblock_dev "alloc 4K region=carved name=x"
	refused 'Cannot allocate memory' $cblock_dev "fit 64M region=carved"
	ok $cblock_dev "fit 32M align=16M region=carved"
	same 1 "$(region carved blocks)" "blocks: fit allocates nothing"
}

why_it_failed()
{
	cblock_load
	refused 'Cannot allocate memory' $cblock_dev "alloc 100M"
	grep -q 'larger than any region' $cblock_verdict || fail "$(cat $cblock_verdict)"
	ok $cblock_dev "alloc 4K region=carved name=a"
	ok $cblock_dev "alloc 4K align=32M region=carved name=b"
	refused 'Cannot allocate memory' $cblock_dev "alloc 40M region=carved"
	grep -q fragmented $cblock_verdict || fail "$(cat $cblock_verdict)"
	ok $cblock_dev "alloc 30M region=carved name=c"
	refused 'Cannot allocate memory' $cblock_dev "alloc 40M region=carved"
	grep -q exhausted $cblock_verdict || fail "$(cat $cblock_verdict)"
	same 3 "$(region carved failed)" "failed allocations"
}

bad_commands()
{
	cblock_load
	before=$(grep -v '^#' $cblock_dev | sed 's/ dirty=[0-9]*//; s/ failed=[0-9]*//')
	for text in '' ' ' alloc 'alloc 0' 'alloc x' 'alloc 8Mx' 'alloc 10Q' \
		'alloc -1' 'alloc 1M 2M' 'alloc 1M size=1M' 'alloc 1M name=' \
		'alloc 1M name=a/b' 'alloc 1M name=a name=b' 'free' 'free a b' \
		'clear' 'fit' 'fit 0' 'fit 1M name=a' 'open a' \
		"alloc 1M name=$(printf %032d 0)"; do
		refused 'Invalid argument' $cblock_dev "$text"
	done
	refused 'No such file or directory' $cblock_dev 'free nothing'
	refused 'No such file or directory' $cblock_dev 'clear nothing'
	refused 'No such file or directory' $cblock_dev 'alloc 1M region=nowhere'
	refused 'Cannot allocate memory' $cblock_dev 'alloc 0xfffffffffffff000'
	refused 'Numerical result out of range' $cblock_dev 'alloc 99999999999999999999'
	same "$before" "$(grep -v '^#' $cblock_dev | sed 's/ dirty=[0-9]*//; s/ failed=[0-9]*//')" \
		"the report after what was refused"
	ok $cblock_dev 'alloc 1M name=a'
	refused 'File exists' $cblock_dev 'alloc 1M name=a'
	ok $cblock_dev help
}

named_blocks_stay()
{
	cblock_load
	sh -c "echo 'alloc 1M name=stays' >$cblock_dev"
	same 1048576 "$(block stays size)" "size of a block whose shell has ended"
	! rmmod cblock 2>/dev/null || fail "unloads while a block lives"
	loaded cblock || fail "gone"
	ok $cblock_dev "free stays"
	cblock_unload || fail "does not unload"
}

many_blocks_one_report()
{
	cblock_load
	i=0
	while [ $i -lt 150 ]; do
		ok $cblock_dev "alloc 4K name=n$i region=carved"
		i=$((i + 1))
	done
	same 150 "$(grep -c '^block' $cblock_dev)" "blocks in one read"
	same 150 "$(dd if=$cblock_dev bs=64 2>/dev/null | grep -c '^block')" \
		"blocks in short reads"
	same "$(sort -u $cblock_dev | wc -l)" "$(wc -l <$cblock_dev)" "different lines"
}

permissions()
{
	cblock_load
	same "crw-------" "$(ls -l $cblock_dev | cut -c1-10)" "mode of $cblock_dev"
	same "-r--------" "$(ls -l $cblock_verdict | cut -c1-10)" "mode of verdict"
}

load_and_unload()
{
	i=0
	while [ $i -lt 10 ]; do
		cblock_load
		cblock_unload || fail "does not unload"
		i=$((i + 1))
	done
	! [ -e $cblock_dev ] || fail "$cblock_dev is still there"
}

run_cases \
	"alloc and free:allocate_and_free" \
	"alloc without a name:without_a_name" \
	"alignment up to 1 GiB:alignment" \
	"first and best fit:first_and_best" \
	"fit answers without allocating:would_it_fit" \
	"a failure is explained:why_it_failed" \
	"bad commands change nothing:bad_commands" \
	"named blocks outlive their shell and pin the module:named_blocks_stay" \
	"the report is whole however it is read:many_blocks_one_report" \
	"permissions:permissions" \
	"load and unload:load_and_unload"
