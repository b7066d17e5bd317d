# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# xen-duct in scenarios: . "$RIG_LIB/duct.sh"
#
#   duct_load, duct_unload            all modules in dom0
#   duct_load_guest GUEST             all modules there, debugfs
#   link_of GUEST                     dom0's link to it, as in sysfs
#   link_is GUEST STATE, no_link GUEST
#   duct_up GUEST                     the link and perf's channels are up at both ends
#   duct_run GUEST LINE               runs it on dom0's perf device to the guest
#   duct_run_guest GUEST LINE         runs it on the guest's
#   duct_ledger                       the rig's, and interrupts and counters of ours

DUCT_BUS=/sys/bus/duct/devices
DUCT_PERF=/sys/kernel/debug/duct_perf
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || true

duct_load() {
	for m in xen_duct xen_duct_back duct_echo duct_echo_client duct_perf; do
		modprobe "$m" || return 1	# it may have loaded by itself
	done
}

duct_unload() {
	for m in duct_perf duct_echo_client duct_echo xen_duct_back xen_duct; do
		rmmod "$m" || return 1
	done
}

duct_load_guest() {
	guest "$1" 'for m in xen_duct xen_duct_front duct_echo duct_echo_client duct_perf; do
		modprobe $m || exit 1; done
		mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; true'
}

link_of() {
	local id l peer
	id=$(domid "$1")
	for l in "$DUCT_BUS"/duct*; do
		[ -e "$l/side" ] || continue
		read -r peer <"$l/peer"
		[ "$peer" != "$id" ] || echo "${l##*/}"
	done
}

link_is() {
	local link
	link=$(link_of "$1")
	[ -n "$link" ] && [ "$(cat "$DUCT_BUS/$link/state")" = "$2" ]
}

no_link() {
	[ -z "$(link_of "$1")" ]
}

duct_perf_is_up() { # GUEST
	local d state
	d=$DUCT_BUS/$(link_of "$1").perf.0.p
	for state in "$d"/channels/0/state "$d"/channels/1/state; do
		[ "$(cat "$state" 2>/dev/null)" = up ] || return 1
	done
}

duct_up() {
	wait_for 20 link_is "$1" up && wait_for 20 duct_perf_is_up "$1" &&
		guest "$1" '[ -e /sys/kernel/debug/duct_perf/duct0.perf.0.p ]'
}

duct_run() {
	local f
	wait_for 20 duct_perf_is_up "$1" || return 1
	f=$DUCT_PERF/$(link_of "$1").perf.0.p
	echo "$2" >"$f" || { cat "$f"; return 1; }
	cat "$f"
	grep -qx "match 1" "$f"
}

duct_run_guest() {
	guest "$1" "f=\$(ls $DUCT_PERF/*); echo '$2' >\$f; cat \$f; grep -qx 'match 1' \$f"
}

duct_ledger() {
	ledger
	echo "interrupts $(grep -c . /proc/interrupts)"
	grep -H . /sys/module/xen_duct/parameters/leaked \
		/sys/module/xen_duct/parameters/quarantined 2>/dev/null
	for g in $GUESTS; do
		g=${g%%[:*]*}
		xl domid "$g" >/dev/null 2>&1 || continue
		guest "$g" 'echo "interrupts $(grep -c . /proc/interrupts)"
			cd /sys/module/xen_duct/parameters; grep -H . quarantined leaked'
	done
}
