#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# DKMS really adds, builds, installs and removes the package, through the
# Makefile's targets, for the headers of distribution kernels. Its trees are
# private: the host's modules, sources and signing keys are not touched.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

need dkms
# dkms insists on being root.
[ "$(id -u)" = 0 ] || {
	unshare --map-root-user true 2>/dev/null ||
		skip_all "dkms needs root or user namespaces"
	rm -r "$scratch"
	exec unshare --map-root-user "$0"
}

# with_dkms BOARD: private trees for this kernel, and the compiler under the
# name that its headers ask for
with_dkms()
{
	use_kernel "$1"
	trees=$(mktemp -d "$scratch/XXXXXX")
	mkdir -p "$trees/src" "$trees/dkms" "$trees/bin" "$trees/modules/$release"
	wanted=$CROSS_COMPILE$(sed -n 's/^CC = .*CROSS_COMPILE)\(gcc-[0-9]*\)$/\1/p' \
		"$kernel/build/.kernelvariables")
	command -v "$wanted" >/dev/null ||
		ln -s "$(command -v "${CROSS_COMPILE}gcc")" "$trees/bin/$wanted"
	PATH=$trees/bin:$PATH
	export sign_file=/nonexistent
}

# dkms_make TARGET: its output is in $trees/log
dkms_make()
{
	options="--dkmstree $trees/dkms --installtree $trees/modules"
	options="$options --kernelsourcedir $kernel/build --no-depmod"
	make -C "$scratch/tree" "$1" DKMS_SOURCETREE="$trees/src" \
		DKMS_KERNEL="$release/$KARCH" DKMS_OPTIONS="$options" \
		>"$trees/log" 2>&1
}

show_log() { sed 's/^/# /' "$trees/log"; cat "$trees"/dkms/kmemlab/*/build/make.log 2>/dev/null; }

# modules of the tree, but not those that need CMA where there is none
expected_modules()
{
	for file in "$scratch"/tree/*/Kbuild; do
		file=${file%/Kbuild}
		file=${file##*/}
		[ "$file" = cma_test ] &&
			! grep -q '^CONFIG_CMA=y' "$kernel/build/.config" && continue
		echo "$file"
	done | sort | paste -sd ' '
}

installed_modules()
{
	find "$trees/modules" -name '*.ko*' | sed 's|.*/||; s|\.ko.*||' |
		sort | paste -sd ' '
}

# nothing_left: the trees are as empty as they were
nothing_left()
{
	same "" "$(find "$trees/src" "$trees/dkms" "$trees/modules" -type f)" \
		"files after dkms-remove"
	same "" "$(ls -A "$trees/src")$(ls -A "$trees/dkms")" "directories after dkms-remove"
}

# install_and_remove BOARD
install_and_remove()
{
	with_dkms "$1"
	if ! dkms_make dkms-install; then
		show_log
		fail "make dkms-install for $release"
	fi
	same "$(expected_modules)" "$(installed_modules)" "modules installed for $release"
	same "" "$(find "$trees/modules" -name '*.ko*' -exec modinfo -F vermagic {} + |
		grep -v "^$release ")" "modules of another kernel"
	dkms status --dkmstree "$trees/dkms" | grep -q "kmemlab.*$release.*: installed" ||
		fail "dkms status does not say installed"
	dkms_make dkms-install && fail "a second dkms-install succeeded"
	grep -q 'make dkms-remove first' "$trees/log" ||
		fail "a second dkms-install does not say what to do"

	dkms_make dkms-remove || { show_log; fail "make dkms-remove"; }
	nothing_left
}

kernel_with_cma() { install_and_remove arm64-6.1; }

# A module that cannot be built there must not keep the others from it.
kernel_without_cma() { install_and_remove x86_64-6.1; }

kernel_too_old()
{
	with_dkms arm64-6.1
	release=5.9.0-1-arm64
	mkdir "$trees/modules/$release"
	dkms_make dkms-install && fail "Linux 5.9 is not refused"
	grep -q 'BUILD_EXCLUSIVE' "$trees/log" || fail "dkms does not say why"
	same "" "$(installed_modules)" "modules installed for $release"
	dkms_make dkms-remove || { show_log; fail "make dkms-remove"; }
	nothing_left
}

# A broken module is an error of the whole package, not a quiet absence.
broken_module()
{
	with_dkms arm64-6.1
	file=$(find "$scratch/tree" -path '*_test/*.c' ! -path '*/selftests/*' | head -n 1)
	echo 'this is not C' >>"$file"
	dkms_make dkms-install && fail "a module that does not compile is installed"
	same "" "$(installed_modules)" "modules installed"
}

copy_tree "$scratch/tree"
run_cases \
	"dkms adds, builds, installs and removes on a kernel with CMA:kernel_with_cma" \
	"dkms does so without CMA, less what needs it:kernel_without_cma" \
	"dkms leaves a kernel older than 5.10 alone:kernel_too_old" \
	"dkms fails when a module does not compile:broken_module"
