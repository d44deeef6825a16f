# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian packages of any suite and architecture through apt's own metadata and
# signatures, in a private directory: the host's apt is only asked for its
# mirror. Sourced after lib.sh.

# mirror SUITE: the URI that carries it
mirror()
{
	local label=Debian
	[[ $1 == *-security ]] && label=Debian-Security
	if [[ ! -v mirrors ]]; then
		# shellcheck disable=SC2016 # apt's own variables
		mirrors=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
			'Created-By: Packages')
	fi
	awk -v label="$label" '$1 == label { print $2; exit }' <<<"$mirrors"
}

# suite_options SUITE ARCH: the options that send apt to the private directory
suite_options()
{
	local dir=$cache/apt/$1-$2
	printf '%s\n' -o "Dir::State=$dir" -o "Dir::State::status=$dir/status" \
		-o "Dir::Cache=$dir" -o Dir::Cache::pkgcache=packages.bin \
		-o Dir::Cache::srcpkgcache=sources.bin \
		-o "Dir::Etc::SourceList=$dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o "APT::Architecture=$2" -o "APT::Architectures=$2" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none
}

# apt_get SUITE ARCH COMMAND… and apt_cache likewise
apt_get() { apt_run apt-get "$@"; }
apt_cache() { apt_run apt-cache "$@"; }
apt_run()
{
	local tool=$1 options
	mapfile -t options < <(suite_options "$2" "$3")
	shift 3
	"$tool" "${options[@]}" "$@"
}

# suite_update SUITE ARCH: fetch the index unless it is fresh. What went wrong
# is kept beside it: an archive that is out of step has other boards.
suite_update() { locked "apt-$1-$2" suite_update_locked "$@"; }
suite_update_locked()
{
	local dir=$cache/apt/$1-$2 uri
	fresh "$dir/updated" && return
	uri=$(mirror "$1")
	[[ $uri ]] || die "the host's apt names no Debian mirror that could carry $1"
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	: >"$dir/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $1 main" \
		>"$dir/sources.list"
	step "index of $1, $2"
	apt_get "$1" "$2" update -q >"$dir/log" 2>&1 || true
	grep -E '^(E|W): .*(Failed|not|no longer)' "$dir/log" | head -1 >"$dir/error" || true
	touch "$dir/updated"
}

index_error() { grep . "$cache/apt/$1-$2/error" || echo none; }

# candidates ARCH PACKAGE PREFIX SUITE…: "SUITE VERSION" lines, the newest first,
# of the versions that start with PREFIX (any, if empty); fails with the reasons
# when there is none
candidates()
{
	local arch=$1 package=$2 prefix=$3 suite version found='' why=''
	shift 3
	for suite; do
		suite_update "$suite" "$arch"
		version=$(apt_cache "$suite" "$arch" policy "$package" 2>/dev/null |
			awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }')
		if [[ ! $version || $version != ${prefix:+"$prefix".}* ]]; then
			why+=" $suite: ${version:-$(index_error "$suite" "$arch")};"
		else
			found+="$suite $version"$'\n'
		fi
	done
	[[ $found ]] || { echo "$package $prefix:$why" >&2; return 1; }
	# Close to dpkg's order, and the same among kernels.
	printf %s "$found" | sort -k2,2Vr
}

# download SUITE ARCH DIR PACKAGE…: into DIR; apt checks hash and signature
download()
{
	local suite=$1 arch=$2 dir=$3
	shift 3
	mkdir -p "$dir"
	(cd "$dir" && apt_get "$suite" "$arch" download -q "$@" >&2)
}

# linux_packages SUITE ARCH PACKAGE…: them and the linux-* packages with an ABI
# in their name that they depend on
linux_packages()
{
	local suite=$1 arch=$2
	shift 2
	apt_cache "$suite" "$arch" depends --recurse --no-recommends --no-suggests \
		--no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
		grep -E '^linux-(image|binary|modules|base|headers|kbuild)-[0-9]' |
		grep -v -e '-unsigned$' | sort -u
}
