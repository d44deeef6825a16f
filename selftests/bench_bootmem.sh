#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Marking and freeing 64 GiB of 4 KiB pages, in instructions: run with
# scripts/bench, or scripts/vm --icount. By words it must cost less than a
# fiftieth of what it costs bit by bit.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
[ -r "${KMEMLAB_MODULES:-/kmemlab}/bench_bootmem.ko" ] || skip_all "bench_bootmem is not built"

# figure OPERATION KIND
figure() { log_since | sed -n "s/.*bench_bootmem: $1: $2 //p"; }

fiftieth()
{
	mark_log
	load bench_bootmem || fail "bench_bootmem does not load"
	for operation in reserve free; do
		words=$(figure $operation words)
		bits=$(figure $operation bits)
		say "$operation of 64 GiB: $words instructions by words, $bits bit by bit"
		[ $((words * 50)) -lt "$bits" ] || fail "$operation: more than a fiftieth"
	done
	unload bench_bootmem
}

run_cases "64 GiB cost under a fiftieth of bit by bit:fiftieth"
