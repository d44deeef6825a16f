#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A kernel that hides its areas: each report says so, and what needs none of them
# goes on. Before 6.9 the way to them is /proc/vmallocinfo, where another file can
# be put in its place; newer kernels do not mind.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
[ -r /proc/vmallocinfo ] || skip_all "no /proc/vmallocinfo"

# hide FILE: load with FILE in the place of /proc/vmallocinfo
hide()
{
	unload_vmalloc_probe
	mount --bind "$1" /proc/vmallocinfo || fail "mount $1"
	mark_log
	(vp_load)
	hide_result=$?
	umount /proc/vmallocinfo
	[ $hide_result = 0 ] || exit $hide_result
}

another_file_is_not_taken_for_it()
{
	touch /tmp/vmallocinfo
	for file in /proc/version /proc/modules /tmp/vmallocinfo; do
		hide $file
		if at_least 6 9; then
			! areas_are_hidden || fail "hidden by $file"
		else
			areas_are_hidden || fail "$file is read for areas"
			log_since | grep -q 'the areas of this kernel are hidden' || fail "the log does not say so"
		fi
	done
	rm /tmp/vmallocinfo
}

# What follows is said of hidden areas; of others it is not true.
hidden_or_new()
{
	! at_least 6 9 || { say "this kernel's areas cannot be hidden so"; exit 0; }
}

reports_say_so()
{
	hidden_or_new
	ok $vp_dev "alloc 100K name=a"
	same 'range allocation' "$(awk '!/^#/ { print $1 }' $vp_dev | xargs)" "records"
	[ "$(field range size)" -gt 1048576 ] || fail "size: $(field range size)"
	same hidden "$(allocation a range)" "range of an allocation"
	same '' "$(allocation a guard)$(allocation a slack)" "its guard and slack"
	same $(((102399 / $(page_size)) + 1)) "$(allocation a pages)" "its pages"
	same '1 1' "$(wc -l <$vp_dir/areas) $(wc -l <$vp_dir/callers)" "lines of areas and callers"
	sh "$here/../scripts/kmemlab" vmalloc | grep -qx 'this kernel hides its areas' || fail "kmemlab does not say so"
	ok $vp_dev "corrupt a"
	refused 'Input/output error' $vp_dev "free a"
}

check_says_so()
{
	hidden_or_new
	ok $vp_dev check
	for item in caller guard_size ioremap_alignment array; do
		same "hidden the areas are hidden" "$(finding $item) $(seen $item)" $item
	done
	for item in too_large wraps rounding range guard_page mapping lazy purge; do
		same holds "$(finding $item)" "$item: $(seen $item)"
	done
	! grep ' differs:' $vp_dir/check || fail "see above"
}

storm_goes_on()
{
	hidden_or_new
	ok $vp_dev "storm 100"
	grep -q ' failures=0 corrupt=0 .* own_areas_before=0 own_areas_after=0$' $vp_dir/storm ||
		fail "$(cat $vp_dir/storm)"
}

seen_again()
{
	vp_load
	! areas_are_hidden || fail "still hidden"
	unload vmalloc_probe
}

run_cases \
	"another file is not taken for it:another_file_is_not_taken_for_it" \
	"reports say so:reports_say_so" \
	"check says so:check_says_so" \
	"a storm goes on:storm_goes_on" \
	"seen again:seen_again"
