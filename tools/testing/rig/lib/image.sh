# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Initramfs images. A base for each kernel is in the cache; what a run adds is a
# second archive behind it, since Linux unpacks one after the other. Nothing is
# compressed: unpacking under emulation costs more than loading.

RIG_XEN_DIR=/usr/lib/xen-4.17
RIG_XEN_IMAGE=/boot/xen-4.17-amd64.gz

# pack FOLDER FILE: an archive that depends on contents alone, owned by root
pack() {
	(
		cd "$1" || exit
		# Names sorted, times and inodes zeroed: instruction counts repeat.
		find . -exec touch -h -d @0 {} +
		find . -print0 | LC_ALL=C sort -z |
			cpio -0 -o -H newc --quiet --reproducible -R +0:+0
	) >"$2"
}

# busybox_root FOLDER: the folders and commands that every image has
busybox_root() {
	local r=$1 name
	mkdir -p "$r"/{bin,sbin,usr/bin,usr/sbin,etc,proc,sys,dev,run,tmp,rig,lib,var/log}
	ln -s /run "$r/var/run"
	cp /bin/busybox "$r/bin/busybox"
	for name in $(/bin/busybox --list); do
		[ "$name" = busybox ] || ln -sf busybox "$r/bin/$name"
	done
	# Where the kernel looks for it, to load modules by itself.
	ln -s /bin/busybox "$r/sbin/modprobe"
}

# programs ROOT FILE...: with the libraries they need, at the same places
programs() {
	local r=$1 f lib
	shift
	for f; do
		mkdir -p "$r${f%/*}"
		cp -L "$f" "$r$f"
		while read -r lib; do
			[ ! -e "$r$lib" ] || continue
			mkdir -p "$r${lib%/*}"
			cp -L "$lib" "$r$lib"
		done < <(ldd "$f" 2>/dev/null | grep -o '/[^ )]*' || true)
	done
}

# xenstore_tools ROOT: one program, which goes by its name
xenstore_tools() {
	local name
	programs "$1" /usr/bin/xenstore
	for name in chmod exists list ls read rm watch write; do
		ln -sf xenstore "$1/usr/bin/xenstore-$name"
	done
}

# module_folder ROOT KERNEL: the kernel's own modules; and the order to load them
module_folder() {
	local r=$1 k=$2 rel m
	rel=$(cat "$k/release")
	mkdir -p "$r/lib/modules/$rel/kernel" "$r/lib/modules/$rel/duct"
	cp "$k"/modules/*.ko "$r/lib/modules/$rel/kernel/" 2>/dev/null || true
	for m in $RIG_MODULES_BASE; do
		[ ! -e "$k/modules/$m.ko" ] || echo "$m"
	done >"$r/rig/base-modules"
	ln -s "/lib/modules/$rel/duct" "$r/m"
	depmod_in "$r" "$rel"
}

depmod_in() {
	local rel=$2
	: >"$1/lib/modules/$rel/modules.order"
	: >"$1/lib/modules/$rel/modules.builtin"
	: >"$1/lib/modules/$rel/modules.builtin.modinfo"
	/sbin/depmod -b "$1" "$rel"
}

# base_images KERNEL: sets CACHED to a folder with dom0.cpio, guest.cpio, xen
base_images() {
	local kernel=$1 versions
	versions=$(dpkg-query -W -f '${Package} ${Version}\n' busybox-static \
		xen-utils-4.17 xen-hypervisor-4.17-amd64 xenstore-utils)
	cached "images-${kernel##*/kernel-}" \
		"$(hash_of "=$kernel $versions" "$RIG_DIR/lib/image.sh" \
			"$RIG_DIR/lib/kernel-files.sh" "$RIG_DIR/xs")" \
		base_images_make "$kernel"
}

base_images_make() {
	local kernel=$1 d=$2 x=$RIG_XEN_DIR/bin r
	zcat $RIG_XEN_IMAGE >"$d/xen"
	gcc -O2 -Wall -Wextra -Werror -static -s -o "$d/rigxs" "$RIG_DIR/xs/rigxs.c"

	r=$d/guest
	busybox_root "$r"
	cp "$d/rigxs" "$r/bin/"
	xenstore_tools "$r"
	module_folder "$r" "$kernel"
	pack "$r" "$d/guest.cpio"

	r=$d/dom0
	busybox_root "$r"
	cp "$d/rigxs" "$r/bin/"
	xenstore_tools "$r"
	module_folder "$r" "$kernel"
	mkdir -p "$r/etc/xen"
	: >"$r/etc/xen/xl.conf"
	# libgcc_s is loaded when a thread is cancelled; ldd does not show it.
	programs "$r" "$x"/{xl,xenstored,xenconsoled,xenconsole,libxl-save-helper} \
		"$x"/{xen-init-dom0,lsevtchn,xenstore-control,xen-diag,xentrace} \
		/lib/x86_64-linux-gnu/libgcc_s.so.1
	# For guests; dom0 itself is loaded from outside.
	cp "$kernel/vmlinux" "$r/vmlinux"
	pack "$r" "$d/dom0.cpio"
	rm -rf "$d/guest" "$d/dom0"
}

# modules_into ROOT KERNEL MODULES: the project's modules, known to modprobe
modules_into() {
	local r=$1 kernel=$2 modules=$3 rel
	rel=$(cat "$kernel/release")
	mkdir -p "$r/lib/modules/$rel"/{kernel,duct}
	cp "$modules"/*.ko "$r/lib/modules/$rel/duct/" 2>/dev/null || true
	cp "$kernel"/modules/*.ko "$r/lib/modules/$rel/kernel/" 2>/dev/null || true
	depmod_in "$r" "$rel"
	# They were needed to tell what depends on what; the base has them.
	rm -rf "$r/lib/modules/$rel/kernel"
}
