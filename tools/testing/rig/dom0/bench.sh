# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What the bench's scenarios run: . "$RIG_LIB/bench.sh"
#
# Each function is one test, and writes to $figures: lines "# figure WIRE/WORKLOAD name value
# ...", and "# hypercalls WIRE/WORKLOAD name value ...". dom0 asks wherever it can, for a
# command of "guest" that waits takes much of a processor.
#
# On a real host, see bench/host, these are other than here:
: "${BENCH_PERCENT:=100}"			# of the messages that follow
: "${BENCH_AT:=/usr/bin}" "${BENCH_THERE:=/usr/bin}"	# folders of what is brought, of both ends
: "${BENCH_VBD:=51712}" "${BENCH_DISK:=xvda}"

# shellcheck disable=SC1091
. "$RIG_LIB/duct.sh"
# shellcheck disable=SC1091
. "$RIG_LIB/vif.sh"

# shellcheck disable=SC2034 # of "guest"
GUEST_TIMEOUT=200
there="export LD_LIBRARY_PATH=$BENCH_THERE PATH=$BENCH_THERE:\$PATH;"
export LD_LIBRARY_PATH="$BENCH_AT"
id=$(domid pv)
figures=/tmp/figures
map_pages=/sys/module/xen_duct/parameters/map_pages

# Which processor an event finds, and whether another has to be called, is the same each time.
# On a real host that is as its owner has it, and told.
apart() {
	if [ -n "${BENCH_HOST:-}" ]; then
		xl vcpu-list >/tmp/placed && sed 's/^/# placed /' /tmp/placed >>$figures
	else
		xl vcpu-pin Domain-0 0 0 && xl vcpu-pin "$id" 0 1
	fi
}

so_many() { # COUNT
	echo $((($1 * BENCH_PERCENT + 99) / 100))
}

# figured WIRE: what duct-bench prints
figured() {
	sed "s#^#\# figure $1/#" >>$figures
}

serve() { # WIRE ADDRESS: in the guest
	guest pv "$there duct-bench $1 $2 >/tmp/serve.$1 2>&1 &"
}

ask() { # NAME WIRE ADDRESS WORKLOAD...
	local name="$1" w
	shift
	for w; do
		shift
		case $w in *:*:*) w=${w%:*}:$(so_many "${w##*:}") ;; esac
		set -- "$@" "$w"
	done
	duct-bench "$@" >/tmp/asked && figured "$name" </tmp/asked && return
	guest pv "cat /tmp/serve.$1"
	return 1
}

# ---- libxenvchan and libduct, by the same program ----

vchan() {
	local path="/local/domain/$id/data/bench"
	serve vchan 0:data/bench && wait_for 20 xenstore-exists "$path/event-channel" &&
		ask vchan vchan "$id:$path" ping:64:2000 ping:4096:2000 rate:64:200000 \
			stream:4096:16000 stream:65536:1000 source:4096:16000 source:65536:1000 \
			open:1:20
}

duct() {
	serve duct 0.cdev.0 && ask duct duct "$id.cdev.0" ping:64:2000 ping:4096:2000 \
		rate:64:200000 many:64:200000 open:1:200
}

duct_stream() {
	serve duct-stream 0.cdev.0 && ask duct duct-stream "$id.cdev.0" stream:4096:16000 \
		stream:65536:1000 source:4096:16000 source:65536:1000
}

# ---- inside the kernels ----

# Nothing but an event channel.
raw() {
	local port ns count
	count=$(so_many 2000)
	guest pv "insmod $BENCH_THERE/duct_raw.ko peer=0" &&
		port=$(guest pv "cat /sys/module/duct_raw/parameters/port") &&
		insmod "$BENCH_AT/duct_raw.ko" peer="$id" remote="$port" &&
		echo "$count" >/sys/module/duct_raw/parameters/ping &&
		read -r ns </sys/module/duct_raw/parameters/ns &&
		echo "ping messages $count bytes 0 ns $ns notifies $count peer_notifies $count" | figured raw &&
		rmmod duct_raw && guest pv "rmmod duct_raw"
}

lines() { # FILE NAME LINE: runs a line of a file in debugfs; its third word is a count
	local line
	# What fills a ring has to fit.
	line=$(echo "$3" | awk -v percent="$BENCH_PERCENT" '
		$1 !~ /fill/ { $3 = int(($3 * percent + 99) / 100) } { print }')
	echo "$line" >"$1" || return 1
	tr '\n' ' ' <"$1" | sed "s#^#$2 #; s# *\$#\n#" | figured kernel
}

kernel() {
	local f how
	f=/sys/kernel/debug/duct_bench/$(link_of pv).bench.0.p
	for how in ready thread; do
		lines "$f" $how-ping-64 "$how-ping 64 2000" &&
			lines "$f" $how-rate-64-1 "$how-rate 64 200000 1" &&
			lines "$f" $how-rate-64-16 "$how-rate 64 200000 16" &&
			lines "$f" $how-fill-64 "$how-fill 64 512" || return 1
	done
}

bulk() {
	local f copied
	read -r copied <$map_pages
	f=$DUCT_PERF/$(link_of pv).perf.0.p
	lines "$f" bulk-copy "read 1048576 40 1" && lines "$f" bulk-pages "read 1048576 40 2" &&
		lines "$f" open "open 64 256 64" && grep -qx "match 1" "$f" &&
		# By itself it copies where that costs less.
		map_from 1 && lines "$f" bulk-map "read 1048576 40 3" && map_from "$copied" &&
		stage_to 1048576 && lines "$f" bulk-pool "read 1048576 40 4096" && stage_to 8192
}

stage_to() { # BYTES: lends so many without grants
	echo "$1" >/sys/module/xen_duct/parameters/stage_small
}

map_from() { # PAGES: maps what is lent if it is as long, at both ends
	echo "$1" >$map_pages && guest pv "echo $1 >$map_pages"
}

# ---- a disk that is memory of dom0 ----

disk_nodes() { # DEVICE MAJOR:MINOR
	local front="/local/domain/$id/device/vbd/$BENCH_VBD"
	local back="/local/domain/0/backend/vbd/$id/$BENCH_VBD"
	xenstore-write "$front" "" "$back" "" &&
		xenstore-chmod "$front" "n$id" r0 && xenstore-chmod "$back" n0 "r$id" &&
		xenstore-write "$back/frontend" "$front" "$back/frontend-id" "$id" \
			"$back/online" 1 "$back/params" "$1" "$back/mode" w "$back/type" phy \
			"$back/dev" "$BENCH_DISK" "$back/device-type" disk "$back/physical-device" "$2" \
			"$back/hotplug-status" connected "$back/state" 1 \
			"$front/backend" "$back" "$front/backend-id" 0 \
			"$front/virtual-device" "$BENCH_VBD" "$front/device-type" disk "$front/state" 1
}

disk() {
	modprobe brd rd_nr=1 rd_size=8192 && modprobe xen-blkback &&
		dd if=/dev/zero of=/dev/ram0 bs=1M count=8 2>/dev/null &&
		guest pv "modprobe xen-blkfront" && disk_nodes /dev/ram0 1:0 &&
		wait_for 20 guest pv "[ -b /dev/$BENCH_DISK ]" &&
		guest pv "$there { sleep 1; duct-bench disk /dev/$BENCH_DISK 1048576:$(so_many 40) \
			4096:$(so_many 1000); } >/tmp/disk 2>&1 &" ||
		return 1
	sleep 4		# asking would take its processor
	wait_for 60 guest pv "grep read-4096 /tmp/disk" && guest pv "cat /tmp/disk" >/tmp/asked &&
		figured blkfront </tmp/asked
}

# ---- networks and sockets ----

rate() { # NAME ADDRESS STREAMS [OPTION...]: as the receiver says, over a second or more
	local name="$1" host="$2" n="$3" kbit seconds
	seconds=$(so_many 1)
	shift 3
	kbit=$(iperf3 -f k -t "$seconds" -P "$n" -c "$host" "$@" 2>&1 | tee /tmp/iperf |
		awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i ~ /bits\/sec/) r = $(i - 1) }
			END { print r }')
	cat /tmp/iperf
	[ -n "$kbit" ] && echo "$name bytes $((kbit * 125)) ns 1000000000" | figured "$wire"
}

net() { # WIRE ADDRESS
	local wire="$1" n
	for n in 1 ${RIG_LONG:+2 4}; do
		rate tcp-to-guest-"$n" "$2" "$n" && rate tcp-to-dom0-"$n" "$2" "$n" -R || return 1
	done
	rate udp-64-to-guest "$2" 1 -u -b 0 -l 64 && rate udp-64-to-dom0 "$2" 1 -u -b 0 -l 64 -R
}

vif_up() {
	vif pv && guest pv "iperf3 -s -D -I /tmp/iperf3.pid >/dev/null"
}

link_up() { # [SERVICE...] more than what the channels need
	local s more=""
	for s; do more="$more --service $s"; done
	# shellcheck disable=SC2086 # words
	ductctl attach "$id" --pages 8192 --service perf.0 --service bench.0 --service cdev.0 $more &&
		wait_for 20 test -c "/dev/duct/$id.cdev.0" &&
		wait_for 20 guest pv "[ -c /dev/duct/0.cdev.0 ]" && duct_up pv &&
		wait_for 20 test -e "/sys/kernel/debug/duct_bench/$(link_of pv).bench.0.p"
}

lan_up() {
	wait_for 20 test -e /sys/class/net/lan0 && wait_for 20 guest pv "ip link show lan0" &&
		ip addr add 10.7.0.1/24 dev lan0 && ip link set lan0 up &&
		guest pv "ip addr add 10.7.0.2/24 dev lan0 && ip link set lan0 up" &&
		wait_for 20 ping -c 1 -W 1 10.7.0.2
}

sockets() { # NAME WIRE SERVER'S CLIENT'S ADDRESS
	serve "$2" "$3" && usleep 500000 &&
		ask "$1" "$2" "$4" ping:64:500 stream:65536:500 source:65536:500
}

local_vsock() {
	modprobe vsock_loopback || return 1
	duct-bench vsock 1:5001 &
	usleep 500000
	ask vsock_loopback vsock 1:5001 ping:64:500 stream:65536:500 && wait $!
}

own() {
	local w
	for w in pipe unix; do
		ask $w $w - ping:64:1000 rate:64:50000 stream:4096:8000 stream:65536:500 || return 1
	done
	duct-bench memcpy "4096:$(so_many 4000)" "65536:$(so_many 400)" >/tmp/asked && figured memcpy </tmp/asked
}

# ---- the hypercalls of a round trip, as Xen sees them ----

traced() { # NAME MESSAGES command...: a figure of its own: tracing costs, too
	local name="$1" n="$2" trace status=0
	shift 2
	xentrace -D -S 512 -e 0x00201000 /tmp/trace >/dev/null 2>&1 &
	trace=$!
	usleep 500000
	"$@" || status=1
	usleep 500000
	kill -INT $trace
	wait $trace
	[ $status = 0 ] && duct-bench trace /tmp/trace "$n" >/tmp/asked || return 1
	echo "# hypercalls $name $(cat /tmp/asked)" >>$figures
}

ping_kernel() { # HOW
	echo "$1-ping 64 4000" >"/sys/kernel/debug/duct_bench/$(link_of pv).bench.0.p"
}

hypercalls() {
	local path="/local/domain/$id/data/traced"
	traced idle 4000 sleep 1 && traced kernel/ready-ping-64 4000 ping_kernel ready &&
		traced kernel/thread-ping-64 4000 ping_kernel thread &&
		serve duct 0.cdev.0 &&
		traced duct/ping-64 4000 duct-bench duct "$id.cdev.0" ping:64:4000 &&
		serve vchan 0:data/traced && wait_for 20 xenstore-exists "$path/event-channel" &&
		traced vchan/ping-64 4000 duct-bench vchan "$id:$path" ping:64:4000
}

load() {
	duct_load && modprobe -a duct_cdev duct_net duct_vsock && insmod "$BENCH_AT/duct_bench.ko"
}

load_guest() {
	duct_load_guest pv && guest pv "echo 1024 >/sys/module/xen_duct/parameters/stage_kib &&
		modprobe -a duct_cdev duct_net duct_vsock && insmod $BENCH_THERE/duct_bench.ko"
}

: >$figures
