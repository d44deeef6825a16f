# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# kmemlab pressure: hold memory that can be moved, as programs and files do, so
# that it borrows CMA areas. The kernel puts it there as soon as less is free
# outside of them than inside.

usage()
{
	cat >&2 <<-EOT
	usage: kmemlab pressure anon|file MIB [SECONDS] [DIRECTORY]

	Holds MIB MiB for SECONDS (default 10) and says how much of it lies in CMA.
	  anon  anonymous memory, of processes
	  file  page cache, of files in DIRECTORY (default /tmp); on a tmpfs it
	        stays until the end, else the kernel may drop it earlier
	EOT
	exit 2
}

kind=${1:-} mib=${2:-} seconds=${3:-10} directory=${4:-/tmp}
case $kind in anon | file) ;; *) usage ;; esac
case $mib$seconds in '' | *[!0-9]*) usage ;; esac
if [ "${mib:-0}" = 0 ] || [ "$seconds" = 0 ] || [ $# -gt 4 ]; then
	usage
fi

field() { awk -v f="$1:" '$1 == f { n = $2 } END { print n + 0 }' /proc/meminfo; }

available=$(($(field MemAvailable) / 1024))
[ "$mib" -lt $available ] || {
	echo "kmemlab: only $available MiB are available" >&2
	exit 1
}
pids=''
files=$(mktemp -d "$directory/kmemlab-pressure.XXXXXX") || exit 1
# shellcheck disable=SC2064,SC2154 # pids is a list, and grows
trap 'kill $pids 2>/dev/null; wait; rm -rf "$files"' EXIT
trap 'exit 1' HUP INT TERM
before=$(field CmaFree)

# In pieces of 64 MiB. A process fills its buffer and then waits with it for a
# reader that takes one byte, and no more until it ends. Where there is none, the
# process has died.
pieces=0
while [ $((pieces * 64)) -lt "$mib" ]; do
	piece=$((mib - pieces * 64))
	[ $piece -lt 64 ] || piece=64
	pieces=$((pieces + 1))
	if [ "$kind" = anon ]; then
		dd if=/dev/zero bs=${piece}M count=1 2>/dev/null | {
			head -c 1 >"$files/$pieces"
			[ ! -s "$files/$pieces" ] || exec sleep "$seconds"
		} &
		pids="$pids $!"
	elif ! dd if=/dev/zero of="$files/$pieces" bs=1M count=$piece 2>/dev/null; then
		echo "kmemlab: $directory does not take $mib MiB" >&2
		exit 1
	fi
done
while :; do
	held=$(find "$files" -type f -size +0 | wc -l)
	for pid in $pids; do
		kill -0 "$pid" 2>/dev/null || {
			echo "kmemlab: $mib MiB cannot be held" >&2
			exit 1
		}
	done
	[ "$held" -lt $pieces ] || break
	sleep 1
done
echo "$mib MiB $kind: $(((before - $(field CmaFree)) / 1024)) MiB of it lie in CMA"
sleep "$seconds" &
pids="$pids $!"
wait $!
