# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the host-side scripts share: places, progress, locks, packages.
# bash; sourced with $top set to the top of the tree.

set -euo pipefail
export LC_ALL=C

# shellcheck disable=SC2154 # set by whoever sources this
boards=$top/scripts/boards
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kmemlab
mkdir -p "$cache"

# Progress goes to stderr: standard output belongs to the guest or to the answer.
say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 2; }

# step TEXT: what begins now, with the seconds since this script started
step() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }

# locked NAME COMMAND…: two runs at once do not trip over each other
locked()
{
	local name=$cache/locks/${1//\//_}
	shift
	mkdir -p "$cache/locks"
	(
		if ! flock -n 9; then
			say "waiting for another run (${name##*/})"
			flock 9
		fi
		"$@"
	) 9>"$name"
}

# fresh FILE: it was touched within the last day
fresh() { [[ -e $1 && $(($(date +%s) - $(stat -c %Y "$1"))) -lt 86400 ]]; }

# What a newcomer's Debian lacks; the only change that is made to the host.
packages="qemu-system-x86 qemu-system-arm device-tree-compiler cpio rsync kmod
	mmdebstrap dkms sparse shellcheck make gcc libc6-dev flex bison bc xz-utils
	libelf-dev libssl-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross clang python3
	debian-archive-keyring debhelper dh-dkms dt-schema"

need_packages()
{
	local missing='' package clang
	local -A installed=()
	# shellcheck disable=SC2086 # a list
	while read -r package clang; do
		[[ $clang != installed ]] || installed[$package]=yes
	done < <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $packages 'libclang-rt-*-dev' 2>/dev/null)
	# The fuzzers' runtime is named after clang's release.
	clang=$({ dpkg-query -W -f='${Depends}\n' clang 2>/dev/null || apt-cache show clang; } |
		sed -n 's/^\(Depends: \)\{0,1\}clang-\([0-9]*\).*/\2/p' | head -n 1)
	for package in $packages libclang-rt-"${clang:-14}"-dev; do
		[[ ${installed[$package]-} ]] || missing+=" $package"
	done
	[[ $missing ]] || return 0

	local sudo='' command
	[[ $(id -u) == 0 ]] || sudo=$(command -v sudo) || :
	command="${sudo:+sudo }apt-get update -q &&"
	command+=" ${sudo:+sudo }apt-get install -y --no-install-recommends$missing"
	[[ $sudo || $(id -u) == 0 ]] || die "packages are missing; as root, run: $command"
	say "+ $command"
	DEBIAN_FRONTEND=noninteractive bash -c "$command" >&2 </dev/null ||
		die "could not install the missing packages"
}

# load_board NAME: the variables of scripts/boards/NAME, see its arch/ files
load_board()
{
	board=$1
	[[ $board =~ ^[A-Za-z0-9_.-]+$ && -f $boards/$board ]] ||
		die "no board '$board'; scripts/vm --list shows them"
	# shellcheck disable=SC2034 # for whoever sources this
	MEM=1G SMP=2 APPEND='' SUITES='' PACKAGE='' VERSION='' SOURCE='' BUILTIN='' SKIPS='' TESTS='' QUIRKS='' TCG='' SLOW=1
	# shellcheck source=/dev/null # one small file a board
	. "$boards/$board"
}

all_boards()
{
	local file
	for file in "$boards"/*; do
		[[ -d $file || $file == *.config ]] || echo "${file##*/}"
	done
}
