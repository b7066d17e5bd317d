# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# kmemleak, on the kernel that has it: cleared when a scenario starts, read at
# its end, in dom0 and each living guest. Any entry fails the scenario.

RIG_KMEMLEAK=/sys/kernel/debug/kmemleak
# On somebody's own machine it is not ours to clear.
[ "${RIG_HOST:-}" != 1 ] || RIG_KMEMLEAK=/nowhere

# Reading the kernel's text for it takes two scans, and an object counts only
# when it is five seconds old: no event says when that is.
RIG_LEAKS_SCAN="sleep 6; echo scan >$RIG_KMEMLEAK; echo scan >$RIG_KMEMLEAK; cat $RIG_KMEMLEAK"

leaks_clear_guest() {
	guest "$1" "echo clear >$RIG_KMEMLEAK"
}

leaks_clear() {
	[ -e $RIG_KMEMLEAK ] || return 0
	echo clear >$RIG_KMEMLEAK
	guests_do leaks_clear_guest
}

leaks_scan() { # NAME: a guest, or dom0
	: >"$RIG_RUN/leaks.$1"
	if [ "$1" = dom0 ]; then
		sh -c "$RIG_LEAKS_SCAN"
	elif [ -e "$RIG_RUN/$1/domid" ]; then
		GUEST_TIMEOUT=120 guest "$1" "$RIG_LEAKS_SCAN"
	fi >"$RIG_RUN/leaks.$1" 2>&1 || echo "the scan failed" >>"$RIG_RUN/leaks.$1"
}

leaks_check() {
	local g
	[ -e $RIG_KMEMLEAK ] || return 0
	GUESTS="dom0 $GUESTS"
	guests_do leaks_scan
	for g in $GUESTS; do
		[ -s "$RIG_RUN/leaks.$g" ] || continue
		broken "no leaks in $g"
		sed 's/^/# /' "$RIG_RUN/leaks.$g"
	done
}
