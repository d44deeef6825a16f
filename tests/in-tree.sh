#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# scripts/in-tree on a tree as small as it will take, the files of which are
# hard links to another tree's.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

in_tree=$top/scripts/in-tree
tree=$scratch/tree
misc=$tree/drivers/misc
# shellcheck disable=SC2016 # make expands these
other_line='obj-$(CONFIG_OTHER) += other.o' our_line='obj-$(CONFIG_KMEMLAB) += kmemlab/'

new_tree()
{
	rm -rf "$scratch/origin" "$scratch/before" "$tree"
	mkdir -p "$scratch/origin/drivers/misc"
	cat >"$scratch/origin/drivers/misc/Kconfig" <<-'KCONFIG'
	menu "Misc devices"

	config OTHER
		bool "other"

	source "drivers/misc/other/Kconfig"
	endmenu
	KCONFIG
	echo "$other_line" >"$scratch/origin/drivers/misc/Makefile"
	cp -a "$scratch/origin" "$scratch/before"
	cp -al "$scratch/origin" "$tree"
}

put_in() { "$in_tree" "$tree" || fail "scripts/in-tree: exit status $?"; }

# unchanged EXPECTED ACTUAL WHAT
unchanged() { diff -r "$1" "$2" || fail "$3"; }

hooks()
{
	new_tree
	put_in
	same "$(printf '%s\n' 'source "drivers/misc/kmemlab/Kconfig"' endmenu)" \
		"$(tail -n 2 "$misc/Kconfig")" "the end of the menu"
	same "$our_line" "$(tail -n 1 "$misc/Makefile")" "the Makefile's last line"
	unchanged "$scratch/before" "$scratch/origin" "it wrote through a hard link"
}

sources()
{
	new_tree
	put_in
	for file in Kbuild Kconfig compat include $(cd "$top" && ls -d ./*/Kbuild 2>/dev/null); do
		unchanged "$top/$file" "$misc/kmemlab/$file" "$file is not ours"
	done
	find "$misc/kmemlab" -name '*.o' -o -name '*.ko' -o -name '*.mod*' -o -name '.*' |
		grep . && fail "it copied what kbuild made"
	return 0
}

options()
{
	new_tree
	put_in
	for option in $("$in_tree" --options); do
		name=${option#CONFIG_}
		grep -qxE "(menu)?config ${name%=y}" "$misc/kmemlab/Kconfig" ||
			fail "$option is not in Kconfig"
		count=$((${count:-0} + 1))
	done
	[ "$count" -ge 2 ] || fail "no options"
	for option in $(cd "$top" && grep -oh 'CONFIG_KMEMLAB[A-Z_]*' ./*/Kbuild); do
		"$in_tree" --options | grep -qx "$option=y" || fail "Kbuild waits for $option"
	done
}

twice()
{
	new_tree
	put_in
	cp -a "$tree" "$scratch/once"
	put_in
	unchanged "$scratch/once" "$tree" "a second run changed the tree"
	find "$misc/Makefile" "$misc/Kconfig" -newer "$scratch/once/drivers/misc/Makefile" |
		grep . && fail "a second run touched what it did not change"
	return 0
}

update()
{
	new_tree
	put_in
	echo gone >"$misc/kmemlab/gone.c"
	echo changed >>"$misc/kmemlab/Kbuild"
	put_in
	unchanged "$top/Kbuild" "$misc/kmemlab/Kbuild" "an old file stayed"
	[ ! -e "$misc/kmemlab/gone.c" ] || fail "a file that is no longer ours stayed"
}

remove()
{
	new_tree
	put_in
	"$in_tree" --remove "$tree" || fail "exit status $?"
	unchanged "$scratch/before" "$tree" "it left something behind"
	"$in_tree" --remove "$tree" || fail "removing what is not there: exit status $?"
	unchanged "$scratch/before" "$tree" "removing what is not there changed the tree"
}

# not_taken DIRECTORY REASON
not_taken()
{
	said=$("$in_tree" "$1" 2>&1) && fail "it took $1"
	case $said in
	*"$2"*) ;;
	*) fail "expected '$2', it said: $said" ;;
	esac
}

refusals()
{
	new_tree
	not_taken "$scratch" "not a kernel tree"
	: >"$misc/Kconfig"
	not_taken "$tree" "no menu"
	[ ! -e "$misc/kmemlab" ] || fail "refused, but not without a trace"
	same "$other_line" "$(cat "$misc/Makefile")" "the Makefile"
}

run_cases \
	"the lines in Kconfig and Makefile:hooks" \
	"the sources, nothing built:sources" \
	"every option is in Kconfig:options" \
	"adding twice is adding once:twice" \
	"adding again brings it up to date:update" \
	"removing leaves nothing:remove" \
	"what is no kernel tree is refused:refusals"
