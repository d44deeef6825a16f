#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Kernels come through apt in a private directory, into a cache of this test's
# own: two runs at once, nothing twice, archives that are out of step, and the
# host left as it was.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

XDG_CACHE_HOME=$scratch/cache
export XDG_CACHE_HOME
cache=$scratch/cache/kmemlab
board=fetched
tree=$scratch/tree

host_state() { find /etc/apt /var/lib/apt /var/cache/apt -type f -exec cksum {} + | sort; }

# A suite that does not exist comes first: the others go on.
prepare()
{
	[ ! -e "$tree" ] || return 0
	copy_tree "$tree"
	sed 's/^SUITES=.*/SUITES="no-such-suite bookworm"/' "$tree/scripts/boards/arm64-6.1" \
		>"$tree/scripts/boards/$board"
}

# path LOG: the directory of the board's kernel
path() { "$tree/scripts/kernel" path $board 2>"$scratch/$1"; }

both_at_once()
{
	prepare
	host_state >"$scratch/before"
	path first >"$scratch/first.path" &
	path second >"$scratch/second.path" || fail "one of two: $(tail -n 1 "$scratch/second")"
	wait $! || fail "one of two: $(tail -n 1 "$scratch/first")"
	host_state >"$scratch/after"
	cmp -s "$scratch/before" "$scratch/after" || fail "the host's apt has changed"
	cmp -s "$scratch/first.path" "$scratch/second.path" || fail "they found two kernels"
	kernel=$(cat "$scratch/first.path")
	[ -s "$kernel/vmlinuz" ] || fail "$kernel has no kernel"
	grep -q "^CONFIG_ARM64=y" "$kernel/config" || fail "$kernel is for something else"
	same 1 "$(cat "$scratch/first" "$scratch/second" | grep -c 'packages of bookworm')" \
		"times that it was fetched"
	for text in 'index of bookworm, arm64' "$board: fetching [0-9]* packages of bookworm" \
			"$board: unpacking"; do
		grep -q "^\[ *[0-9]*s\] $text\$" "$scratch/first" "$scratch/second" ||
			fail "it does not say '$text'"
	done
}

# Without a network what is cached serves, today and when the index is old.
not_twice()
{
	[ -d "$cache/kernels" ] || fail "nothing was fetched before"
	http_proxy=http://127.0.0.1:9
	https_proxy=$http_proxy
	export http_proxy https_proxy
	path again >"$scratch/again.path" || fail "$(tail -n 1 "$scratch/again")"
	cmp -s "$scratch/first.path" "$scratch/again.path" || fail "another kernel"
	[ ! -s "$scratch/again" ] || fail "it said: $(cat "$scratch/again")"
	find "$cache" \( -name updated -o -name "$board.resolved" \) -exec touch -d '2 days ago' {} +
	path again >"$scratch/again.path" || fail "$(tail -n 1 "$scratch/again")"
	cmp -s "$scratch/first.path" "$scratch/again.path" || fail "another kernel"
	# nor when there is no index at all
	mv "$cache/apt" "$scratch/apt"
	touch -d '2 days ago' "$cache/boards/$board.resolved"
	path again >"$scratch/again.path" || fail "$(tail -n 1 "$scratch/again")"
	cmp -s "$scratch/first.path" "$scratch/again.path" || fail "another kernel"
	grep -q "^board $board keeps its cached kernel: ." "$scratch/again" ||
		fail "no reason: $(tail -n 1 "$scratch/again")"
	rm -rf "$cache/apt"
	mv "$scratch/apt" "$cache/apt"
}

# The index names files that the archive does not have.
out_of_step()
{
	[ -d "$cache/kernels" ] || fail "nothing was fetched before"
	rm -rf "$cache/kernels" "$cache/boards" "$cache"/apt/*/packages.bin
	for index in "$cache"/apt/bookworm-arm64/lists/*_Packages*; do
		/usr/lib/apt/apt-helper cat-file "$index" |
			sed '/^Filename:.*linux-image/s/linux-image/linux-gone/' >"$scratch/index"
		rm "$index"
		mv "$scratch/index" "${index%_Packages*}_Packages"
	done
	path gone >"$scratch/gone.path"
	same 3 $? "the exit status"
	grep -q "^board $board is unavailable: ." "$scratch/gone" ||
		fail "no reason: $(tail -n 1 "$scratch/gone")"
	same '' "$(find "$cache/kernels" -mindepth 1 -maxdepth 1)" "what is left in the cache"
}

# refused REASON: what the archive in $mirror has does not become a kernel
refused()
{
	rm -rf "$cache/apt" "$cache/boards" "$cache/kernels"
	path refused >"$scratch/refused.path"
	same 3 $? "the exit status"
	grep -q "$1" "$scratch/refused" "$cache/apt/bookworm-arm64/log" ||
		fail "no '$1': $(tail -n 1 "$scratch/refused")"
	same '' "$(find "$cache/kernels" -mindepth 1 -maxdepth 1)" "what is left in the cache"
}

# unused REASON: nor is its index taken for one
unused()
{
	refused "$1"
	same '' "$(find "$cache/apt/bookworm-arm64/lists" -name '*_Packages*')" "indexes"
}

# An archive here, under the true one's signed index: packages of the right size,
# then an index of the right size, then the true one, signed no more.
only_what_is_signed()
{
	unset http_proxy https_proxy
	mirror=$scratch/mirror
	index=$mirror/dists/bookworm/main/binary-arm64/Packages.xz
	mkdir -p "${index%/*}"
	rm -rf "$cache/apt"
	path signed >/dev/null || fail "$(tail -n 1 "$scratch/signed")"
	cp "$cache"/apt/bookworm-arm64/lists/*_InRelease "$mirror/dists/bookworm/InRelease"
	uri=$(sed 's/.*] \(.*\) bookworm main$/\1/' "$cache/apt/bookworm-arm64/sources.list")
	/usr/lib/apt/apt-helper download-file "${uri%/}/${index#"$mirror/"}" "$index" >"$scratch/log" 2>&1 ||
		fail "$(cat "$scratch/log")"
	/usr/lib/apt/apt-helper cat-file "$index" | awk '
		/^Package: / { ours = /: linux-(image|headers)-/ }
		ours && $1 == "Filename:" { file = $2 } ours && $1 == "Size:" { print file, $2 }' |
		while read -r file size; do
			mkdir -p "$mirror/${file%/*}"
			truncate -s "$size" "$mirror/$file"
		done
	sed -i "s|uri=\$(mirror .*|uri=file:$mirror|" "$tree/scripts/apt.sh"
	refused '^E: Failed to fetch .*/linux-[^ ]*.deb  Hash Sum mismatch'

	cp "$index" "$scratch/index"
	printf 'not this' | dd of="$index" bs=1 seek=4096 conv=notrunc 2>/dev/null
	unused '^E: Failed to fetch .*/Packages.*  Hash Sum mismatch'

	cp "$scratch/index" "$index"
	sed -i 's/^Origin: Debian/Origin: debian/' "$mirror/dists/bookworm/InRelease"
	unused 'is not signed'
	sed -i '/BEGIN PGP SIGNATURE/,$d; 1,/^$/d' "$mirror/dists/bookworm/InRelease"
	mv "$mirror/dists/bookworm/InRelease" "$mirror/dists/bookworm/Release"
	unused 'does not have a Release file\|is not signed'
}

run_cases \
	"two at once fetch one kernel, and nothing on the host changes:both_at_once" \
	"what was fetched is not fetched again, nor missed without a network:not_twice" \
	"an index that names what is gone makes a board unavailable:out_of_step" \
	"what is not signed, or not what was signed, is refused:only_what_is_signed"
