#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --icount --mem 2G --dts cblock_usable.dts --append cma=512M
# kmemlab-vm-x86_64: --icount --mem 2G --append 'memmap=512M$0x40000000 cma=512M'
#
# What a user feels: instructions until the first byte of a new buffer can be
# written, and to touch each of its pages, beside the kernel's own heaps.

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

# usable STATE SIZE FROM
usable()
{
	usable_said=$("$cblock_io" usable "$2" "$3" 2>&1)
	echo "$usable_said" | awk -v state="$1" -v size="$2" -v from="$3" '
		/^first=/ {
			split($1, first, "="); split($2, touch, "=")
			printf "%-28s %4d MiB %-12s %12d %12d\n", from, size / 1048576, state, first[2], touch[2]
			next
		}
		{ print from ": " $0 }'
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
