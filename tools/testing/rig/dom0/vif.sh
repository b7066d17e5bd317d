# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# A network interface between dom0 and a guest by the kernel's own netback and netfront,
# without any of xl's scripts: . "$RIG_LIB/vif.sh"
#
#   vif GUEST                  makes it
#   vif_address DOMAIN GUEST   of dom0 or the guest, on the guest's interface

vif_address() {
	local end=2
	[ "$1" != dom0 ] || end=1
	echo "10.8.$(domid "$2").$end"
}

vif_nodes() { # DOMID: each end's, in one transaction
	local front="/local/domain/$1/device/vif/0" back="/local/domain/0/backend/vif/$1/0"
	local mac=00:16:3e:00:00:01
	# The directories first, so that what is below has their permissions.
	xenstore-write "$front" "" "$back" "" &&
		xenstore-chmod "$front" "n$1" r0 && xenstore-chmod "$back" n0 "r$1" &&
		xenstore-write "$back/frontend" "$front" "$back/frontend-id" "$1" \
			"$back/online" 1 "$back/handle" 0 "$back/mac" $mac "$back/script" "" \
			"$back/hotplug-status" connected "$back/state" 1 \
			"$front/backend" "$back" "$front/backend-id" 0 "$front/handle" 0 \
			"$front/mac" $mac "$front/state" 1
}

vif() {
	local id
	id=$(domid "$1")
	# Built in some kernels.
	modprobe -q xen-netback
	guest "$1" modprobe -q xen-netfront
	vif_nodes "$id" &&
		wait_for 20 ifconfig "vif$id.0" "$(vif_address dom0 "$1")" netmask 255.255.255.0 up &&
		wait_for 20 guest "$1" "ifconfig eth0 $(vif_address "$1" "$1") netmask 255.255.255.0 up" &&
		wait_for 20 ping -c 1 -W 2 "$(vif_address "$1" "$1")"
}
