#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The Makefile: what a newcomer types, and what it says when that cannot work.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

tree=$scratch/tree
copy_tree "$tree"
cd "$tree" || exit

help()
{
	make help >"$scratch/log" || fail "make help"
	for target in all modules_install clean run check check-all bench lint \
			dkms-install dkms-remove help; do
		grep -qE "^  $target  +[a-z]" "$scratch/log" || fail "help has no line for $target"
	done
	grep -q KDIR "$scratch/log" || fail "help does not name KDIR"
}

# A tree of scripts that say that they were called, and make.
called()
{
	rm -rf "$scratch/stubs"
	mkdir -p "$scratch/stubs/scripts" "$scratch/stubs/.ci"
	cp Makefile dkms.conf "$scratch/stubs/"
	cp .ci/run "$scratch/stubs/.ci/"
	for script in tour check bench lint setup; do
		printf '#!/bin/sh\necho "%s $*" >>calls\n[ %s != "$FAILS" ]\n' $script $script \
			>"$scratch/stubs/scripts/$script"
	done
	chmod +x "$scratch"/stubs/scripts/*
	(cd "$scratch/stubs" && "$@" >"$scratch/log" 2>&1; echo $? >status
		sed 's/ $//' calls | tr '\n' ';' | cat - status)
}

targets()
{
	same 'tour;0' "$(called make run)" "make run"
	same 'check;0' "$(called make check)" "make check"
	same 'check --all;0' "$(called make check-all)" "make check-all"
	same 'bench;0' "$(called make bench)" "make bench"
	same 'lint;0' "$(called make lint)" "make lint"
	FAILS=check
	export FAILS
	same 'check;2' "$(called make check)" "make check that fails"
}

ci()
{
	same 'setup;lint;check --all --minutes 55;0' "$(called .ci/run)" ".ci/run"
	for FAILS in setup lint check; do
		export FAILS
		case $(called .ci/run) in
		*"$FAILS"*';0') fail "it succeeds though $FAILS fails" ;;
		*"$FAILS"*) ;;
		*) fail "it does not come to $FAILS" ;;
		esac
	done
}

without_headers()
{
	make KDIR=/nonexistent >"$scratch/log" 2>&1 && fail "make succeeds without a kernel"
	grep -q '^No kernel to build for: /nonexistent' "$scratch/log" || fail "it does not say why"
	grep -q 'apt install linux-headers-' "$scratch/log" || fail "it does not say what to install"
	same 1 "$(grep -c '\*\*\*' "$scratch/log")" "make's own complaints"
	make clean KDIR=/nonexistent >"$scratch/log" 2>&1 || fail "make clean needs a kernel"
}

modules() { find "$1" -name '*.ko' | sed 's|.*/||; s|\.ko$||' | sort | paste -sd ' '; }
kbuild_modules() { for dir in */Kbuild; do echo "${dir%/Kbuild}"; done | paste -sd ' '; }

# untracked: the files that git would offer to add, had it none
untracked() { git --git-dir="$scratch/git" --work-tree=. ls-files -o --exclude-standard; }

builds()
{
	use_kernel arm64-6.1
	find . | sort >"$scratch/before"
	git init -q --bare "$scratch/git"
	untracked >"$scratch/sources"
	make KDIR="$kernel/build" >"$scratch/log" 2>&1 ||
		{ sed 's/^/# /' "$scratch/log"; fail "make"; }
	untracked | diff "$scratch/sources" - || fail ".gitignore does not know what make makes"
	same "$(kbuild_modules)" "$(modules .)" "modules built"
	same "" "$(grep 'left out' "$scratch/log")" "modules left out"
	for module in */*.ko; do
		same "$(modinfo -F parmtype "$module" | sed 's/:.*//' | sort)" \
			"$(modinfo -F parm "$module" | sed -n 's/:[^ ].*//p' | sort)" \
			"parameters of $module that modinfo describes"
	done
	make KDIR="$kernel/build" modules_install INSTALL_MOD_PATH="$scratch/root" \
		>"$scratch/log" 2>&1 || { sed 's/^/# /' "$scratch/log"; fail "make modules_install"; }
	same "$(kbuild_modules)" "$(modules "$scratch/root/lib/modules/$release")" "modules installed"
	make KDIR="$kernel/build" clean >"$scratch/log" 2>&1 || fail "make clean"
	find . | sort >"$scratch/after"
	diff "$scratch/before" "$scratch/after" || fail "make clean leaves files"
}

without_cma()
{
	use_kernel x86_64-6.1
	make KDIR="$kernel/build" >"$scratch/log" 2>&1 ||
		{ sed 's/^/# /' "$scratch/log"; fail "make"; }
	same "$(kbuild_modules | sed 's/cma_test *//; s/ $//')" "$(modules .)" "modules built"
	same 1 "$(grep -c 'kmemlab: cma_test is left out: .*CONFIG_CMA' "$scratch/log")" \
		"lines that say what is left out"
	make KDIR="$kernel/build" clean >"$scratch/log" 2>&1 || fail "make clean"
	same "" "$(grep 'left out' "$scratch/log")" "what make clean says"
}

# The forced header alone refuses it, whatever else would not compile there.
too_old()
{
	mkdir -p "$scratch/linux"
	cat >"$scratch/linux/version.h" <<-'EOF'
	#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
	#define LINUX_VERSION_CODE KERNEL_VERSION(5, 9, 16)
	EOF
	cpp -I"$scratch" compat/compat.h >/dev/null 2>"$scratch/log" && fail "5.9 is accepted"
	grep -q '#error "kmemlab supports Linux 5.10 and newer"' "$scratch/log" ||
		fail "it does not say which kernels are supported"
}

run_cases \
	"make help names every target:help" \
	"make run, check, check-all, bench and lint do that:targets" \
	"CI is setup, lint and checks, and fails with each:ci" \
	"without headers it says what to install:without_headers" \
	"make, make modules_install, make clean, for arm64:builds" \
	"without CONFIG_CMA, with a line that says so:without_cma" \
	"a kernel before 5.10 is refused, with words:too_old"
