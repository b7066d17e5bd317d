# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What a scenario can use. Tests:
#
#   plan N                         first: how many tests there will be
#   ok "description" command...    one test: passes if the command does; its
#                                  output is shown when it does not
#   ktap "description" command...  one test: a program that itself prints KTAP;
#                                  passes if it exits 0, has no "not ok" and as
#                                  many results as its plan says
#   wait_for SECONDS command...    until the command succeeds (tried each 100 ms); so long on
#                                  a quiet machine, and three times that on any
#   repeat N command...            N times, while it succeeds
#   centis                         prints the 1/100 s since boot
#
# Guests: see guests.sh. State before and after: see ledger.sh.
#
# There is no way to skip: what cannot run fails. The command of ok runs in this
# shell, so it may be a function and set variables; a test in a subshell (in a
# pipe, in parentheses) is not counted, and then the plan does not come out.

# shellcheck disable=SC2034 # play reads these
RIG_PLAN=
RIG_PASSED=0
RIG_FAILED=0
# shellcheck disable=SC2034
RIG_BROKEN=0
: "${RIG_LIB:=/rig}" "${RIG_RUN:=/run/rig}" "${RIG_VERDICT:=/dev/ttyS1}"
mkdir -p "$RIG_RUN"

plan() {
	# shellcheck disable=SC2034
	RIG_PLAN=$1
	uptime_s
	RIG_LAST=$NOW
	echo "KTAP version 1"
	echo "1..$1"
}

rig_result() { # STATUS DESCRIPTION: counts and prints one result; and its time, if long
	local took=""
	uptime_s
	[ $((NOW - RIG_LAST)) -lt 5 ] || took=" # $((NOW - RIG_LAST)) s"
	RIG_LAST=$NOW
	if [ "$1" = 0 ]; then
		RIG_PASSED=$((RIG_PASSED + 1))
		echo "ok $((RIG_PASSED + RIG_FAILED)) $2$took"
	else
		RIG_FAILED=$((RIG_FAILED + 1))
		echo "not ok $((RIG_PASSED + RIG_FAILED)) $2$took"
	fi
}

ok() {
	local description="$1" status=0
	shift
	"$@" >"$RIG_RUN/ok.out" 2>&1 || status=$?
	rig_result "$status" "$description"
	[ "$status" = 0 ] || {
		sed 's/^/# /' "$RIG_RUN/ok.out"
		echo "# exit status $status of: $*"
	}
}

ktap() {
	local description="$1" status
	shift
	# The status goes through a file: the output must be seen as it comes.
	{
		"$@" 2>&1
		echo $? >"$RIG_RUN/ktap.status"
	} | awk '{ print "    " $0; fflush() }' | tee "$RIG_RUN/ktap.out"
	read -r status <"$RIG_RUN/ktap.status"
	[ "$status" = 0 ] && awk '
		/^    1\.\.[0-9]+/ { sub(/^    1\.\./, ""); planned += $1 + 0; plans++ }
		/^    ok /         { ran++ }
		/^ *not ok /       { bad++ }
		END { exit !(plans && ran == planned && !bad) }' "$RIG_RUN/ktap.out" || status=1
	rig_result "$status" "$description"
}

uptime_s() { # sets NOW: seconds since boot, without a fork
	read -r NOW _ </proc/uptime
	NOW=${NOW%.*}
}

centis() {
	local up
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}

wait_for() {
	local end
	uptime_s
	end=$((NOW + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		uptime_s
		if [ "$NOW" -ge "$end" ]; then
			echo "waited in vain for: $*"
			"$@" # once more, to show what it says
			return
		fi
		usleep 100000
	done
}

repeat() { # N COMMAND...
	local n="$1"
	shift
	while [ "$n" -gt 0 ]; do
		n=$((n - 1))
		"$@" || return 1
	done
}

# shellcheck disable=SC1091
. "$RIG_LIB/guests.sh"
# shellcheck disable=SC1091
. "$RIG_LIB/ledger.sh"
# shellcheck disable=SC1091
. "$RIG_LIB/leaks.sh"
