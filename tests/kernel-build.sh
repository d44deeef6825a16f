#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# scripts/kernel-build refuses a kernel in which an option that was asked for is
# not on, whichever way it went missing: before it compiles anything, and once
# more when all is built.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

# copied NAME: a tree to build with in $tree, and a kernel's source in $source_dir
copied()
{
	tree=$scratch/$1
	copy_tree "$tree"
	(cd "$tree" && git init -q && git add -A) || fail "git"
	source_dir=$("$top/scripts/kernel" source 6.12 2>"$scratch/log") ||
		fail "scripts/kernel source 6.12: $(tail -n 1 "$scratch/log")"
}

# refused_options: what scripts/kernel-build says of options, in $scratch/refused
refused_options()
{
	! "$tree/scripts/kernel-build" "$source_dir" "$scratch/kernel" \
		>"$scratch/log" 2>&1 || fail "a kernel was built"
	grep -q '^kernel-build: options that did not take effect:' "$scratch/log" ||
		fail "refused for another reason: $(tail -n 1 "$scratch/log")"
	awk 'seen; /options that did not/ { seen = 1 }' "$scratch/log" >"$scratch/refused"
	[ ! -e "$scratch/kernel" ] || fail "the kernel's directory appeared"
}

refuses_all()
{
	copied before
	cat >>"$tree/scripts/boards/debug.config" <<-'EOF'
		CONFIG_KMEMLAB_NO_SUCH_OPTION=y
		CONFIG_NET_SCH_FQ=y
		CONFIG_64BIT=m
		# CONFIG_MMU is not set
	EOF
	refused_options
	grep -qx 'CONFIG_KMEMLAB_NO_SUCH_OPTION=y: the kernel has: nothing' "$scratch/refused" ||
		fail "accepts an option that does not exist"
	grep -qx 'CONFIG_NET_SCH_FQ=y: the kernel has: nothing' "$scratch/refused" ||
		fail "accepts an option whose conditions are not met"
	grep -qx 'CONFIG_64BIT=m: the kernel has: CONFIG_64BIT=y' "$scratch/refused" ||
		fail "accepts another value"
	grep -qx '# CONFIG_MMU is not set: the kernel has: CONFIG_MMU=y' "$scratch/refused" ||
		fail "accepts that an option stays on"
	same 4 "$(wc -l <"$scratch/refused")" "refused options"
	! grep -qE '^  CC +mm/' "$scratch/kernel.tmp/log" || fail "it compiled first"
}

# A make that compiles nothing, and leaves an option out while it does so.
refuses_what_was_built()
{
	copied after
	mkdir "$scratch/bin"
	cat >"$scratch/bin/make" <<-EOF
		#!/bin/sh
		built=\$2/build
		case " \$* " in
		*' all '*)
			sed -i '/^CONFIG_KASAN_VMALLOC=/d' "\$built/.config"
			mkdir -p "\$built/include/config" "\$built/arch/x86/boot"
			echo 6.12.0 >"\$built/include/config/kernel.release"
			echo >"\$built/arch/x86/boot/bzImage" ;;
		*' modules_install '*) mkdir -p "\$2/../lib/modules/6.12.0" ;;
		*) exec $(command -v make) "\$@" ;;
		esac
	EOF
	chmod +x "$scratch/bin/make"
	PATH=$scratch/bin:$PATH
	refused_options
	same 'CONFIG_KASAN_VMALLOC=y: the kernel has: nothing' "$(cat "$scratch/refused")" \
		"refused options"
	same "1/5 source
2/5 configuration
3/5 compiling
4/5 installing" "$(sed -n 's|^\[ *[0-9]*s\] \([0-9]/[0-9] [a-z]*\).*|\1|p' "$scratch/log")" \
		"what was said meanwhile"
}

run_cases \
	"options that did not take effect, before anything is compiled:refuses_all" \
	"an option that went missing in the build:refuses_what_was_built"
