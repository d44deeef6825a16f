#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# selftests/ is a kselftest collection: a copy in a kernel tree runs and
# installs there. Without the modules each script skips with a reason. And both
# runners, the kernel's and ours, take a script for what it is.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

need rsync
need make

tree=$scratch/linux
collections=$tree/tools/testing/selftests
copy=$collections/kmemlab

# kernel_tree: what kselftest needs of a kernel's sources, and a copy of ours.
# lib.mk looks for itself by its real path, so it has to be a copy.
kernel_tree()
{
	source_dir=$("$top/scripts/kernel" source 6.12 2>"$scratch/kernel.log") ||
		fail "scripts/kernel source 6.12: $(tail -n 1 "$scratch/kernel.log")"
	rm -rf "$tree"
	mkdir "$tree"
	(cd "$source_dir" && {
		find tools/testing/selftests -maxdepth 1 -type f
		find tools/testing/selftests/kselftest scripts/subarch.include -type f
	} | tar -cf - -T -) | tar -xf - --no-same-owner -C "$tree"
	copy_tree "$scratch/project"
	cp -r "$scratch/project/selftests" "$copy"
}

# Those of a module are named after it.
scripts() { (cd "$copy" && find . -name '*.sh' ! -name run.sh ! -name 'bench_*' -perm -u+x); }

# all_skipped LOG: every script of the copy, each with its reason
all_skipped()
{
	number=$(scripts | wc -l)
	[ "$number" -gt 0 ] || fail "there are no scripts"
	same "$number" "$(grep -c '^ok [0-9]* selftests: kmemlab: .* # SKIP' "$1")" \
		"scripts that skipped, see $(grep '^not ok' "$1")"
	same "$number" "$(grep -c '^# 1\.\.0 # SKIP ..*' "$1")" "reasons given"
	timeout=$(sed -n 's/^timeout=//p' "$copy/settings")
	same "$number" "$(grep -c "^# timeout set to $timeout\$" "$1")" \
		"scripts that ran under the timeout of settings"
}

runs()
{
	kernel_tree
	make -C "$collections" TARGETS=kmemlab run_tests >"$scratch/log" 2>&1 ||
		{ sed 's/^/# /' "$scratch/log"; fail "make run_tests"; }
	all_skipped "$scratch/log"
}

installs()
{
	kernel_tree
	make -C "$collections" TARGETS=kmemlab install \
		KSFT_INSTALL_PATH="$scratch/install" >"$scratch/log" 2>&1 ||
		{ sed 's/^/# /' "$scratch/log"; fail "make install"; }
	"$scratch/install/run_kselftest.sh" -s -c kmemlab >"$scratch/log" 2>&1 ||
		fail "run_kselftest.sh"
	cat "$scratch/install/output.log" >>"$scratch/log"
	all_skipped "$scratch/log"
}

# behaving: scripts of every sort in place of ours
behaving()
{
	rm -f "$copy"/*_*.sh
	echo timeout=2 >"$copy/settings"
	for text in 'good:true' 'bad:false' 'skips:skip "no reason"' 'hangs:sleep 30' \
			'dies:kill -9 $$'; do
		{
			echo '#!/bin/sh'
			echo 'here=$(cd "$(dirname "$0")" && pwd)'
			echo '. "$here/functions.sh"'
			echo "it() { ${text#*:}; }"
			echo 'run_cases "the case:it"'
		} >"$copy/is_${text%%:*}.sh"
	done
	printf '#!/bin/sh\nhere=.; . ./functions.sh\nneed_module kmemlab_none\n' \
		>"$copy/is_skipped.sh"
	printf '#!/bin/sh\nexit 0\n' >"$copy/is_silent.sh"
	chmod +x "$copy"/is_*.sh
}

# result LOG OUTCOME SCRIPT
result()
{
	grep -qE "^$2 [0-9]+ selftests: kmemlab: is_$3.sh" "$1" ||
		fail "no '$2' for is_$3.sh: $(grep "is_$3.sh" "$1" | tail -n 1)"
}

kernel_runner()
{
	kernel_tree
	behaving
	make -C "$collections" TARGETS=kmemlab run_tests >"$scratch/log" 2>&1
	for script in good skips skipped; do
		result "$scratch/log" ok $script
	done
	for script in bad hangs dies; do
		result "$scratch/log" 'not ok' $script
	done
	grep -q 'is_hangs.sh # TIMEOUT 2 seconds' "$scratch/log" ||
		fail "settings is not honoured"
}

our_runner()
{
	kernel_tree
	behaving
	KMEMLAB_REPORT=/dev/stderr "$copy/run.sh" >"$scratch/log" 2>"$scratch/report" &&
		fail "it succeeds with failing scripts"
	for script in good skips skipped; do
		result "$scratch/log" ok $script
	done
	for script in bad hangs dies silent; do
		result "$scratch/log" 'not ok' $script
	done
	for line in 'pass|is_good.sh|the case|' 'fail|is_bad.sh|the case|' \
			'skip|is_skips.sh|the case|no reason' \
			'fail|is_hangs.sh|everything|no end after 2 s'; do
		grep -qxF "$line" "$scratch/report" || fail "not reported: $line"
	done
	rm -f "$copy"/is_bad.sh "$copy"/is_hangs.sh "$copy"/is_dies.sh "$copy"/is_silent.sh
	"$copy/run.sh" >"$scratch/log" || fail "it fails with only good scripts"
	rm -f "$copy"/is_*.sh
	"$copy/run.sh" >"$scratch/log" && fail "it succeeds without scripts"
	return 0
}

run_cases \
	"make run_tests in a kernel tree skips everything, with reasons:runs" \
	"make install there, and run_kselftest.sh:installs" \
	"the kernel's runner sees what scripts do, and settings:kernel_runner" \
	"our runner sees what scripts do, and settings:our_runner"
