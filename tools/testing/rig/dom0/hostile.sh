# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# A guest "bad" with duct_hostile, as the frontend of dom0 and as the backend of another
# guest "good": . "$RIG_LIB/hostile.sh" after duct.sh. A VICTIM is dom0 or good.
#
#   hostile_load, hostile_attach    modules in all three; both links of bad's, and good's to dom0
#   there DOMAIN command...         in its shell, which knows what is in $here
#   bad VICTIM LINE                 done by bad's end of its link to it
#   again VICTIM                    bad begins anew
#   both_up VICTIM                  until the link is up at both ends
#   faults VICTIM                   sets FAULTS: of its link to bad
#   error VICTIM                    the node with what it says about that link
#   busy, idle                      the neighbour's traffic: messages from dom0 to good that
#                                   do not end by themselves
#   sent                            sets SENT: so many of those good has been sent
#   log_begins, log_is_short        no domain's log has more than a peer may cause

# In every domain's shell; PEER is an id. Without programs where it can be: to start one takes
# an emulated guest longer than all that these ask about.
# shellcheck disable=SC2016 # all of it is for the shell there
here="bus=$DUCT_BUS perf=$DUCT_PERF hostile=/sys/kernel/debug/duct_hostile"'
	soon() { n=0; until "$@"; do n=$((n + 1)); [ $n -lt 400 ] || return 1; usleep 50000; done 2>/dev/null; }
	# Sets l.
	find_link() { for l in $bus/duct*; do [ -e $l/side ] && read -r p <$l/peer && [ $p = $1 ] || continue
		l=${l##*/}; return 0; done; return 1; }
	channels_up() { read -r a <$bus/$l.perf.0.p/channels/0/state &&
		read -r b <$bus/$l.perf.0.p/channels/1/state && [ $a$b = upup ]; }
	up() { find_link $1 && [ -e $hostile/$l.perf.0.p ] && channels_up; }
	ready() { find_link $1 && [ -e $perf/$l.perf.0.p ] && read -r a <$bus/$l/state && [ $a = up ] &&
		channels_up; }
	down() { ! up $1; }
	not_ready() { ! ready $1; }
	read_link() { find_link $1 && cat $bus/$l/$2; }
	bad() { find_link $1 && echo "$2" >$hostile/$l.perf.0.p; }
	unbind() { echo $2 >/sys/bus/$1/drivers/duct/unbind; }
	bind() { echo $2 >/sys/bus/$1/drivers/duct/bind; }
	again() { unbind $2 $3 && bind $2 $3 && soon up $1; }
	attack() { bad $1 "attack $4" && soon down $1 && again $1 $2 $3; }
	said() { find_link $1 && read -r a <$bus/$l/control_in && [ $a -gt $2 ]; }
	run() { find_link $1; f=$perf/$l.perf.0.p; echo "$2" >$f; cat $f; grep -qx "match 1" $f; }'

there() { # DOMAIN command...
	local name="$1"
	shift
	case $name in
	dom0) (eval "$here"; eval "$*") ;;
	*) guest "$name" ". /tmp/here; $*" ;;
	esac
}

there_is() { # GUEST: what is in $here
	guest "$1" "cat >/tmp/here <<'END'
$here
END"
}

hostile_load() {
	BAD=$(domid bad) GOOD=$(domid good)
	duct_load_guest good && duct_load && guest bad "modprobe xen_duct && modprobe xen_duct_front &&
		modprobe xen_duct_back && insmod /m/duct_hostile.ko; mount -t debugfs debugfs /sys/kernel/debug; true" &&
		there_is bad && there_is good
}

attach_bad() { # VICTIM: by the toolstack, which does not wait
	made=$((made + 1))
	case $1 in
	dom0) ductctl attach bad --service perf.0 --no-wait ;;
	*) ductctl attach good --backend bad --handle 1 --service perf.0 --no-wait ;;
	esac
}

detach_bad() { # VICTIM
	case $1 in
	dom0) ductctl detach bad --force ;;
	*) ductctl detach good --handle 1 --force ;;
	esac
}

hostile_attach() {
	made=0
	ductctl attach good --service perf.0 && attach_bad dom0 && attach_bad good &&
		both_up dom0 && both_up good && neighbour=$DUCT_BUS/$(link_of good).perf.0.p
}

hostile_unload() {
	ductctl detach bad && ductctl detach good && ductctl detach good --handle 1 &&
		duct_unload && duct_unload_guest good && duct_unload_guest bad
}

peer_of_bad() { # VICTIM: its id
	case $1 in dom0) echo 0 ;; *) echo "$GOOD" ;; esac
}

# What bad calls its end of the link: the peer's id, the bus, the device.
bad_end() { # VICTIM
	case $1 in
	dom0) echo "0 xen duct-0" ;;
	*) echo "$GOOD xen-backend duct-$GOOD-1" ;;
	esac
}

# The directory of bad's end, and of the victim's.
nodes() { # VICTIM
	case $1 in
	dom0) echo "/local/domain/$BAD/device/duct/0" ;;
	*) echo "/local/domain/$BAD/backend/duct/$GOOD/1" ;;
	esac
}

own_nodes() { # VICTIM
	case $1 in
	dom0) echo "/local/domain/0/backend/duct/$BAD/0" ;;
	*) echo "/local/domain/$GOOD/device/duct/1" ;;
	esac
}

error() { # VICTIM: of the link to bad
	case $1 in
	dom0) echo "/local/domain/0/error/backend/duct/$BAD/0" ;;
	*) echo "/local/domain/$GOOD/error/device/duct/1" ;;
	esac
}

bad() { # VICTIM LINE
	there bad "bad $(peer_of_bad "$1") '$2'"
}

again() { # VICTIM
	there bad "again $(bad_end "$1")" && both_up "$1"
}

both_up() { # VICTIM
	there "$1" "soon ready $BAD" && there bad "soon up $(peer_of_bad "$1")"
}

# bad begins anew; or, if what it did was the link's end, the toolstack makes the link anew.
anew() { # VICTIM
	again "$1" || { detach_bad "$1" && attach_bad "$1" && both_up "$1"; }
}

faults() { # VICTIM: sets FAULTS
	FAULTS=$(there "$1" "read_link $BAD faults")
}

# ---- the neighbour ----

# A message that is sent is one that good has room for: it has taken all but a ring of them.
sent() {
	read -r SENT <"$neighbour/channels/0/out_messages"
}

sent_more() { # THAN
	sent && [ "$SENT" -gt "$1" ]
}

busy() {
	local f
	f=$DUCT_PERF/$(link_of good).perf.0.p
	(echo "random 4096 4000000000" >"$f") 2>/dev/null &
	busy_pid=$!
	sent
	wait_for 20 sent_more $((SENT + 1000))
}

idle() {
	kill "$busy_pid"
	wait "$busy_pid"
	wait_for 20 duct_run good "ping 64 10"
}

# ---- logs ----

# All lines of the kernel count, whoever writes them and about whom: "made" links, each of
# which has its limit.
log_begins() {
	local who up
	uptime_s
	log_since=$NOW
	for who in dom0 good; do
		up=$(there $who 'read -r up _ </proc/uptime; echo $up')
		echo "$up" >"$RIG_RUN/log.$who"
	done
	made=0
}

# DUCT_LOG_LINES of a link's and as many of xenbus's in a minute, which begins at the first of
# each; the last of one minute and the first of the next may be near each other. Links that
# the toolstack made meanwhile have their own.
log_is_short() { # VICTIM
	local up lines most links minutes
	read -r up <"$RIG_RUN/log.$1"
	lines=$(there "$1" "dmesg | sed -n 's/^\[ *\([0-9.]*\)\].*/\1/p' | awk '\$1 > $up' | tr '\n' ' '")
	uptime_s
	minutes=$(((NOW - log_since) / 60 + 1))
	most=$(echo "$lines" | awk '{ for (i = 1; i <= NF; i++) { for (j = i; j <= NF && $j < $i + 60; j++);
		if (j - i > most) most = j - i } print most + 0 }')
	# shellcheck disable=SC2086 # count them
	set -- "$1" $lines
	links=$((made + 1))
	echo "# $1: $(($# - 1)) new lines in the log in $((NOW - log_since)) s, at most $most in a minute; $made links made" |
		tee -a /tmp/figures
	[ $(($# - 1)) -le $((10 * (minutes + made))) ] && [ "$most" -le $((20 * links)) ] && return
	there "$1" "dmesg | tail -n 25"
	return 1
}
