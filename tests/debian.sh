#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The Debian package builds, and holds just what DKMS needs to build modules.

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=common.sh
. "$top/tests/common.sh"

need dpkg-buildpackage dpkg-dev
need dh debhelper
need dh_dkms dh-dkms

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' "$top/dkms.conf")

builds()
{
	if ! (cd "$scratch/tree" && dpkg-buildpackage -us -uc -b) >"$scratch/log" 2>&1; then
		sed 's/^/# /' "$scratch/log"
		fail "dpkg-buildpackage"
	fi
	[ -e "$scratch/kmemlab-dkms_${version}_all.deb" ] || fail "no package of $version"
}

# what is_installed by dkms-sources and what the package has under /usr/src
same_sources()
{
	dpkg-deb -x "$scratch/kmemlab-dkms_${version}_all.deb" "$scratch/package" ||
		fail "nothing to look into"
	make -C "$scratch/tree" dkms-sources DESTDIR="$scratch/direct" >"$scratch/log" ||
		fail "make dkms-sources"
	diff -r "$scratch/direct/usr/src" "$scratch/package/usr/src" ||
		fail "the package's sources are not those of make dkms-install"
	for file in dkms.conf Kbuild compat/compat.h COPYING; do
		[ -s "$scratch/package/usr/src/kmemlab-$version/$file" ] ||
			fail "no $file in the package"
	done
}

runs_dkms()
{
	dpkg-deb -e "$scratch/kmemlab-dkms_${version}_all.deb" "$scratch/control" ||
		fail "nothing to look into"
	for script in postinst prerm; do
		grep -q dkms "$scratch/control/$script" || fail "$script does not run dkms"
	done
	grep -q '^Depends:.*dkms' "$scratch/control/control" || fail "no dependency on dkms"
}

copy_tree "$scratch/tree"
run_cases \
	"dpkg-buildpackage makes kmemlab-dkms:builds" \
	"its sources are those that make dkms-install takes:same_sources" \
	"installing and removing it runs dkms:runs_dkms"
