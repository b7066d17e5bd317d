# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The newest kernel that Debian has, from its suite sid. Its headers want sid's
# compiler and libraries, so modules are built in a root of that suite, about
# 1.2 GB. Making and using that root needs root, or sudo.

newest_root_do() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif sudo -n true 2>/dev/null; then
		sudo -n "$@"
	else
		die "the newest kernel's build root needs root or sudo"
	fi
}

kernel_newest() {
	local names
	newest_root_do true
	# Asking the mirror costs seconds: once a day is enough.
	cached apt-sid "$(hash_of "=$(date +%Y%j)" "$RIG_DIR/lib/apt.sh")" newest_names
	names=$(cat "$CACHED/names")
	cached kernel-newest "$(hash_of "=$names" "$RIG_DIR"/lib/kernel-{files,newest}.sh)" \
		newest_kernel_make "$names"
}

newest_names() { # FOLDER: the packages and where they come from
	local d=$1 image show
	apt_private "$d/apt" sid
	image=$(apt_depends linux-image-amd64 '^linux-image-[0-9]')
	[ -n "$image" ] || die "sid has no kernel image"
	show=$(APT_CONFIG=$APT_PRIVATE apt-cache show "$image")
	{
		echo "${image#linux-image-}"
		awk '/^deb / { print $3; exit }' "$d/apt/etc/sources.list"
		# The image was split up; what it still has itself is in no other.
		grep ^Depends: <<<"$show" | grep -oE 'linux-(binary|modules)-[^ ,]*' || echo "$image"
		grep -m1 ^Version: <<<"$show" | tr -d ' '
	} >"$d/names"
	rm -rf "$d/apt"
}

newest_kernel_make() { # NAMES FOLDER
	local names=$1 d=$2 rel mirror p
	local -a packages
	{
		read -r rel
		read -r mirror
		mapfile -t packages
	} <<<"$names"
	say "making the build root of the newest kernel, $rel, log in $d/log"
	# dwarves is not among them: no vmlinux, no BTF of modules anyway.
	newest_root_do debootstrap --variant=minbase \
		--include="make,gcc,libc6-dev,libelf-dev,kmod,linux-headers-$rel" \
		sid "$d/root" "$mirror" >"$d/log" 2>&1 ||
		die "debootstrap sid: $(tail -1 "$d/log")"
	for p in "${packages[@]}"; do
		case $p in Version:*) continue ;; esac
		newest_root_do chroot "$d/root" sh -c "cd /tmp && apt-get -q download $p &&
			dpkg -x $p*.deb /tmp/img && rm $p*.deb" >>"$d/log" 2>&1 ||
			die "cannot download $p: $(tail -1 "$d/log")"
	done
	cp "$(find "$d/root/tmp/img" -name "vmlinuz*" -type f | head -1)" "$d/vmlinuz"
	kernel_vmlinux "$d/vmlinuz" "$d/vmlinux"
	kernel_modules "$d/root/tmp/img" "$d/modules"
	newest_root_do rm -rf "$d/root/tmp/img" "$d/root/var/cache/apt/archives" "$d/root/var/lib/apt/lists"
	echo "$rel" >"$d/release"
	ln -s "root/usr/src/linux-headers-$rel" "$d/build"
	rm "$d/log"
}

# newest_make KERNEL WORK ARGUMENT...: make in the root, which sees WORK as /work.
# In a mount namespace of its own, so that nothing stays mounted.
newest_make() {
	local kernel=$1 work=$2
	shift 2
	newest_root_do mkdir -p "$kernel/root/work"
	# shellcheck disable=SC2016 # for the inner shell; objtool needs /proc
	newest_root_do unshare -m sh -c '
		set -e
		root=$1 work=$2 rel=$3 owner=$4
		shift 4
		mount --bind "$work" "$root/work"
		mount -t proc proc "$root/proc"
		status=0
		chroot "$root" make -C "/usr/src/linux-headers-$rel" M=/work "$@" || status=$?
		chown -R "$owner" "$work"
		exit $status
	' sh "$kernel/root" "$work" "$(cat "$kernel/release")" "$(id -u):$(id -g)" \
		-j"$(nproc)" "$@"
}
