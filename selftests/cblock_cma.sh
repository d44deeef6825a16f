#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=64M
#
# A region taken from CMA when the module loads.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cblock.sh
. "$here/cblock.sh"
need_cblock

declined()
{
	declined_reason=$1
	shift
	cblock_unload
	mark_log
	! load cblock "$@" 2>/dev/null || fail "$* is accepted"
	log_since | grep -q "$declined_reason" ||
		fail "$*: not for the reason '$declined_reason': $(log_since | tail -1)"
}

has_cma() { [ "$(meminfo CmaTotal)" ] && [ "$(meminfo CmaTotal)" != 0 ]; }

taken_and_given_back()
{
	if ! has_cma; then
		# nothing to take: without the parameter the module loads as ever
		cblock_unload
		load cblock || fail "does not load"
		return 0
	fi
	cblock_unload
	before=$(meminfo CmaFree)
	load cblock cma=default:24M || fail "refused: $(dmesg | tail -2)"
	same cma "$(region default source)" "source"
	same 25165824 "$(region default size)" "size"
	same yes "$(region default pages)" "pages"
	[ "$(meminfo CmaFree)" -le $((before - 24000)) ] || fail "CmaFree does not shrink"
	ok $cblock_dev "alloc 24M name=all"
	ok $cblock_dev "clear all"
	ok $cblock_dev "free all"
	io zero default
	io map default
	cblock_unload || fail "does not unload"
	[ "$(meminfo CmaFree)" -ge $((before - 4096)) ] || fail "CmaFree stays small"
}

refused_requests()
{
	has_cma || return 0
	declined "no such area" cma=nowhere:1M
	declined "no such run" cma=default:2G
	declined "not AREA:SIZE" cma=default
	declined "not AREA:SIZE" cma=default:0
	declined "not AREA:SIZE" cma=default:1Q
}

run_cases \
	"a region from CMA, given back at unload:taken_and_given_back" \
	"what CMA does not have is refused:refused_requests"
