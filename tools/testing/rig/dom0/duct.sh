# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# xen-duct in scenarios: . "$RIG_LIB/duct.sh"
#
#   duct_load, duct_unload            all modules in dom0
#   duct_load_guest GUEST [SIDE...]   all modules there, debugfs; SIDE: front, back
#                                     where ring indexes begin: DUCT_START, or 0
#   duct_unload_guest GUEST           what it loaded
#   link_of GUEST                     dom0's link to it, as in sysfs
#   link_is GUEST STATE, no_link GUEST
#   duct_up GUEST                     the link and perf's channels are up at both ends
#   duct_run GUEST LINE               runs it on dom0's perf device to the guest
#   duct_run_guest GUEST LINE         runs it on the guest's to dom0
#   duct_ledger                       the rig's, and interrupts, free grant references,
#                                     watches, and counters of ours
#   ledger_is FILE                    it is again what FILE holds, within a minute: what a
#                                     PV peer had mapped is kept for 5 s, and the kernel
#                                     takes ten pages a second back
#
# Between any two domains, of which each may be dom0:
#
#   link_between DOMAIN PEER          DOMAIN's link to PEER, as in its sysfs
#   no_link_between DOMAIN PEER
#   duct_ready DOMAIN PEER            the link and perf's channels are up in DOMAIN
#   duct_between DOMAIN PEER LINE     runs it on DOMAIN's perf device to PEER

DUCT_BUS=/sys/bus/duct/devices
DUCT_PERF=/sys/kernel/debug/duct_perf
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null || true

# What either end says of a link that does not come up.
DUCT_SAYS="ls $DUCT_BUS; grep . $DUCT_BUS/*/state $DUCT_BUS/*/channels/*/state
	cat /sys/kernel/debug/duct/*/*"

duct_load() {
	for m in xen_duct xen_duct_back duct_echo duct_echo_client duct_perf; do
		modprobe "$m" || return 1	# it may have loaded by itself
	done
	echo "${DUCT_START:-0}" >/sys/module/xen_duct/parameters/start_index
}

duct_unload() {
	for m in duct_perf duct_echo_client duct_echo xen_duct_back xen_duct; do
		rmmod "$m" || return 1
	done
}

duct_load_guest() {
	local name="$1" wires="" side
	shift
	for side in "${@:-front}"; do wires="$wires xen_duct_$side"; done
	guest "$name" "for m in xen_duct $wires duct_echo duct_echo_client duct_perf; do
		modprobe \$m || exit 1; done
		echo ${DUCT_START:-0} >/sys/module/xen_duct/parameters/start_index
		mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; true"
}

duct_unload_guest() {
	guest "$1" 'for m in duct_perf duct_echo_client duct_echo xen_duct_front xen_duct_back xen_duct; do
		[ ! -e /sys/module/$m ] || rmmod $m || exit 1; done'
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
		guest "$1" '[ -e /sys/kernel/debug/duct_perf/duct0.perf.0.p ]' && return
	eval "$DUCT_SAYS"
	guest "$1" "$DUCT_SAYS"
	return 1
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
	duct_between "$1" dom0 "$2"
}

# What a domain's shell knows of its links, by the peer's id. Two links between the same
# two are not told apart: no scenario makes them.
# shellcheck disable=SC2016 # all of it is for the shell there
DUCT_THERE="bus=$DUCT_BUS perf=$DUCT_PERF"'
	link() { for l in $bus/duct*; do
		[ -e $l/side ] && [ "$(cat $l/peer)" = $1 ] && echo ${l##*/}; done; }
	ready() { l=$(link $1); [ -n "$l" ] && [ -e $perf/$l.perf.0.p ] &&
		[ "$(cat $bus/$l/state $bus/$l.perf.0.p/channels/[01]/state | grep -cx up)" = 3 ]; }
	run() { f=$perf/$(link $1).perf.0.p; echo "$2" >$f; cat $f; grep -qx "match 1" $f; }'

duct_there() { # DOMAIN command...
	local name="$1"
	shift
	if [ "$name" = dom0 ]; then
		sh -c "$DUCT_THERE; $*"
	else
		guest "$name" "$DUCT_THERE; $*"
	fi
}

duct_domid() { # DOMAIN, or the number of one that is gone
	case $1 in
	dom0) echo 0 ;;
	[0-9]*) echo "$1" ;;
	*) domid "$1" ;;
	esac
}

link_between() {
	duct_there "$1" "link $(duct_domid "$2")"
}

no_link_between() {
	[ -z "$(link_between "$1" "$2")" ]
}

duct_ready() {
	duct_there "$1" "ready $(duct_domid "$2")"
}

duct_between() {
	duct_there "$1" "run $(duct_domid "$2") '$3'"
}

# What each domain says; parameters are there while the module is. Xen's tables do not show a
# grant reference that nobody has mapped, and the kernel shows none: a module of the rig's
# counts those that are free. The first time makes the table grow.
duct_kept="modprobe -q duct_ledger || [ '${RIG_HOST:-}' = 1 ] || exit 1"'
	echo "interrupts $(grep -c . /proc/interrupts)"
	for p in /sys/module/xen_duct/parameters/leaked /sys/module/xen_duct/parameters/quarantined \
		/sys/module/duct_ledger/parameters/free_grants; do
		cat $p 2>/dev/null | sed "s/^/${p##*/} /"
	done'

# Those of its kernel, and of programs that ask xenstore by way of that: none of xl's.
duct_watches() { # DOMAIN
	xenstore-control quota "$(duct_domid "$1")" | awk '/^watches/ { print $NF }'
}

duct_ledger() {
	local g
	for g in dom0 $GUESTS; do
		[ "$g" = dom0 ] || xl domid "$g" >/dev/null 2>&1 || continue
		duct_there "$g" "$duct_kept" >"$RIG_RUN/kept" || return 1
		sed "s/^/$g: /" "$RIG_RUN/kept"
		echo "watches $g: $(duct_watches "$g")"
	done
	ledger
}

ledger_now_is() {
	duct_ledger >"$RIG_RUN/now" && ledger_same "$1" "$RIG_RUN/now"
}

ledger_is() {
	wait_for 60 ledger_now_is "$1"
}
