# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# A network interface between dom0 and a guest by the kernel's own netback and netfront,
# without any of xl's scripts: . "$RIG_LIB/vif.sh"
#
#   vif GUEST                  makes it
#   vif_address DOMAIN GUEST   of dom0 or the guest, on the guest's interface
#
# It is the guest's first, or $BENCH_VIF.

vif_address() {
	local end=2
	[ "$1" != dom0 ] || end=1
	echo "10.8.$(($(domid "$2") % 256)).$end"
}

vif_nodes() { # DOMID: each end's, in one transaction
	local n="${BENCH_VIF:-0}"
	local front="/local/domain/$1/device/vif/$n" back="/local/domain/0/backend/vif/$1/$n"
	local mac=00:16:3e:00:00:01
	# The directories first, so that what is below has their permissions.
	xenstore-write "$front" "" "$back" "" &&
		xenstore-chmod "$front" "n$1" r0 && xenstore-chmod "$back" n0 "r$1" &&
		xenstore-write "$back/frontend" "$front" "$back/frontend-id" "$1" \
			"$back/online" 1 "$back/handle" "$n" "$back/mac" $mac "$back/script" "" \
			"$back/hotplug-status" connected "$back/state" 1 \
			"$front/backend" "$back" "$front/backend-id" 0 "$front/handle" "$n" \
			"$front/mac" $mac "$front/state" 1
}

# Adds the address to what the shell there has in $dev.
vif_set() { # ADDRESS
	echo "ip addr add $1/24 dev \$dev && ip link set \$dev up"
}

vif() {
	local id n="${BENCH_VIF:-0}"
	id=$(domid "$1")
	# Built in some kernels.
	modprobe -q xen-netback
	guest "$1" modprobe -q xen-netfront
	vif_nodes "$id" &&
		wait_for 20 sh -c "dev=vif$id.$n; $(vif_set "$(vif_address dom0 "$1")")" &&
		wait_for 20 guest "$1" "cd /sys/bus/xen/devices/vif-$n/net/* && dev=\${PWD##*/} &&
			$(vif_set "$(vif_address "$1" "$1")")" &&
		wait_for 20 ping -c 1 -W 2 "$(vif_address "$1" "$1")"
}
