# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What the bench's scenarios run: . "$RIG_LIB/bench.sh"
#
# Each function is one test, and writes to $figures: lines "# figure WIRE/WORKLOAD name value
# ...", and "# hypercalls WIRE/WORKLOAD name value ...". dom0 asks wherever it can:
# figures of one kind are from one end.
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
server=pv
id=$(domid "$server")
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

serve() { # WIRE ADDRESS [OPTION...]: in the guest that serves
	local wire="$1" address="$2"
	shift 2
	guest "$server" "$there duct-bench $* $wire $address >/tmp/serve.$wire 2>&1 &"
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
	guest "$server" "cat /tmp/serve.*"
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

mapped() { # pages of the guest that dom0 has mapped, as Xen knows it
	ledger_grants | awk '$2 == "pv:" { n += $NF } END { print n + 0 }'
}

vchan_shared() {
	local path="/local/domain/$id/data/shared" before after client
	before=$(mapped) && serve vchan 0:data/shared &&
		wait_for 20 xenstore-exists "$path/event-channel" || return 1
	duct-bench vchan "$id:$path" ping:64:20000 >/dev/null &
	client=$!
	usleep 300000
	after=$(mapped)
	wait $client && [ "$after" -gt "$before" ] &&
		echo "shared channels 1 bytes $(((after - before) * 4096 - 2 * 65536))" | figured vchan
}

duct() {
	serve duct 0.cdev.0 && ask duct duct "$id.cdev.0" ping:64:2000 ping:4096:2000 \
		rate:64:200000 many:64:200000 open:1:200
}

duct_stream() {
	serve duct-stream 0.cdev.0 && ask duct duct-stream "$id.cdev.0" stream:4096:16000 \
		stream:65536:1000 source:4096:16000 source:65536:1000
}

# By sizes and rings, both. A message takes up to a quarter of a ring; a stream's pieces do not
# have to fit.
ring_of() { # BYTES NAME WORKLOAD...
	local ring="$1" name="$2" path="/local/domain/$id/data/bench-$2"
	local streams="stream:64:10000 stream:1024:4000 stream:4096:1000 stream:65536:60"
	shift 2
	# shellcheck disable=SC2086 # words
	serve vchan "0:data/bench-$name" -r "$ring" &&
		wait_for 20 xenstore-exists "$path/event-channel" &&
		ask "vchan-$name" -r "$ring" vchan "$id:$path" "$@" $streams &&
		serve duct 0.cdev.0 -r "$ring" &&
		ask "duct-$name" -r "$ring" duct "$id.cdev.0" "$@" &&
		serve duct-stream 0.cdev.0 -r "$ring" &&
		ask "duct-$name" -r "$ring" duct-stream "$id.cdev.0" $streams
}

# With another guest, on whose link no channels have left pieces too small for rings of 1 MiB.
rings() {
	local server=pv2 id
	id=$(domid pv2)
	xl vcpu-pin pv2 0 1 && wait_for 20 test -c "/dev/duct/$id.cdev.0" &&
		wait_for 20 guest pv2 "[ -c /dev/duct/0.cdev.0 ]" &&
		ring_of 4096 4K rate:64:10000 rate:1024:4000 &&
		ring_of 65536 64K rate:64:10000 rate:1024:4000 rate:4096:2000 rate:16384:400 &&
		ring_of 1048576 1M rate:64:10000 rate:1024:4000 rate:4096:2000 rate:65536:100
}

shares() {
	local f
	f=$DUCT_PERF/$(link_of pv).perf.0.p
	serve duct 0.cdev.0 &&
		ask duct duct "$id.cdev.0" region:4096:50 region:65536:50 event:1:2000 touch:1:1000 &&
		lines "$f" event-1 "event 1 20000" && lines "$f" event-64 "event 64 20000"
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

bench_file() { # GUEST
	echo "/sys/kernel/debug/duct_bench/$(link_of "$1").bench.0.p"
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
	f=$(bench_file pv)
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
		lines "$f" bulk-4096 "read 4096 1000 4096" &&
		lines "$f" open "open 64 2048 64" && grep -qx "match 1" "$f" &&
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

# As the receiver says, over a second or more, and the better of two: once one had a fifth of what
# it has in all other boots.
rate() { # NAME ADDRESS STREAMS [OPTION...]
	local name="$1" host="$2" n="$3" kbit best=0 seconds
	seconds=$(so_many 1)
	shift 3
	for _ in 1 2; do
		usleep 200000	# right after the last, one was reset
		kbit=$(iperf3 -f k -t "$seconds" -P "$n" -c "$host" "$@" 2>&1 | tee /tmp/iperf |
			awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i ~ /bits\/sec/) r = $(i - 1) }
				END { print r }')
		cat /tmp/iperf
		[ -n "$kbit" ] || return 1
		[ "$kbit" -le "$best" ] || best=$kbit
	done
	echo "$name bytes $((best * 125)) ns 1000000000" | figured "$wire"
}

net() { # WIRE ADDRESS
	local wire="$1" n
	for n in 1 2 4; do
		rate tcp-to-guest-"$n" "$2" "$n" && rate tcp-to-dom0-"$n" "$2" "$n" -R || return 1
	done
	rate udp-64-to-guest "$2" 1 -u -b 0 -l 64 && rate udp-64-to-dom0 "$2" 1 -u -b 0 -l 64 -R &&
		serve udp 0.0.0.0:5003 && usleep 500000 &&
		ask "$wire-udp" udp "$2:5003" ping:64:500 burst:64:16000 salvo:64:16000
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
		wait_for 20 test -e "$(bench_file pv)"
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
	ip link set lo up && { duct-bench udp 127.0.0.1:5004 & } && usleep 500000 &&
		ask udp_loopback udp 127.0.0.1:5004 burst:64:16000 && wait $! || return 1
	duct-bench memcpy "4096:$(so_many 4000)" "65536:$(so_many 400)" >/tmp/asked && figured memcpy </tmp/asked
}

# ---- many channels, and none that does anything ----

many_file() { # GUEST
	echo "/sys/kernel/debug/duct_many/$(link_of "$1").many.0.p"
}

load_many() { # GUEST
	{ [ -e /sys/module/duct_many ] || insmod /usr/bin/duct_many.ko; } &&
		guest "$1" "insmod /usr/bin/duct_many.ko" && wait_for 20 test -e "$(many_file "$1")"
}

# The more there are, the longer they take to come out even; half a second of 64 is there to compare.
many() {
	local f n ms
	load_many pv || return 1
	f=$(many_file pv)
	for n in 1:1000 4:2000 16:1000 16:4000 64:500 64:2000 64:8000; do
		ms=${n#*:} n=${n%:*}
		echo "open $n 65536" >"$f" && lines "$f" "many-$n-$ms" "rate 64 $ms" || return 1
	done
}

# Interrupts so far, of those whose name begins so.
# shellcheck disable=SC2016 # for both shells
interrupts='interrupts() { awk -v name="^$1" "\$NF ~ name { n += \$2 } END { print n + 0 }" /proc/interrupts; }'

raised() { # NAME: at both ends
	local here there
	eval "$interrupts"
	here=$(interrupts "$1") && there=$(guest pv "$interrupts; interrupts $1") || return 1
	# They are there, or the name is wrong.
	[ "$here" != 0 ] && [ "$there" != 0 ] && echo $((here + there))
}

counted() { # what the link counts, raised by either end
	cat "$DUCT_BUS/$(link_of pv)/events" "$DUCT_BUS/$(link_of pv)/rung" |
		awk '{ n += $1 } END { print n }'
}

# Nobody does anything meanwhile, and the last that was done is over: the kernel's vsock waits 8 s
# for the other end of a socket that is closed, and then says so.
idle() {
	local duct net count seconds=5
	sleep 9
	duct=$(raised duct) && net=$(raised vif) && count=$(counted) && sleep $seconds &&
		count=$(($(counted) - count)) && net=$(($(raised vif) - net)) &&
		duct=$(($(raised duct) - duct)) &&
		echo "idle events $duct ns ${seconds}000000000 counted $count" | figured duct &&
		echo "idle events $net ns ${seconds}000000000" | figured netfront
}

# ---- memory ----

tracing=/sys/kernel/debug/tracing
slab_on="for f in tracing_on:0 buffer_size_kb:16384 trace: set_event:kmem:kmalloc; do
		echo \${f#*:} >$tracing/\${f%%:*}
	done; for e in kmem_cache_alloc kfree kmem_cache_free; do
		echo kmem:\$e >>$tracing/set_event
	done; echo 1 >$tracing/tracing_on"
slab_off="echo 0 >$tracing/tracing_on; echo >$tracing/set_event"

slab() { # NAME CHANNELS FILE LINE: what the line takes of both kernels' memory, and keeps
	eval "$slab_on"
	guest pv2 "$slab_on" && echo "$4" >"$3" && sleep 2 && eval "$slab_off" &&
		guest pv2 "$slab_off" && duct-bench slab $tracing/trace "$2" >/tmp/slab &&
		sed "s/^/$1-dom0-/" /tmp/slab | figured kernel &&
		guest pv2 "$there duct-bench slab $tracing/trace $2 2>/dev/null" >/tmp/slab &&
		sed "s/^/$1-guest-/" /tmp/slab | figured kernel
}

# Chunks of 64 pages are shared: how many channels fit into those that become necessary.
shared() { # FILE CHANNELS RING
	local n=0 pages last first="" start=0 bytes=0 held=0 l
	l=$DUCT_BUS/$(link_of pv2)
	read -r last <"$l/pages"
	while [ $n -lt "$2" ]; do
		n=$((n + 1))
		echo "open $n $3" >"$1" && read -r pages <"$l/pages" || return 1
		[ "$pages" != "$last" ] || continue
		# The first of them filled up what there was.
		[ -z "$first" ] || { held=$((n - first)) bytes=$(((last - start) * 4096)); }
		[ -n "$first" ] || first=$n start=$last
		last=$pages
	done
	[ $held != 0 ] &&
		echo "shared channels $held bytes $((bytes - held * 2 * $3))" | figured kernel
}

memory() {
	local f channels=240 ring=4096
	load_many pv2 || return 1
	f=$(many_file pv2)
	shared "$f" $channels $ring && echo "open 0 $ring" >"$f" &&
		slab idle $channels "$f" "open $channels $ring" &&
		slab active $channels "$f" "rate 64 200" && echo "open 0 $ring" >"$f"
}

# ---- several guests ----

more_guests() {
	local g
	for g in pv2 pv3 pv4; do
		guest_define $g pv && GUESTS="$GUESTS $g" && guest_up $g || return 1
	done
}

more_links() {
	local g
	for g in pv2 pv3 pv4; do
		load_guest $g && ductctl attach $g --pages 8192 --service perf.0 --service bench.0 \
			--service cdev.0 --service many.0 && duct_up $g && wait_for 20 test -e "$(bench_file $g)" || return 1
	done
}

# All of them on one processor, so that nobody runs while dom0 does, and its time as Xen accounts
# it is what it executes.
together() {
	local g
	xl vcpu-pin Domain-0 0 0 || return 1
	for g in $GUESTS; do xl vcpu-pin "$g" 0 0 || return 1; done
}

dom0_runs() { # NAME LINE MESSAGES GUEST...: the line with each guest, all at once
	local name="$1" line="$2" messages="$3" before after g pids="" pid status=0
	shift 3
	before=$(duct-bench cpu 0)
	for g; do
		echo "$line" >"$(bench_file "$g")" &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || status=1
	done
	after=$(duct-bench cpu 0)
	messages=$((messages * $#))
	[ $status = 0 ] && [ -n "$before" ] && [ -n "$after" ] &&
		echo "$name messages $messages bytes $((64 * messages)) ns $((after - before))" |
		figured dom0
}

several() {
	local how
	together || return 1
	for how in thread-rate thread-ping ready-ping; do
		set -- 100000
		[ $how = thread-rate ] || set -- 2000
		dom0_runs $how-1 "$how 64 $1" "$1" pv && dom0_runs $how-4 "$how 64 $1" "$1" pv pv2 pv3 pv4 ||
			return 1
	done
}

# ---- hypercalls, as Xen sees them ----

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

told() { # FILE LINE
	echo "$2" >"$1"
}

traced_bulk() {
	local f copied
	f=$DUCT_PERF/$(link_of pv).perf.0.p
	read -r copied <$map_pages
	traced kernel/bulk-copy 40 told "$f" "read 1048576 40 1" && map_from 1 &&
		traced kernel/bulk-map 40 told "$f" "read 1048576 40 3" && map_from "$copied" &&
		stage_to 1048576 && traced kernel/bulk-pool 40 told "$f" "read 1048576 40 4096" &&
		stage_to 8192 && traced blkfront/read-1048576 40 \
			guest pv "$there duct-bench disk /dev/$BENCH_DISK 1048576:40"
}

traced_tcp() { # NAME ADDRESS
	serve tcp 0.0.0.0:5005 && usleep 500000 &&
		traced "$1/stream-65536" 400 duct-bench tcp "$2:5005" stream:65536:400
}

hypercalls() {
	local path="/local/domain/$id/data/traced" f
	f=$(bench_file pv)
	traced idle 4000 sleep 1 && traced kernel/ready-ping-64 4000 told "$f" "ready-ping 64 4000" &&
		traced kernel/thread-ping-64 4000 told "$f" "thread-ping 64 4000" &&
		serve duct 0.cdev.0 &&
		traced duct/ping-64 4000 duct-bench duct "$id.cdev.0" ping:64:4000 &&
		serve vchan 0:data/traced && wait_for 20 xenstore-exists "$path/event-channel" &&
		traced vchan/ping-64 4000 duct-bench vchan "$id:$path" ping:64:4000 &&
		traced_bulk && traced_tcp netfront "$(vif_address pv pv)" && traced_tcp duct_net 10.7.0.2
}

load() {
	duct_load && modprobe -a duct_cdev duct_net duct_vsock && insmod "$BENCH_AT/duct_bench.ko"
}

load_guest() { # GUEST
	duct_load_guest "$1" && guest "$1" "echo 1024 >/sys/module/xen_duct/parameters/stage_kib &&
		modprobe -a duct_cdev duct_net duct_vsock && insmod $BENCH_THERE/duct_bench.ko"
}

: >$figures
