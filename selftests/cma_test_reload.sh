#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm-arm64: --append cma=16M --mem 512M
# kmemlab-vm-arm: --append cma=16M --mem 256M --smp 1
# kmemlab-vm-x86_64: --append cma=16M --mem 512M --smp 1
#
# Loading and unloading a hundred times while another driver holds CMA and a
# third keeps allocating it: silent, nothing is lost, and what was allocated
# before a load is shown as such.
#
# PCs and 32-bit ARM have one CPU here: a load patches the kernel's text in a dozen
# places and all CPUs stop for each, which takes longest where they are emulated.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

# The pages in records that match PATTERN.
pages_of() { awk "$1"' { sub("pages=", "", $3); n += $3 } END { print n + 0 }' $cma_dir/owners; }
seen() { pages_of '/ age=[0-9]/'; }

# What was allocated before the load; the fewest of three looks. A page that was
# dropped while it waited in a CPU's list for its place in the LRU looks the same,
# until an allocation drains those lists.
unseen()
{
	least=''
	for _ in 1 2 3; do
		ok $cma_dev 'alloc 64K name=drain'
		ok $cma_dev 'free drain'
		look=$(pages_of '/ age=before-load /')
		[ "${least:-$look}" -lt "$look" ] || least=$look
	done
	echo "$least"
}

# hold NUMBER: have vivid's device allocate; the pages in $held, until fd NUMBER
# + 3 is closed
hold()
{
	mkfifo /tmp/cma_hold
	"$here/cma_test_video" "/dev/video$1" 4 </tmp/cma_hold >/tmp/cma_held 3>&- &
	eval "exec $(($1 + 3))>/tmp/cma_hold"
	for _ in $(seq 100); do
		[ -s /tmp/cma_held ] && break
		usleep 100000 2>/dev/null || sleep 1
	done
	read -r buffers _ _ bytes _ </tmp/cma_held
	rm -f /tmp/cma_hold /tmp/cma_held
	same 4 "$buffers" "buffers of vivid"
	held=$((buffers * ((bytes + page_size - 1) / page_size)))
}

hundred_times()
{
	rmmod vivid 2>/dev/null
	modprobe vivid n_devs=2 node_types=0x1,0x1 allocators=1,1 2>/dev/null ||
		skip "this kernel has no vivid to allocate meanwhile"
	for _ in $(seq 100); do
		[ -e /dev/video1 ] && break
		usleep 100000 2>/dev/null || sleep 1
	done
	# a load waits for a dozen grace periods: have the kernel hurry
	other=''
	read -r was </sys/kernel/rcu_expedited
	trap 'echo "$was" >/sys/kernel/rcu_expedited; kill $other 2>/dev/null' EXIT
	echo 1 >/sys/kernel/rcu_expedited

	cma_load
	same 0 "$(seen)" "pages in records of what was allocated since the load"
	first=$(unseen)
	area=$(default_area)
	whole=$(area_field "$area" largest_fit)
	unload cma_test || fail "does not unload"

	mark_log
	hold 0
	there=$((first + held))
	"$here/cma_test_video" /dev/video1 2 1000000 >/tmp/cma_rounds 3>&- &
	other=$!
	"$here/cma_test_io" "$(module_file cma_test || echo cma_test)" reload 100 $there ||
		fail "not a hundred rounds"
	kill "$other" || fail "the other driver's user is gone"
	wait "$other"
	other=''
	say "100 loads, meanwhile $(cat /tmp/cma_rounds)"
	rm -f /tmp/cma_rounds

	cma_load
	same $there "$(unseen)" "pages allocated before the load"
	same 0 "$(seen)" "pages allocated since the load"
	hold 1
	same $held "$(pages_of '/ comm=cma_test_video /')" "pages in vivid's records"
	same $there "$(unseen)" "pages allocated before the load, beside others"
	exec 3>&- 4>&-
	wait
	same 0 "$(seen)" "pages in records of what is released"
	same "$first" "$(unseen)" "pages allocated before the load, released since"
	grep -q '^# owners lost=0$' $cma_dir/owners || fail "$(head -n 1 $cma_dir/owners)"
	log_since | grep -i -e 'warning:' -e 'bug:' -e 'still in use' && fail "not silent"
	rmmod vivid || fail "vivid is in use"
	# the system's own pages that have borrowed it since may be busy at times
	tries=0
	until echo "alloc $((whole * page_size)) name=whole" >$cma_dev; do
		tries=$((tries + 1))
		[ $tries -le 10 ] || fail "$whole pages cannot be had again: $(last_verdict)"
	done 2>/dev/null
	ok $cma_dev 'free whole'
}

run_cases "a hundred loads while other drivers hold and allocate:hundred_times"
