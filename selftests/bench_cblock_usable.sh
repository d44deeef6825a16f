#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --icount --mem 2G --dts cblock_usable.dts --append cma=512M
# kmemlab-vm-x86_64: --icount --mem 2G --append 'memmap=512M$0x40000000 cma=512M'
#
# What a user feels: instructions until the first byte of a new buffer can be
# written, and to touch each of its pages, beside the kernel's own heaps. Fails on
# arm64 when 256 MiB of clean memory take more than cblock promises: 50,000 to the
# first byte, and for every page 2 million where 2 MiB are mapped at once, else 30.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock

load_bench()
{
	cblock_unload
	case $(uname -m) in
	x86_64) load cblock region=bench:512M@0x40000000 "$@" ;;
	*) load cblock "$@" ;;
	esac
}

cleaned()
{
	until [ "$(region bench dirty)" = 0 ]; do
		sleep 1
	done
}

touch_limit=30000000
! maps_2_mib || touch_limit=2000000
above=0

# usable STATE SIZE FROM
usable()
{
	usable_said=$("$here/bench_cblock_usable" usable "$2" "$3" 2>&1)
	echo "$usable_said" | awk -v state="$1" -v size="$2" -v from="$3" \
		-v limit="$touch_limit" -v machine="$(uname -m)" '
		/^first=/ {
			split($1, first, "="); split($2, touch, "=")
			printf "%-28s %4d MiB %-12s %12d %12d\n", from, size / 1048576, state, first[2], touch[2]
			held = first[2] <= 50000 && touch[2] <= limit
			next
		}
		{ print from ": " $0 }
		END {
			if (machine != "aarch64" || from != "bench" || size != 268435456 ||
			    state == "not-cleaned" || held)
				exit 0
			print "more than promised"
			exit 1
		}' || above=1
}

sizes()
{
	for size in 1048576 16777216 268435456; do
		usable "$1" $size "$2"
	done
}

printf "%-28s %8s %-12s %12s %12s\n" from size state "first byte" "every page"
load_bench || exit 1
cleaned
for size in 1048576 16777216 268435456; do
	usable fresh $size bench
	cleaned
done
"$here/cblock_hostile" storm 8 64 bench || exit 1
cleaned
for size in 1048576 16777216 268435456; do
	usable churned $size bench
	cleaned
done
load_bench clean=0 || exit 1
sizes not-cleaned bench
for heap in /dev/dma_heap/*; do
	case $heap in */cblock-* | */'*') continue ;; esac
	sizes fresh "$heap"
done

# all other memory in the page cache
mkdir -p /tmp/fill && mount -t tmpfs -o size=100% none /tmp/fill || exit 1
dd if=/dev/zero of=/tmp/fill/file bs=1M \
	count=$(($(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo) / 1024 - 64)) 2>/dev/null
load_bench || exit 1
cleaned
for size in 1048576 16777216 268435456; do
	usable memory-full $size bench
	cleaned
done
exit $above
