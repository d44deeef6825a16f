#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What the host lacks is installed with one apt-get command that is shown, and by
# nobody but root. The commands that would change or ask the host are replaced.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

bin=$scratch/bin
HOME=$scratch
export HOME
unset XDG_CACHE_HOME DEBIAN_FRONTEND

# A tree's worth of tools, with no way to the host's others.
prepare()
{
	rm -rf "$bin"
	mkdir -p "$bin"
	for tool in bash cat dirname env grep head mkdir sed; do
		ln -s "$(command -v $tool)" "$bin/$tool"
	done
	: >"$scratch/calls"
	as 0
	fake dpkg-query <<-EOF
		case "\$*" in
		*'{Depends}'*) echo clang-99 ;;
		*) cat $scratch/installed ;;
		esac
	EOF
	fake apt-get <<-EOF
		echo "\$0 \$* \$DEBIAN_FRONTEND" | sed 's,.*/,,' >>$scratch/calls
	EOF
	{ wanted; echo libclang-rt-99-dev; } | sed 's/$/ installed/' >"$scratch/installed"
}

# fake TOOL: from standard input
fake()
{
	{
		echo '#!/bin/sh'
		cat
	} >"$bin/$1"
	chmod +x "$bin/$1"
}

as() { echo "echo $1" | fake id; }

with_sudo()
{
	fake sudo <<-EOF
		echo "sudo \$*" >>$scratch/calls
		exec "\$@"
	EOF
}

wanted()
{
	# shellcheck disable=SC2016 # for that shell
	bash -c 'top=$1; . "$1/scripts/lib.sh"; printf "%s\n" $packages' - "$top"
}

# without PACKAGE…
without()
{
	for package; do
		grep -q "^$package " "$scratch/installed" || fail "$package is not wanted"
		grep -v "^$package " "$scratch/installed" >"$scratch/rest"
		cat "$scratch/rest" >"$scratch/installed"
	done
}

setup()
{
	status=0
	PATH=$bin "$top/scripts/setup" >"$scratch/output" 2>"$scratch/log" || status=$?
	same "" "$(cat "$scratch/output")" "on standard output"
}

install='install -y --no-install-recommends'

nothing_is_missing()
{
	prepare
	as 1000
	setup
	same 0 $status "exit status"
	same "" "$(cat "$scratch/log" "$scratch/calls")" "said and done"
}

root_installs()
{
	prepare
	without sparse make libclang-rt-99-dev
	with_sudo
	setup
	same 0 $status "exit status"
	same "+ apt-get update -q && apt-get $install sparse make libclang-rt-99-dev" \
		"$(cat "$scratch/log")" "shown"
	same "apt-get update -q noninteractive
apt-get $install sparse make libclang-rt-99-dev noninteractive" \
		"$(cat "$scratch/calls")" "done"
}

# Its configuration is still there, the package is not.
removed_is_missing()
{
	prepare
	without dkms
	echo 'dkms config-files' >>"$scratch/installed"
	setup
	grep -q "$install dkms\$" "$scratch/log" || fail "$(cat "$scratch/log")"
}

users_ask_sudo()
{
	prepare
	as 1000
	without qemu-system-arm
	with_sudo
	setup
	same 0 $status "exit status"
	same "+ sudo apt-get update -q && sudo apt-get $install qemu-system-arm" \
		"$(cat "$scratch/log")" "shown"
	same "sudo apt-get update -q
sudo apt-get $install qemu-system-arm" "$(grep ^sudo "$scratch/calls")" "done"
}

users_are_told()
{
	prepare
	as 1000
	without qemu-system-arm
	setup
	same 2 $status "exit status"
	same "setup: packages are missing; as root, run: apt-get update -q && apt-get $install qemu-system-arm" \
		"$(cat "$scratch/log")" "said"
	same "" "$(cat "$scratch/calls")" "done"
}

a_failure_is_one()
{
	prepare
	without sparse
	fake apt-get <<-'EOF'
		[ "$1" = update ] || { echo "no network" >&2; exit 100; }
	EOF
	setup
	same 2 $status "exit status"
	same "no network
setup: could not install the missing packages" "$(tail -n 2 "$scratch/log")" "said"
	same "sparse" "$(sed -n "s/^+ .*$install //p" "$scratch/log")" "shown"
}

# What needs them asks for them itself.
they_all_do()
{
	prepare
	as 1000
	without sparse
	for script in check "kernel path arm64-6.1" "kernel modules arm64-6.1" "vm arm64-6.1"; do
		# shellcheck disable=SC2086 # arguments
		PATH=$bin "$top"/scripts/$script >"$scratch/output" 2>&1 && fail "$script runs"
		grep -q "packages are missing; .* sparse\$" "$scratch/output" ||
			fail "$script: $(cat "$scratch/output")"
	done
}

run_cases \
	"nothing missing, nothing done:nothing_is_missing" \
	"root installs what is missing, in sight:root_installs" \
	"a removed package is missing:removed_is_missing" \
	"others do it through sudo:users_ask_sudo" \
	"without sudo the command is printed:users_are_told" \
	"what apt-get cannot do is an error:a_failure_is_one" \
	"what needs packages asks for them:they_all_do"
