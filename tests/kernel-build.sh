#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# scripts/kernel-build refuses a kernel in which an option that was asked for is
# not on, whichever way it went missing, and before it compiles anything.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

tree=$scratch/tree

configured()
{
	copy_tree "$tree"
	(cd "$tree" && git init -q && git add -A) || fail "git"
	source_dir=$("$top/scripts/kernel" source 6.12 2>"$scratch/log") ||
		fail "scripts/kernel source 6.12: $(tail -n 1 "$scratch/log")"
	cat >>"$tree/scripts/boards/debug.config" <<-'EOF'
		CONFIG_KMEMLAB_NO_SUCH_OPTION=y
		CONFIG_NET_SCH_FQ=y
		# CONFIG_MMU is not set
	EOF
	! "$tree/scripts/kernel-build" --quiet "$source_dir" "$scratch/kernel" \
		>"$scratch/log" 2>&1 || fail "a kernel was built"
	grep -q '^kernel-build: options that did not take effect:' "$scratch/log" ||
		fail "refused for another reason: $(tail -n 1 "$scratch/log")"
	awk 'seen; /options that did not/ { seen = 1 }' "$scratch/log" >"$scratch/refused"
}

refuses_all()
{
	configured
	grep -qx 'CONFIG_KMEMLAB_NO_SUCH_OPTION=y: the kernel has: nothing' "$scratch/refused" ||
		fail "accepts an option that does not exist"
	grep -qx 'CONFIG_NET_SCH_FQ=y: the kernel has: nothing' "$scratch/refused" ||
		fail "accepts an option whose conditions are not met"
	grep -qx '# CONFIG_MMU is not set: the kernel has: CONFIG_MMU=y' "$scratch/refused" ||
		fail "accepts that an option stays on"
	same 3 "$(wc -l <"$scratch/refused")" "refused options"
	! grep -qE '^  CC +mm/' "$scratch/kernel.tmp/log" || fail "it compiled first"
	[ ! -e "$scratch/kernel" ] || fail "the kernel's directory appeared"
}

run_cases "options that did not take effect, before anything is compiled:refuses_all"
