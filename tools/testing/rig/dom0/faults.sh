# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What happens to links, guests and dom0 while there is traffic, as an administrator would do
# it: . "$RIG_LIB/faults.sh" after duct.sh and streams.sh
#
#   images               room for what xl saves; umount "${image%/*}" gives it back
#   saved GUEST          saved and restored, and its link made again before it goes on
#   checkpointed GUEST   saved, and goes on
#   migrated GUEST       to this machine
#   again GUEST          the command that makes its link again, as ductctl says it
#   hotplug GUEST        its second vCPU goes and comes
#   stands_still SECONDS xenstored does, and streams do not care
#   reading, have_read   all that sysfs, debugfs and ductctl say is read, in dom0 and each
#                        guest, in between; how many lines is a figure

image=/tmp/images/guest

images() {
	mkdir -p "${image%/*}" && mount -t tmpfs -o size=600m t "${image%/*}"
}

again() { # GUEST [OPTION...]
	ductctl show "$@" | sed -n 's/.*\(ductctl reattach .*\)/\1 --no-wait/p'
}

saved() { # GUEST
	local link
	link=$(again "$1")
	rm -f $image
	xl save "$1" $image && xl restore -p $image && guest_adopt "$1" &&
		eval "$link" && xl unpause "$1" && rm $image
}

checkpointed() { # GUEST
	xl save -c "$1" $image && rm $image
}

# Debian's Xen has no shadow paging, which a live migration of PV needs.
migrated() { # GUEST
	local link
	link=$(again "$1")
	xl migrate -s '' "$1" 'xl migrate-receive' && guest_adopt "$1" && eval "$link"
}

stands_still() { # SECONDS
	local pid status
	read -r pid </run/xenstored.pid
	kill -STOP "$pid"
	# shellcheck disable=SC2086
	repeat 2 moves $GUESTS && sleep "$1" && moves $GUESTS
	status=$?
	kill -CONT "$pid"
	return $status
}

# ---- vCPUs ----

vcpus_are() { # GUEST NUMBER
	guest "$1" "[ \$(grep -c ^processor /proc/cpuinfo) = $2 ]"
}

# Whoever has a udev rule for it need not ask for it.
online() { # GUEST
	guest "$1" 'echo 1 >/sys/devices/system/cpu/cpu1/online' && vcpus_are "$1" 2
}

hotplug() { # GUEST
	xl vcpu-set "$1" 1 && wait_for 20 vcpus_are "$1" 1 && moves "$1" &&
		xl vcpu-set "$1" 2 && wait_for 20 online "$1" && moves "$1"
}

# ---- who reads meanwhile ----

# Again and again, until there is no file "reading"; counts the lines.
# shellcheck disable=SC2016 # for the shell there
readers='reader() {
	while [ -e /tmp/reading ]; do
		cat /sys/bus/duct/devices/*/[a-z]* /sys/bus/duct/devices/*/channels/*/* \
			/sys/kernel/debug/duct*/* /sys/kernel/debug/duct/*/* 2>/dev/null | wc -l
		$1
	done >/tmp/lines
}'
eval "$readers"

ductctl_all() {
	local g
	{
		ductctl list
		for g in $GUESTS; do ductctl show "$g" && ductctl stats "$g"; done
	} 2>&1 | wc -l
}

reading() {
	local g
	touch /tmp/reading
	reader ductctl_all &
	reader_pid=$!
	for g in $GUESTS; do
		guest "$g" "rm -f /tmp/lines; touch /tmp/reading; $readers; reader true >/dev/null 2>&1 </dev/null &" || return 1
	done
}

have_read() {
	local g lines
	rm /tmp/reading
	for g in $GUESTS; do guest "$g" rm /tmp/reading; done
	wait "$reader_pid"
	for g in $GUESTS; do
		wait_for 60 guest "$g" test -s /tmp/lines || return 1
		lines=$(guest "$g" "awk '{ n += \$1 } END { print n + 0 }' /tmp/lines")
		echo "# $g: $lines lines read" >>/tmp/figures
		[ "$lines" -gt 20 ] || return 1
	done
	lines=$(awk '{ n += $1 } END { print n }' /tmp/lines)
	echo "# dom0: $lines lines read" >>/tmp/figures
	[ "$lines" -gt 20 ]
}
