# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages that are unpacked, not installed.

# apt_private FOLDER SUITE: makes an apt configuration of its own in FOLDER, for
# SUITE on the mirror of which this machine takes its packages, and reads its
# lists. /etc/apt and the system's own lists are only read. Sets APT_PRIVATE.
apt_private() {
	local d=$1 suite=$2 mirror key
	# shellcheck disable=SC2016 # apt expands these
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$3 == "main" && $1 ~ /debian\/?$/ { print $1; exit }')
	[ -n "$mirror" ] || die "no Debian mirror among this machine's apt sources"
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	mkdir -p "$d/state/lists/partial" "$d/cache/archives/partial" "$d/etc"
	: >"$d/state/status"
	echo "deb [signed-by=$key] $mirror $suite main" >"$d/etc/sources.list"
	cat >"$d/etc/apt.conf" <<-EOF
		Dir::Etc::SourceList "$d/etc/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$d/state";
		Dir::State::Status "$d/state/status";
		Dir::Cache "$d/cache";
		Acquire::Languages "none";
		APT::Sandbox::User "";
		Debug::NoLocking "true";
	EOF
	APT_PRIVATE=$d/etc/apt.conf
	APT_CONFIG=$APT_PRIVATE apt-get -q update >"$d/log" 2>&1 ||
		die "cannot read the package lists of $suite: $(grep -a '^E:' "$d/log" | tail -1)"
}

# apt_unpack FOLDER PACKAGE[=VERSION]...: downloads and unpacks into FOLDER, by
# the configuration of apt_private if there is one, else by the system's
apt_unpack() {
	local d=$1 p deb log
	shift
	mkdir -p "$d" "$d.deb"
	log=$d.deb/log
	for p; do
		(cd "$d.deb" && APT_CONFIG=${APT_PRIVATE:-/dev/null} apt-get -q download "$p") \
			>"$log" 2>&1 ||
			die "cannot download $p: $(grep -a '^E:' "$log" | tail -1)"
		for deb in "$d.deb"/*.deb; do
			dpkg -x "$deb" "$d"
			rm "$deb"
		done
	done
	rm -rf "$d.deb"
}

# apt_depends PACKAGE PATTERN: the first package matching PATTERN that it depends on
apt_depends() {
	APT_CONFIG=${APT_PRIVATE:-/dev/null} apt-cache depends "$1" 2>/dev/null |
		awk -v p="$2" '$1 == "Depends:" && $2 ~ p { print $2; exit }'
}
