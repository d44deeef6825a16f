#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Many users at once, and an unload that comes at a bad moment.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe

user()
{
	put $vp_dev "alloc $(($1 % 40 + 1))K name=u$1" || exit 1
	read -r header <$vp_dev && [ "$header" ] || exit 1
	put $vp_dev "alloc 4K name=shared" 2>/dev/null
	put $vp_dev "free shared" 2>/dev/null
	put $vp_dev "dump u$1" 2>/dev/null
	read -r header <$vp_dir/dump	# empty where another's was freed
	put $vp_dev "free u$1" || exit 1
	exit 0
}

two_hundred_users()
{
	vp_load
	users=
	i=0
	while [ $i -lt 200 ]; do
		(user $i) &
		users="$users $!"
		i=$((i + 1))
	done
	failed=0
	for pid in $users; do
		wait "$pid" || failed=$((failed + 1))
	done
	same 0 $failed "users that failed"
	{ put $vp_dev "free shared"; } 2>/dev/null
	same 0 "$(allocations)" "allocations"
	same 0 "$(own_areas)" "areas"
}

# A name that was free when a large allocation began may be taken when that is
# done: then it is given back.
one_name()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		put $vp_dev "alloc 32M name=twice" 2>/dev/null &
		large=$!
		until [ "$(own_areas)" != 0 ]; do
			kill -0 $large 2>/dev/null || break
		done
		small=lost
		! put $vp_dev "alloc 4K name=twice" 2>/dev/null || small=won
		wait $large && large=won || large=lost
		same 1 "$(allocations)" "allocations of one name"
		ok $vp_dev "free twice"
		no_own_areas
		[ $small$large != wonlost ] || return 0
		same lostwon $small$large "the small and the large one"
	done
	say "the large one was always first"
}

busy_while_open()
{
	for file in "$vp_dir"/* $vp_dev; do
		exec 3<"$file"
		head -c 10 <&3 >/dev/null
		if rmmod vmalloc_probe 2>/dev/null; then
			fail "unloaded while a reader had $file open"
		fi
		exec 3<&-
	done
}

closed_midway()
{
	# a reader that goes away early, often
	i=0
	while [ $i -lt 50 ]; do
		head -c 1 $vp_dir/areas >/dev/null
		head -c 1 $vp_dev >/dev/null
		i=$((i + 1))
	done
}

unload_while_allocated()
{
	ok $vp_dev "alloc 2M name=a"
	ok $vp_dev "alloc 64K align=64K name=b"
	ok $vp_dev "fill 16K count=200 name=c"
	before=$(vmalloc_used)
	unload vmalloc_probe || return 1
	after=$(vmalloc_used)
	[ $((before - after)) -ge 2048 ] || fail "VmallocUsed: $before, then $after"
	! grep -q '\[vmalloc_probe\]' /proc/vmallocinfo || fail "areas are left"
}

load_and_unload()
{
	i=0
	while [ $i -lt 5 ]; do
		load vmalloc_probe || fail "load $i"
		put $vp_dev "alloc 1M" || fail "alloc $i"
		unload vmalloc_probe || fail "unload $i"
		i=$((i + 1))
	done
}

run_cases \
	"two hundred users:two_hundred_users" \
	"one name:one_name" \
	"busy while it is open:busy_while_open" \
	"readers that leave early:closed_midway" \
	"unload while allocated:unload_while_allocated" \
	"load and unload:load_and_unload"
