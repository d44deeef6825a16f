#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Each check of scripts/lint is able to fail: a violation is planted in a copy
# of the tree, and the check must name it.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

# plant FILE TEXT: in a fresh copy of the tree, which becomes the current directory
plant()
{
	rm -rf "$scratch/tree"
	copy_tree "$scratch/tree"
	cd "$scratch/tree" || exit
	printf '%b\n' "$2" >>"$1"
}

# change FILE SED-EXPRESSION: likewise
change()
{
	plant CHANGES
	sed "$2" "$1" >"$scratch/changed"
	! cmp -s "$1" "$scratch/changed" || fail "'$2' changes nothing in $1"
	cat "$scratch/changed" >"$1"
}

# found CHECK TEXT: the check fails, and with this text
found()
{
	if scripts/lint "$1" >"$scratch/log" 2>&1; then
		fail "lint $1 does not see it"
	fi
	grep -q "^FAIL  $1:" "$scratch/log" || fail "lint $1 does not say so"
	grep -qe "$2" "$scratch/log" || {
		sed 's/^/# /' "$scratch/log"
		fail "lint $1 does not name '$2'"
	}
}

spdx()
{
	plant planted.c 'int planted;'
	found spdx '^ *planted.c:'
	plant scripts/planted '#!/bin/sh\necho'
	found spdx '^ *scripts/planted:'
}

whitespace()
{
	plant planted.rst 'a blank '
	found whitespace '^ *planted.rst:1:'
	plant planted.rst 'a blank\n \ttab'
	found whitespace '^ *planted.rst:2:'
}

versions()
{
	plant include/planted.h '#if LINUX_VERSION_CODE < 5'
	found versions '^ *include/planted.h:1:'
	plant planted.c '#if 1 < KERNEL_VERSION(5, 4, 0)'
	found versions '^ *planted.c:1:'
	plant compat/planted.h '#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 12, 0)'
	found versions '^ *compat/planted.h: nothing is cited of 5.12'
}

range()
{
	change compat/compat.h 's/KERNEL_VERSION(5, 10, 0)/KERNEL_VERSION(5, 4, 0)/'
	found range '^ *compat/compat.h:.*5.4 and newer'
	change README.md 's/Linux 5\.10 to/Linux 5.4 to/'
	found range "^ *README.md: no 'Linux 5.10"
	change README.md 's/\(Linux 5\.10 to\) [0-9.]*[0-9]/\1 9.9/'
	found range "^ *README.md: says '5.10 to 9.9'"
	change dkms.conf 's/\(BUILD_EXCLUSIVE_KERNEL\)=.*/\1=/'
	found range '^ *dkms.conf: does not exclude Linux 5.9'
	change dkms.conf 's/\(BUILD_EXCLUSIVE_KERNEL\)=.*/\1="^6"/'
	found range '^ *dkms.conf: excludes Linux 5.10'
}

dkms()
{
	change Kbuild '$aobj-$(if $(CONFIG_PLANTED),m) += planted/'
	found dkms "option 'none': Kbuild builds.*planted"
	change dkms.conf '$akmemlab_module planted'
	mkdir planted && touch planted/Kbuild
	found dkms "option 'none':.*dkms.conf lists.*planted"
	change dkms.conf 's/kmemlab_has CONFIG_[A-Z_]*/true/'
	found dkms "without option 'CONFIG_"
	change CHANGES 's/^[0-9].*/9.9/'
	found dkms '^ *CHANGES:'
	change debian/changelog '1s/(.*)/(9.9)/'
	found dkms '^ *debian/changelog:'
}

executable()
{
	plant selftests/planted.sh '#!/bin/sh'
	found executable '^ *selftests/planted.sh: not executable'
	plant selftests/planted.sh
	chmod +x selftests/planted.sh
	found executable '^ *selftests/planted.sh: executable, but'
}

shellcheck()
{
	plant scripts/planted '#!/bin/sh\ncd "$1"'
	found shellcheck '^ *scripts/planted:2:'
	plant selftests/planted.sh 'cd "$1"'
	found shellcheck '^ *selftests/planted.sh:1:'
}

checkpatch()
{
	plant planted.c 'int planted(int a)\n{\n\tif(a) return 1;\n\treturn 0;\n}'
	found checkpatch '^ *planted.c:3:.*ERROR'
	CHECKPATCH=/nonexistent found checkpatch nonexistent
}

kernel_doc()
{
	plant include/planted.h \
		'/**\n * planted() - it\n * @b: not there\n */\nint planted(int a);'
	found kernel-doc '^ *include/planted.h:.*warning'
	KERNEL_DOC=/nonexistent found kernel-doc nonexistent
}

# plant_in_module TEXT: append it to a source file of a module
plant_in_module()
{
	text=$1
	set -- "$top"/*/chardev.c
	file=${1#"$top"/}
	plant "$file" "$text"
}

build()
{
	plant_in_module 'static const int planted = 1;'
	found build "^ *$file:.*planted.*unused"
	plant_in_module 'this is not C'
	found build "^ *$file:.*error"
}

sparse()
{
	plant_in_module 'int *planted(void); int *planted(void) { return 0; }'
	found sparse "^ *$file:.*NULL pointer"
	SPARSE=/nonexistent found sparse 'apt-get install sparse'
}

abi()
{
	plant_in_module '\t{ "planted", "a verb", NULL }'
	found abi "^ *$file: no word on planted"
	plant "${file%/*}/debugfs.c" 'debugfs_create_file("planted", 0400, dir, NULL, &fops);'
	found abi "^ *${file%/*}/debugfs.c: no entry for planted"
	plant "${file%/*}/debugfs.c" '\t{ "planted", &planted_fops },'
	found abi "^ *${file%/*}/debugfs.c: no entry for planted"
	plant "${file%/*}/debugfs.c" '\tseq_printf(m, " planted=%d", 1);'
	found abi "^ *${file%/*}: no word on planted"
	plant CHANGES
	rm "Documentation/ABI/testing/dev-${file%/*}"
	found abi "^ *$file: no entry for /dev/${file%/*}"
}

nothing_to_run()
{
	plant CHANGES
	scripts/lint planted >/dev/null 2>&1 && fail "an unknown check passes"
	find . -type f ! -path ./scripts/lint -exec rm {} +
	scripts/lint >/dev/null 2>&1 && fail "an empty tree passes"
	return 0
}

run_cases \
	"a missing licence line is found:spdx" \
	"a blank at a line's end is found:whitespace" \
	"a kernel version outside compat/ is found:versions" \
	"disagreement on supported kernels is found:range" \
	"a dkms.conf that differs from Kbuild is found:dkms" \
	"a script that would not be run is found:executable" \
	"a careless script is found:shellcheck" \
	"bad style is found, a missing checkpatch too:checkpatch" \
	"a malformed kernel-doc comment is found:kernel_doc" \
	"a W=1 warning is found, an error too:build" \
	"a sparse warning is found, a missing sparse too:sparse" \
	"an undescribed report, key, verb or device is found:abi" \
	"unknown checks and empty trees do not pass:nothing_to_run"
