# SPDX-License-Identifier: GPL-2.0
#
# What the host's tests share. A test sets `top`, sources this file and ends
# with run_cases, as the selftests do.

here=$top/selftests
# shellcheck source=../selftests/functions.sh
. "$here/functions.sh"

PATH=$PATH:/usr/sbin:/sbin
# The tests choose their kernels; what a caller builds for is not theirs.
unset KDIR ARCH CROSS_COMPILE CC MAKEFLAGS MAKELEVEL

scratch=$(mktemp -d "${TMPDIR:-/tmp}/kmemlab-test.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# need TOOL [PACKAGE]: without it the script has nothing to do
need()
{
	command -v "$1" >/dev/null || skip_all "$1 is not installed: apt-get install ${2:-$1}"
}

# copy_tree DIR: the project's files, as a release would have them, in DIR
copy_tree()
{
	mkdir -p "$1"
	(cd "$top" && if [ -e .git ]; then
		git ls-files -co --exclude-standard
	else
		find . -type f
	fi | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done | tar -cf - -T -) | tar -xf - --no-same-owner -C "$1"
}

# use_kernel BOARD: its kernel is in $kernel, its tools in the environment
use_kernel()
{
	kernel=$("$top/scripts/kernel" path "$1" 2>"$scratch/kernel.log") || {
		[ $? = 3 ] && skip "$(tail -n 1 "$scratch/kernel.log")"
		fail "scripts/kernel path $1: $(tail -n 1 "$scratch/kernel.log")"
	}
	release=$(cat "$kernel/release")
	# shellcheck disable=SC1091 # written by scripts/kernel
	. "$kernel/env"
	# shellcheck disable=SC2153 # that is where it comes from
	ARCH=$KARCH
	export ARCH CROSS_COMPILE
}
