# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Guests, for scenarios. The ones of the header's guests= are up, and in
# $GUESTS, when the scenario starts.
#
#   guest NAME command...      runs a shell command there; its output (at most
#                              3000 bytes, the whole is on its console) and its
#                              exit status; 124 no answer in time, 125 no guest.
#                              One at a time for each guest: the next waits for
#                              its turn. GUEST_TIMEOUT=60
#   guest_define NAME TYPE [VCPUS [MEMORY]]   writes /etc/xen/NAME.cfg
#   guest_start NAME           creates it from that; does not wait
#   guest_wait NAME            until its agent answers
#   guest_up NAME              both; one that says nothing for 120 s, or GUEST_SILENT, is
#                              destroyed, and created anew, twice at most
#   guest_adopt NAME           after a restore: finds its new domain id
#   guest_destroy NAME         and waits until Xen has forgotten it
#   domid NAME                 its domain id
#   wait_node SECONDS PATH VALUE...   until the xenstore node holds one of the
#                              values; "" stands for no node
#   guests_do command...       runs "command... NAME" for all of $GUESTS at once
#
# rigxs does the asking, by way of the guest's xenstore node "rig".

guest_define() {
	local extra="$RIG_GUEST_EXTRA" tsc=default
	# The emulated processor's TSC is not invariant, so Xen would emulate each reading of
	# it, unlike on processors of today: a third of what waking somebody costs.
	[ "$RIG_ICOUNT" != 1 ] || tsc=native
	# Each page that is taken or given back changes the page tables, and so empties
	# the emulated TLB, which with nested paging triples a debug kernel's boot.
	[ "$2" != pvh ] || extra="$extra debug_pagealloc=off"
	cat >"/etc/xen/$1.cfg" <<-EOF
		name="$1"
		type="$2"
		kernel="/vmlinux"
		ramdisk="/guest.cpio"
		vcpus=${3:-1}
		memory=${4:-${RIG_GUEST_MEMORY:-256}}
		extra="console=hvc0 $extra"
		tsc_mode="$tsc"
		on_crash="destroy"
		on_reboot="destroy"
	EOF
}

guest_start() {
	# Paused first: the agent finds its node, with its permissions, at once.
	xl create -q -p "/etc/xen/$1.cfg" || return
	guest_adopt "$1" || return
	guest_console "$1"
	xl unpause "$1"
}

guest_adopt() {
	local id
	id=$(xl domid "$1") || return
	mkdir -p "$RIG_RUN/$1"
	echo "$id" >"$RIG_RUN/$1/domid"
	xenstore-write "/local/domain/$id/rig" ""
	xenstore-chmod "/local/domain/$id/rig" n0 "b$id"
}

# The log's lines go on to the host as they come, so that a hang shows them too.
guest_console() {
	[ ! -e "$RIG_RUN/$1/follower" ] || return 0
	# Not a child of this shell, which may "wait" for its own.
	(
		rigxs follow "$1" "/var/log/xen/console/guest-$1.log" /dev/ttyS2 &
		echo $! >"$RIG_RUN/$1/follower"
	)
}

# consoles_end: until all that guests have said is with the host
consoles_end() {
	local g pid token
	for g in $GUESTS; do
		[ -e "$RIG_RUN/$g/follower" ] || continue
		# What a guest says is in its log when this is.
		token="end of $g, $(cat /proc/sys/kernel/random/uuid)"
		[ ! -e "$RIG_RUN/$g/domid" ] || ! GUEST_TIMEOUT=20 guest "$g" "echo $token" >/dev/null ||
			wait_for 20 grep -q "$token" "/var/log/xen/console/guest-$g.log"
		read -r pid <"$RIG_RUN/$g/follower"
		kill "$pid"
		wait_for 20 sh -c "! kill -0 $pid 2>/dev/null"
	done
}

guest_wait() {
	local GUEST_TIMEOUT="${2:-120}"
	guest "$1" true
}

domid() {
	cat "$RIG_RUN/$1/domid"
}

guest() {
	local name="$1" id
	shift
	read -r id 2>/dev/null <"$RIG_RUN/$name/domid" || {
		echo "no guest $name"
		return 125
	}
	rigxs ask "$id" "${GUEST_TIMEOUT:-60}" "$*"
}

wait_node() {
	rigxs wait "$@"
}

guest_gone() { # DOMID: Xen knows it no more, not even as a zombie
	! xl list "$1"
}

guest_destroy() {
	local id
	id=$(domid "$1") || return
	xl destroy "$1" || return
	rm -f "$RIG_RUN/$1/domid"
	wait_for "${2:-30}" guest_gone "$id"
}

guests_do() {
	local g pids="" pid status=0
	for g in $GUESTS; do
		"$@" "$g" &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || status=1
	done
	return $status
}

guest_log_size() {
	stat -c %s "/var/log/xen/console/guest-$1.log" 2>/dev/null || echo 0
}

guest_comes() {
	local said now
	said=$(guest_log_size "$1")
	until guest_wait "$1" "${GUEST_SILENT:-120}"; do
		now=$(guest_log_size "$1")
		[ "$now" != "$said" ] || return
		said=$now
	done
}

# A debug kernel has been seen to hang in the test that it does of its own RCU, before it ran a
# process, and so without any module of ours.
guest_up() {
	local again
	for again in 1 2; do
		guest_start "$1" || return
		! guest_comes "$1" || return 0
		echo "# $1 fell silent before it was up: started anew, $again"
		guest_destroy "$1" || return
	done
	guest_start "$1" && guest_comes "$1"
}

# guests_up: the header's guests, all at once; called before the scenario
guests_up() {
	local spec name vcpus list="$GUESTS"
	if [ "${RIG_HOST:-}" = 1 ]; then
		guest_adopt "$GUESTS" && guest_wait "$GUESTS" 30
		return
	fi
	GUESTS=
	# A guest is NAME, NAME:TYPE or either with *VCPUS; the name may be the type.
	for spec in $list; do
		vcpus=1
		case $spec in *\**) vcpus=${spec#*\*} ;; esac
		spec=${spec%%\**}
		name=${spec%%:*}
		guest_define "$name" "${spec#*:}" "$vcpus"
		GUESTS="${GUESTS:+$GUESTS }$name"
	done
	guests_do guest_up
}
