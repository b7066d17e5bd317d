# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# Resumable streams each way between dom0 and guests, by programs that know what they sent,
# while links end and begin: . "$RIG_LIB/streams.sh" after duct.sh, in a scenario with
#
#   # rig-make: tools/testing/cdev
#   # rig-files: tools/testing/cdev/duct_stream
#
#   streams_attach GUEST [OPTION...]   with the devices of the streams
#   begin GUEST [SEED]                 all four programs of a guest; with a number what comes
#                                      is compared as it comes
#   moves GUEST..., move BYTES GUEST...  so much goes through, each way
#   stalled "GUEST..." COMMAND...      all streams are resumed after it; notes for how long
#                                      nothing moved
#   p99 WHAT                           the figures of that
#   ends GUEST                         what came is what was sent

streams_attach() {
	local g="$1"
	shift
	ductctl attach "$g" \
		--service "cdev.0,type=stream,resume=1,name=up,front/peer=dom0,back/peer=$g" \
		--service "cdev.1,type=stream,resume=1,name=down,front/peer=dom0,back/peer=$g" "$@"
}

reload_back() {
	rmmod xen_duct_back && insmod /m/xen_duct_back.ko
}

reload_front() { # GUEST
	guest "$1" "rmmod xen_duct_front && insmod /m/xen_duct_front.ko"
}

# WHAT NODE [OPTION...]: its checksum is there when it has ended well, its status when it has
# shellcheck disable=SC2016 # for the shell there
stream='stream() {
	what=$1 node=$2
	shift 2
	duct_stream $what /dev/duct/$node "$@" >/tmp/sum.$node 2>/tmp/log.$node </dev/null
	status=$?
	[ $status != 0 ] || mv /tmp/sum.$node /tmp/done.$node
	echo $status >/tmp/ended.$node
}'
eval "$stream"

begin() { # GUEST [SEED]
	local up="${2:+${2}0}" down="${2:+${2}1}"
	# shellcheck disable=SC2086 # nothing, or a number
	{
		guest "$1" "$stream; { stream send dom0.up /tmp/stop $up & stream receive dom0.down $down; } \
			>/dev/null 2>&1 </dev/null &" || return 1
		stream receive "$1.up" $up >/dev/null 2>&1 &
		stream send "$1.down" /tmp/stop $down >/dev/null 2>&1 &
	}
}

# Sets COUNTS: for each guest the bytes that dom0's ends have moved, or how often they were
# resumed. Fails until all programs have opened their channels. Without a fork: this is
# asked often.
counts() { # moved|resumed GUEST...
	local up=in_bytes down=out_bytes g n m
	[ "$1" = moved ] || up=resumed down=resumed
	shift
	COUNTS=
	for g; do
		read -r n <"/sys/class/duct_cdev/$g.up/device/channels/0/$up" &&
			read -r m <"/sys/class/duct_cdev/$g.down/device/channels/0/$down" || return 1
		COUNTS="$COUNTS$n $m "
	done
}

more() { # WHAT NUMBER "BEFORE..." GUEST...: each is more by so much, at least
	local what="$1" number="$2" before="$3" b
	shift 3
	counts "$what" "$@" || return 1
	# shellcheck disable=SC2086
	set -- $COUNTS
	for b in $before; do
		[ "$1" -ge $((b + number)) ] || return 1
		shift
	done
}

# So much goes through, each way.
move() { # BYTES GUEST...
	local n="$1"
	shift
	counts moved "$@" && wait_for 120 more moved "$n" "$COUNTS" "$@"
}

moves() { # GUEST...: more than what is in the rings
	move 131072 "$@"
}

same() { # GUEST STREAM: by both ends
	local ours theirs
	read -r ours <"/tmp/done.$1.$2"
	theirs=$(guest "$1" cat "/tmp/done.dom0.$2")
	echo "$ours $theirs"
	[ "${#ours}" = 64 ] && [ "$ours" = "$theirs" ]
}

ends() { # GUEST
	touch /tmp/stop && guest "$1" touch /tmp/stop
	wait_for 60 test -s "/tmp/done.$1.up" && wait_for 60 test -s "/tmp/done.$1.down" &&
		wait_for 60 guest "$1" "[ -s /tmp/done.dom0.up ] && [ -s /tmp/done.dom0.down ]" &&
		same "$1" up && same "$1" down
}

# COMMAND...: all streams of these guests are resumed after it, and go on. How long nothing
# moved, in 1/100 s, goes to the figures.
stalled() { # "GUEST..." COMMAND...
	local guests="$1" at resumed
	shift
	# shellcheck disable=SC2086
	counts resumed $guests || return 1
	resumed=$COUNTS
	at=$(centis)
	# shellcheck disable=SC2086
	"$@" && wait_for 60 more resumed 1 "$resumed" $guests && counts moved $guests &&
		wait_for 60 more moved 1 "$COUNTS" $guests && echo $(($(centis) - at)) >>/tmp/stalls
}

# $bytes go through before each.
reload() { # COMMAND...
	# shellcheck disable=SC2086
	move "$bytes" $GUESTS && stalled "$GUESTS" "$@"
}

p99() {
	sort -n /tmp/stalls | awk -v w="$1" '{ t[NR] = $1 }
		END { i = int(NR * 0.99 + 0.999); printf "# %s: %d, stalled %.2f s in the median, %.2f s p99\n",
			w, NR, t[int((NR + 1) / 2)] / 100, t[i] / 100 }' >>/tmp/figures
	rm /tmp/stalls
}
