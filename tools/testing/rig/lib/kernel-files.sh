# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a kernel folder holds, whichever kernel it is:
#
#   vmlinuz   the image as its packager made it
#   vmlinux   the same, unpacked: under emulation the guests' unpacking costs seconds
#   modules/  the modules that the rig can need, uncompressed
#   release   what uname -r will say
#   build     KDIR for external modules

# Loaded in this order before anything else runs; what is built in is skipped.
RIG_MODULES_BASE="xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc"
# There for those who ask: comparisons with netback, sockets, block devices.
RIG_MODULES_MORE="xen-netback xen-netfront bridge veth af_packet tcp_diag
	vsock vsock_diag vmw_vsock_virtio_transport_common vsock_loopback vhost_vsock
	kunit brd null_blk xen-blkback xen-blkfront tun"

# kernel_modules FROM TO: copies the modules above and what they need
kernel_modules() {
	local from=$1 to=$2 name file dep
	local -a todo
	mkdir -p "$to"
	read -r -d '' -a todo <<<"$RIG_MODULES_BASE $RIG_MODULES_MORE" || true
	while [ ${#todo[@]} -gt 0 ]; do
		name=${todo[0]}
		todo=("${todo[@]:1}")
		# A module's name and its file's may differ in - and _.
		file=$(find "$from" -regex ".*/${name//[-_]/[-_]}\.ko\(\.xz\|\.zst\)?" | head -1)
		[ -n "$file" ] || continue
		name=${file##*/}
		name=${name%%.ko*}
		[ ! -e "$to/$name.ko" ] || continue
		case $file in
		*.xz) xz -dc "$file" >"$to/$name.ko" ;;
		*.zst) zstd -qdc "$file" >"$to/$name.ko" ;;
		*) cp "$file" "$to/$name.ko" ;;
		esac
		for dep in $(/sbin/modinfo -F depends "$to/$name.ko" | tr , ' '); do
			todo+=("$dep")
		done
	done
}

# kernel_vmlinux BZIMAGE VMLINUX: takes the ELF out of a bzImage, by its header
kernel_vmlinux() {
	local sects off len magic
	u() { od -An -v -t "u$2" -j "$1" -N "$2" "$3" | tr -d ' '; }
	sects=$(u $((0x1f1)) 1 "$1")
	off=$((((sects ? sects : 4) + 1) * 512 + $(u $((0x248)) 4 "$1")))
	len=$(u $((0x24c)) 4 "$1")
	magic=$(od -An -v -t x1 -j "$off" -N 4 "$1" | tr -d ' ')
	local -a unpack
	case $magic in
	1f8b*) unpack=(gzip -dc) ;;
	fd37*) unpack=(xz -dc) ;;
	28b5*) unpack=(zstd -qdc) ;;
	7f45*) unpack=(cat) ;;
	*) die "$1 is packed in a way not known here ($magic)" ;;
	esac
	# The last four bytes are the size of what was packed, not part of it.
	tail -c +$((off + 1)) "$1" | head -c $((len - 4)) | "${unpack[@]}" >"$2" || true
	[ "$(head -c 4 "$2" | od -An -c | tr -d ' ')" = '177ELF' ] ||
		die "no ELF image came out of $1"
}
