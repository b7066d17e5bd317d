# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The two debug kernels, built from Debian's kernel source: about eight minutes
# each on two cores, once for each state of the configuration.

KERNEL_DEBUG_TAR=/usr/src/linux-source-6.1.tar.xz

kernel_debug() { # NAME
	local name=$1 version frag=$RIG_DIR/kernels
	version=$(dpkg-query -W -f '${Version}' linux-source-6.1)
	cached "kernel-$name" "$(hash_of "=$version" "$frag/common.config" \
		"$frag/$name.config" "$frag"/*.patch "$RIG_DIR/lib/kernel-debug.sh")" \
		kernel_debug_make "$name"
}

kernel_debug_make() { # NAME FOLDER
	local name=$1 d=$2
	say "building kernel $name, log in $d/log (about 8 minutes on 2 cores)"
	mkdir "$d/build"
	tar -C "$d/build" --strip-components=1 -xf "$KERNEL_DEBUG_TAR"
	local p
	for p in "$RIG_DIR"/kernels/*.patch; do
		patch -s -p1 -d "$d/build" <"$p" || die "$p does not apply"
	done
	kernel_debug_configure "$name" "$d/build"
	# Nothing of the time or the machine in it: the same input, the same image.
	make -C "$d/build" -j"$(nproc)" KBUILD_BUILD_TIMESTAMP=@0 \
		KBUILD_BUILD_USER=rig KBUILD_BUILD_HOST=rig \
		bzImage modules >"$d/log" 2>&1 ||
		die "kernel $name does not build: $(grep -aE 'error|Error' "$d/log" | head -1)"
	kernel_debug_collect "$d"
	rm "$d/log"
}

# kernel_debug_configure NAME SOURCE: everything off but what the fragments ask
# for, and everything that they ask for
kernel_debug_configure() {
	local name=$1 src=$2 line option bad=
	cat "$RIG_DIR/kernels/common.config" "$RIG_DIR/kernels/$name.config" >"$src/rig.config"
	make -s -C "$src" KCONFIG_ALLCONFIG=rig.config allnoconfig >"$src/rig.log" 2>&1 ||
		die "kernel $name: $(tail -1 "$src/rig.log")"
	while read -r line; do
		case $line in
		CONFIG_*=*) grep -qxF "$line" "$src/.config" || bad+=" $line" ;;
		"# CONFIG_"*" is not set")
			option=${line#\# }
			! grep -q "^${option%% *}=" "$src/.config" || bad+=" ${option%% *}=n"
			;;
		esac
	done <"$src/rig.config"
	[ -z "$bad" ] || die "kernel $name cannot have:$bad"
}

# kernel_debug_collect FOLDER: from the built tree FOLDER/build, of which what
# external modules (and kunit.py, checkpatch, kernel-doc) need remains
kernel_debug_collect() {
	local d=$1 b=$1/build
	cp "$b/arch/x86/boot/bzImage" "$d/vmlinuz"
	objcopy --strip-all "$b/vmlinux" "$d/vmlinux"
	cp "$b/include/config/kernel.release" "$d/release"
	cp "$b/System.map" "$b/.config" "$d/"
	kernel_modules "$b" "$d/modules"
	find "$b" -mindepth 1 -maxdepth 1 \
		! -name arch ! -name include ! -name scripts ! -name tools \
		! -name Makefile ! -name Kbuild ! -name Kconfig ! -name .config \
		! -name Module.symvers ! -name System.map -exec rm -rf {} +
	find "$b/arch" -mindepth 1 -maxdepth 1 ! -name x86 ! -name Kconfig -exec rm -rf {} +
	find "$b/arch/x86" -type f ! -path '*/include/*' ! -name 'Makefile*' \
		! -name 'Kconfig*' ! -name 'Kbuild*' ! -name module.lds -delete
	find "$b/tools" -mindepth 1 -maxdepth 1 ! -name objtool ! -name include \
		! -name testing ! -name build ! -name scripts -exec rm -rf {} +
	find "$b/tools/testing" -mindepth 1 -maxdepth 1 ! -name kunit -exec rm -rf {} +
	find "$b" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) -delete
	find "$b" -type d -empty -delete
}
