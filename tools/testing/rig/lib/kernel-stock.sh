# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's own kernels: 6.1 of the installed suite, 6.12 of its backports.

# kernel_61: the image that belongs to the installed headers, downloaded beside
kernel_61() {
	local headers version
	# What is installed counts; the mirror may have a newer one.
	headers=$(dpkg-query -W -f '${Depends}' linux-headers-amd64 |
		grep -o 'linux-headers-[0-9][^ ,]*' | head -1)
	[ -d "/usr/src/$headers" ] || die "$headers is not there: reinstall linux-headers-amd64"
	version=$(dpkg-query -W -f '${Version}' "$headers")
	cached kernel-6.1 "$(hash_of "=$headers $version" "$RIG_DIR"/lib/kernel-{files,stock}.sh)" \
		kernel_61_make "$headers" "$version"
}

kernel_61_make() {
	local headers=$1 version=$2 d=$3 rel=${1#linux-headers-}
	apt_unpack "$d/img" "linux-image-$rel=$version"
	kernel_stock_collect "$d" "$rel"
	ln -s "/usr/src/$headers" "$d/build"
}

# kernel_612: nothing of it can be installed, so headers and kbuild are unpacked, too
kernel_612() {
	local stamp
	# Asking the mirror costs seconds: once a day is enough.
	stamp=$(date +%Y%j)
	cached apt-backports "$(hash_of "=$stamp" "$RIG_DIR/lib/apt.sh")" kernel_612_lists
	APT_PRIVATE=$CACHED/apt/etc/apt.conf
	local names
	names=$(cat "$CACHED/names")
	cached kernel-6.12 "$(hash_of "=$names" "$RIG_DIR"/lib/kernel-{files,stock}.sh)" \
		kernel_612_make "$names"
}

# The folder gets another name when it is done: so paths in it are its final ones.
kernel_612_lists() {
	local d=$1 final=${1%.tmp} image headers suite
	# shellcheck disable=SC1091
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")-backports
	apt_private "$d/apt" "$suite"
	image=$(apt_depends linux-image-amd64 '^linux-image-6[.]12')
	[ -n "$image" ] || die "$suite has no kernel 6.12"
	headers=linux-headers-${image#linux-image-}
	local show
	show=$(APT_CONFIG=$APT_PRIVATE apt-cache show "$headers" | grep ^Depends:)
	{
		echo "$image"
		echo "$headers"
		grep -o 'linux-headers-[^ ,]*-common' <<<"$show"
		grep -o 'linux-kbuild-[^ ,]*' <<<"$show"
		APT_CONFIG=$APT_PRIVATE apt-cache show "$image" | grep ^Version: | tr -d ' '
	} >"$d/names"
	sed -i "s#$d/#$final/#g" "$d/apt/etc/apt.conf"
}

kernel_612_make() {
	local d=$2 image headers common kbuild
	{ read -r image; read -r headers; read -r common; read -r kbuild; } <<<"$1"
	apt_unpack "$d/img" "$image"
	kernel_stock_collect "$d" "${image#linux-image-}"
	apt_unpack "$d/headers" "$headers" "$common" "$kbuild"
	kernel_612_relocate "$d/headers" "$headers" "$common" "$kbuild"
	ln -s "headers/usr/src/$headers" "$d/build"
}

# kernel_612_relocate ROOT HEADERS COMMON KBUILD: the packages name each other
# by absolute paths; here each finds the others from where it lies itself
kernel_612_relocate() {
	local src=$1/usr/src h=$2 c=$3 k=$4 f link
	grep -rlI --include='Makefile*' --include='.kernelvariables' --include='Kbuild*' \
		-e /usr/src/linux -e /usr/lib/linux "$src" "$1/usr/lib/$k" 2>/dev/null |
		while read -r f; do
			sed -i -e "s#/usr/src/$c#\$(abspath \$(dir \$(lastword \$(MAKEFILE_LIST)))/../$c)#g" \
				-e "s#/usr/src/$h#\$(abspath \$(dir \$(lastword \$(MAKEFILE_LIST)))/../$h)#g" "$f"
		done
	for f in scripts tools; do
		for link in "$src/$h/$f" "$src/$c/$f"; do
			[ -L "$link" ] || continue
			ln -sfn "../../lib/$k/$f" "$link"
		done
	done
}

# kernel_stock_collect FOLDER RELEASE: from FOLDER/img, which is removed
kernel_stock_collect() {
	local d=$1 rel=$2
	mv "$d/img/boot/vmlinuz-$rel" "$d/vmlinuz"
	kernel_vmlinux "$d/vmlinuz" "$d/vmlinux"
	kernel_modules "$d/img" "$d/modules"
	echo "$rel" >"$d/release"
	rm -rf "$d/img"
}
