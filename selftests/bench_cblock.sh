#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --icount --mem 6G --dts cblock_bench.dts
# kmemlab-vm-x86_64: --icount --mem 6G --append 'memmap=4G$0x100000000'
#
# Cost of one allocation plus release, in instructions, beside genalloc and, where
# drm is there, drm_mm. Fails on arm64 when it is more than cblock promises: 900
# with 65,536 blocks, and with 262,144 twice what it is with 1,024.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
need_module cblock
need_module bench_cblock

# a PC has no device tree, but 4 GiB behind the first ones that it can keep away
set -- clean=0
[ "$(uname -m)" != x86_64 ] || set -- "$@" region=bench:4G@0x100000000
loaded cblock || load cblock "$@" || exit 1
mark_log
modprobe drm 2>/dev/null
load bench_cblock || exit 1
unload bench_cblock
log_since | sed -n 's/.*bench: //p' | awk -v machine="$(uname -m)" '
	function at_most(limit, live, state)
	{
		if (limit && ours[live state] > 0 && ours[live state] <= limit)
			return
		printf "%s with %d blocks: %d, not 1 to %d\n", state, live, ours[live state], limit
		above = 1
	}
	{
		for (i = 1; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		}
		printf "%-9s N=%-7d %-11s %-6s align=%-6d %7d\n", value["allocator"],
			value["live"], value["state"], value["fit"], value["align"], value["cost"]
		if (value["allocator"] == "cblock" && value["fit"] == "first" && !value["align"])
			ours[value["live"] value["state"]] = value["cost"]
		if (value["allocator"] != "cblock" && ours[value["live"] value["state"]])
			printf "%-9s N=%-7d %-11s %s / cblock = %.2f\n", "ratio",
				value["live"], value["state"], value["allocator"],
				value["cost"] / ours[value["live"] value["state"]]
	}
	END {
		if (machine == "aarch64")
			for (i = split("fresh fragmented", states, " "); i; i--) {
				at_most(900, 65536, states[i])
				at_most(2 * ours[1024 states[i]], 262144, states[i])
			}
		exit above
	}'
