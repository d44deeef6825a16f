#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# kmemlab-vm: --append cma=72M --mem 768M
#
# Hostile input to /dev/cma_test: the right errno, a log line, nothing changed.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/cma_test.sh
. "$here/cma_test.sh"
need_cma

# said: the first line of the verdict report, the reason of the last refusal
said()
{
	{ read -r _; read -r said_line; } <$cma_dir/verdict
	echo "$said_line"
}

# no ERRNO COMMAND: refused with this errno, a reason in words, and nothing changed
no()
{
	ok $cma_dev 'fit 1E'
	refused "$1" $cma_dev "$2"
	case $(said) in
	'' | 'fit: '*) fail "'$2' is refused without a reason" ;;
	esac
	same 1 "$(allocations)" "allocations after '$2'"
}

device_is_private()
{
	cma_load
	ok $cma_dev 'alloc 64K name=kept'
	same 'crw-------' "$(stat -c %A $cma_dev)" "mode of $cma_dev"
	for report in areas allocations owners map verdict latency pins; do
		same '-r--------' "$(stat -c %A $cma_dir/$report)" "mode of $report"
	done
}

# The log is rate-limited, so it is looked at once, and then the report instead.
refusals_are_logged()
{
	mark_log
	refused 'Invalid argument' $cma_dev 'alloc 10Q'
	log_since | grep -q "cma_test: '10Q' is not a size.* (-\(EINVAL\|22\))" || fail "not in the log"
	case $(said) in
	"'10Q' is not a size"*) ;;
	*) fail "not in the report: $(said)" ;;
	esac
	refused 'Numerical result out of range' $cma_dev 'alloc 1M align=8E'
	log_since | grep -q 'cma_test: no memory in area .* (-\(ERANGE\|34\))' ||
		fail "the log gives another reason than the errno"
}

bad_sizes()
{
	no 'Invalid argument' 'alloc 10Q'
	no 'Invalid argument' 'alloc -1M'
	no 'Invalid argument' '-1M'
	no 'Invalid argument' 'alloc 8Mx'
	no 'Invalid argument' 'alloc 18446744073709551616Q'
	no 'Invalid argument' 'alloc 0'
	no 'Invalid argument' 'alloc'
	no 'Numerical result out of range' 'alloc 18446744073709551616'
	no 'Numerical result out of range' 'alloc 16E'
	no 'Numerical result out of range' 'alloc 99999999999999999999999999999999999999'
	no 'Cannot allocate memory' 'alloc 18446744073709551615'
	no 'Cannot allocate memory' 'alloc 8E'
	no 'Cannot allocate memory' 'alloc 15E via=dma'
	no 'Cannot allocate memory' 'alloc 64G'
}

bad_words()
{
	no 'Invalid argument' 'frobnicate'
	no 'Invalid argument' '10Q'
	no 'Invalid argument' '1 2'
	no 'Invalid argument' 'alloc 1M colour=red'
	no 'Invalid argument' 'alloc 1M name='
	no 'Invalid argument' 'alloc 1M name=a name=b'
	no 'Invalid argument' 'alloc 1M name=a/b'
	no 'Invalid argument' 'alloc 1M name=abcdefghijklmnopqrstuvwxyz012345'
	no 'Invalid argument' 'alloc 1M name=all'
	no 'Invalid argument' 'alloc 1M name=slot3'
	no 'Invalid argument' 'alloc 1M via=magic'
	no 'Invalid argument' 'alloc 1M mask=32'
	no 'Invalid argument' 'alloc 1M via=dma mask=5'
	no 'File exists' 'alloc 1M name=kept'
	no 'No such file or directory' 'alloc 1M area=nowhere'
	no 'No such file or directory' 'free nobody'
	no 'Invalid argument' 'free'
	no 'Invalid argument' 'free kept other'
	refused 'Invalid argument' $cma_dev fit
	no 'Invalid argument' 'fit 0'
	no 'No such file or directory' 'fit 64K area=nowhere'
	no 'Invalid argument' 'pin'
	no 'Invalid argument' 'pin 0'
	no 'No such file or directory' 'pin 64K area=nowhere'
	no 'Invalid argument' 'unpin now'
	no 'No such file or directory' 'unpin'
	no 'Invalid argument' 'reset now'
}

bad_alignments()
{
	no 'Invalid argument' 'alloc 1M align=3M'
	no 'Invalid argument' 'alloc 1M align=1'
	no 'Invalid argument' 'alloc 1M align=0'
	no 'Numerical result out of range' 'alloc 1M align=8E'
	no 'Numerical result out of range' 'alloc 1M align=64G'
}

bad_writes()
{
	same 'Invalid argument' "$("$here/cma_test_io" $cma_dev zero)" "a write of no bytes"
	same 'a write of no bytes' "$(said)" "its reason"
	same 'Bad address' "$("$here/cma_test_io" $cma_dev badwrite)" "a write from nowhere"
	# what would be a command if it were cut off
	printf '%-4096s' 'alloc 64K name=long' >/tmp/cma_line
	for size in 257 258 4096; do
		dd if=/tmp/cma_line bs=$size count=1 of=$cma_dev 2>/dev/null &&
			fail "a line of $size bytes is taken"
		case $(said) in
		"a command of $size bytes; at most 256"*) ;;
		*) fail "a line of $size bytes: $(said)" ;;
		esac
	done
	dd if=/tmp/cma_line bs=256 count=1 of=$cma_dev 2>/dev/null ||
		fail "a line of 256 bytes is refused"
	ok $cma_dev 'free long'
	printf '%-256s\n' 'alloc 64K name=full' >/tmp/cma_line
	dd if=/tmp/cma_line bs=257 of=$cma_dev 2>/dev/null ||
		fail "a line of 256 bytes and its newline are refused"
	ok $cma_dev 'free full'
	printf '%-256s\nfree kept' 'alloc 64K name=first' >/tmp/cma_line
	dd if=/tmp/cma_line bs=4096 of=$cma_dev 2>/dev/null &&
		fail "what follows a line of 256 bytes is dropped"
	printf 'alloc 64K\0name=x' >/tmp/cma_line
	dd if=/tmp/cma_line bs=4096 of=$cma_dev 2>/dev/null && fail "a NUL is taken"
	printf 'free kept\nfree kept\n' >/tmp/cma_line
	dd if=/tmp/cma_line bs=4096 of=$cma_dev 2>/dev/null && fail "two lines are taken"
	printf '0\n\n' >/tmp/cma_line
	dd if=/tmp/cma_line bs=4096 of=$cma_dev 2>/dev/null && fail "an empty second line is taken"
	rm -f /tmp/cma_line
	same 1 "$(allocations)" "allocations after bad writes"
}

no_newline_is_fine()
{
	printf 'alloc 64K name=bare' >$cma_dev || fail "refused"
	printf '  free\tbare  ' >$cma_dev || fail "blanks are refused"
	same 1 "$(allocations)" "allocations"
}

help_is_printed()
{
	mark_log
	ok $cma_dev help
	log_since | grep -q 'alloc SIZE' || fail "no grammar in the log"
}

bad_parameters()
{
	unload cma_test || fail "does not unload"
	for parameter in area=nowhere resolve=maybe track=maybe; do
		mark_log
		load cma_test $parameter 2>/dev/null && fail "loads with $parameter"
		log_since | grep -q -e "cma_test: $parameter: " \
			-e "cma_test: .maybe' invalid for parameter .${parameter%=*}'" ||
			fail "$parameter is not named in the log"
		loaded cma_test && fail "stays loaded with $parameter"
	done
	load cma_test || fail "does not load any more"
}

# Nothing is allocated and nothing is missing after what has been done; every slot
# and the name can be taken.
nothing_lost()
{
	ok $cma_dev 'free all'
	same 0 "$(allocations)" "allocations"
	cma_free_after
	cma_undrain
	say "CmaFree was $1 KiB, is $cma_free KiB"
	# a few pages may have been borrowed; no slot is that small
	missing=$(($1 - cma_free))
	[ ${missing#-} -lt 512 ] || fail "$missing KiB are missing"
	for _ in 0 1 2 3 4 5 6 7 8 9; do ok $cma_dev 0; done
	ok $cma_dev 'alloc 256K name=same'
	same "0 1 2 3 4 5 6 7 8 9" "$(slots)" "slots that can be filled"
	unload cma_test || fail "does not unload"
	cma_load
}

# slots: the full ones
slots() { sed -n 's/^slot\([0-9]*\) .*/\1/p' $cma_dir/allocations | sort -n | paste -sd ' '; }

# No two writers get the same slot or the same name, no two readers free the same.
nothing_twice()
{
	cma_load
	for _ in 1 2 3 4 5; do
		"$here/cma_test_io" $cma_dev herd 40 0 || fail "a writer was treated wrongly"
		full=$(slots)
		[ "$full" ] || fail "no slot is full"
		same "$(echo "$full" | tr ' ' '\n' | uniq | paste -sd ' ')" "$full" "full slots"
		"$here/cma_test_io" $cma_dev herd 40 >/tmp/cma_freed || fail "a reader was treated wrongly"
		same "$full" "$(sed -n 's/^slot \([0-9]\): freed .*/\1/p' /tmp/cma_freed | sort | paste -sd ' ')" \
			"slots that readers freed"
		same "$(echo "$full" | wc -w)" "$(wc -l </tmp/cma_freed)" "lines that readers got"
		same 0 "$(allocations)" "allocations"
		"$here/cma_test_io" $cma_dev herd 20 'alloc 256K name=same' ||
			fail "a writer of a name was treated wrongly"
		same 1 "$(allocations)" "allocations of one name"
		ok $cma_dev 'free same'
	done
	rm -f /tmp/cma_freed
}

# 200 processes at once on ten slots and one name.
a_crowd()
{
	cma_load
	cma_free_after
	cma_undrain
	before=$cma_free
	"$here/cma_test_io" $cma_dev crowd 200 || fail "somebody was treated wrongly"
	nothing_lost "$before"
}

death_in_the_middle()
{
	cma_free_after
	cma_undrain
	before=$cma_free
	"$here/cma_test_io" $cma_dev kill 60 || fail "the killing went wrong"
	nothing_lost "$before"
}

run_cases \
	"the device and its reports are root's alone:device_is_private" \
	"what is refused is logged:refusals_are_logged" \
	"bad sizes are refused:bad_sizes" \
	"bad words are refused:bad_words" \
	"bad alignments are refused:bad_alignments" \
	"bad writes are refused:bad_writes" \
	"the newline is optional, blanks do not matter:no_newline_is_fine" \
	"help prints the grammar:help_is_printed" \
	"bad module parameters are refused by name:bad_parameters" \
	"nothing is given to two of many, or freed twice:nothing_twice" \
	"200 concurrent writers and readers:a_crowd" \
	"kill -9 in the middle:death_in_the_middle"
