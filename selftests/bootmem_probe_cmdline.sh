#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --mem 1G --append 'mem=800M mem=900M memmap=800M memmap=1M$0x30000000 memmap=2M$0x31000000,1M#0x31000000 memmap=junk cma=2G cma=3G hugetlb_cma=3G numa_cma=0:3G crashkernel=64G ramoops.mem_name=nosuch reserve_mem=64K:64K:r1 reserve_mem=64K:64K:r2 reserve_mem=64K:64K:r3 reserve_mem=64K:64K:r4 reserve_mem=64K:64K:r5 reserve_mem=64K:64K:r6 reserve_mem=64K:64K:r7 reserve_mem=64K:64K:r8 reserve_mem=64K:64K:r9 reserve_mem=128K:64K:r1 cblock=1M reserve_mem=junk words="one cblock=2M"'
#
# A command line on which little comes true: what became of each parameter, and
# what the lint says.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/bootmem_probe.sh
. "$here/bootmem_probe.sh"
need_module bootmem_probe
grep -q 'ramoops.mem_name=nosuch' /proc/cmdline ||
	skip_all "needs a boot with the command line in its header"
bm_load

release_number() { uname -r | awk -F. '{ printf "%d%02d\n", $1, $2 }'; }

limits()
{
	say "$(cat "$bm_dir/parameters")"
	# x86 goes by the lowest, the others by the last
	if is_x86; then
		bm_effect mem=800M as-asked
		bm_effect mem=900M not-at-all
	else
		bm_effect mem=800M differently
		bm_effect mem=900M as-asked
	fi
	# memmap= is split at its commas
	same "$(sed 's/"[^"]*"//g' /proc/cmdline | tr ' ,' '\n' | grep -c -E '^(mem|memmap|cma|crashkernel|reserve_mem|cblock|numa_cma|hugetlb_cma)=|^1M#')" \
		"$(grep -c '^param ' "$bm_dir/parameters")" "memory parameters"
}

memmap()
{
	if is_x86; then
		bm_effect memmap=800M as-asked
		# shellcheck disable=SC2016 # a dollar
		bm_effect 'memmap=1M$0x30000000' as-asked
		# half of it is what the next one says
		# shellcheck disable=SC2016
		bm_effect 'memmap=2M$0x31000000' differently
		bm_effect 'memmap=1M#0x31000000' as-asked
	else
		bm_effect memmap=800M not-at-all
		# shellcheck disable=SC2016
		bm_effect 'memmap=1M$0x30000000' not-at-all
	fi
	bm_effect memmap=junk not-at-all
	bm_found memmap-dollar
	# the others have their dollar, or no size
	same 1 "$(grep -c '^finding memmap-dollar' "$bm_dir/lint")" "findings about memmap="
}

cma()
{
	grep -q '^param cma=2G not-at-all: a later cma= replaces it' "$bm_dir/parameters" ||
		fail "cma=2G counts"
	bm_effect cma=3G not-at-all
	bm_effect hugetlb_cma=3G not-at-all
	bm_effect numa_cma=0:3G not-at-all
	! unknown numa_cma ||
		grep -q '^param numa_cma=0:3G not-at-all: this kernel is built without it$' "$bm_dir/parameters" ||
		fail "$(cat "$bm_dir/parameters")"
	if [ "$(meminfo CmaTotal)" ]; then
		bm_found cma-too-large
		largest=$(sed -n 's/^zone .* present=\([0-9]*\) .*/\1/p' "$bm_dir/zones" | sort -n | tail -n 1)
		grep -q "^finding cma-too-large: .* the largest zone has $largest KiB;" "$bm_dir/lint" ||
			fail "the largest zone has $largest KiB: $(cat "$bm_dir/lint")"
	else
		bm_found no-cma
	fi
	grep '^finding.*cma=2G' "$bm_dir/lint" && fail "a finding about what does not count"
	return 0
}

crash()
{
	bm_effect crashkernel=64G not-at-all
	bm_found crashkernel-failed
}

reserve()
{
	bm_found reserve-mem-full
	grep -q '^finding reserve-mem-full: reserve_mem=64K:64K:r9 is the ninth' "$bm_dir/lint" ||
		fail "the ninth is another one: $(cat "$bm_dir/lint")"
	bm_found reserve-mem-name
	grep -q "^finding reserve-mem-name: ramoops.mem_name= wants the region 'nosuch'" \
		"$bm_dir/lint" || fail "$(cat "$bm_dir/lint")"
	bm_effect reserve_mem=64K:64K:r9 not-at-all
	grep -q '^param reserve_mem=junk not-at-all: not SIZE:ALIGN:NAME$' "$bm_dir/parameters" ||
		fail "$(cat "$bm_dir/parameters")"
	if [ "$(release_number)" -ge 612 ]; then
		for name in r1 r2 r3 r4 r5 r6 r7 r8; do
			bm_effect reserve_mem=64K:64K:$name as-asked
			grep -q "^used reserve_mem name=$name kib=64 " "$bm_dir/used" ||
				fail "$name is not part of what is reserved"
			grep -q "^layout .* use=reserve_mem kib=64 name=$name$" "$bm_dir/layout" ||
				fail "$name is not laid out"
		done
		# there is one of that name, and of another size
		bm_effect reserve_mem=128K:64K:r1 differently
	else
		bm_effect reserve_mem=64K:64K:r1 not-at-all
		bm_effect reserve_mem=128K:64K:r1 not-at-all
		bm_found reserve-mem-failed
	fi
}

cblock()
{
	bm_effect cblock=1M not-at-all
}

still_true()
{
	same "$(meminfo MemTotal)" "$(bm_field zones '^total' managed)" MemTotal
	total=$(meminfo CmaTotal)
	same "${total:-0}" "$(bm_field zones '^total' cma)" CmaTotal
	# of the machine's RAM: what boot allocates hardly shrinks with mem=
	awk -v ram=$((1024 * 1024)) '
		$2 == "rest" { rest = substr($3, 5) + 0; seen = 1 }
		END { exit !(seen && rest < ram / 50) }
	' "$bm_dir/used" || fail "the rest is 2 % of RAM or more"
}

run_cases "every memory parameter is listed, mem= has its effect:limits" \
	"memmap= with and without its dollar:memmap" \
	"cma=, hugetlb_cma=, numa_cma= larger than the machine, or without CMA:cma" \
	"crashkernel= that failed:crash" \
	"reserve_mem=, a ninth, and a name that nobody made:reserve" \
	"cblock= on a kernel without it:cblock" \
	"the sums hold here, too:still_true"
