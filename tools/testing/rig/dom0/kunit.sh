# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# KUnit's results as the scenario's.

# What a peer can cause is at most 10 lines a minute of a link; hostile_link_noise lasts for
# less, but may begin in one.
kunit_log() {
	lines=$(grep -c ' offers noise' /tmp/kunit)
	[ "$lines" -le 40 ] || { echo "$lines lines of the peer's"; return 1; }
}

# For the suite of faults: what sleeps fails, too, and pages one by one; without a stack in
# the log for each. One test may take minutes, for which insmod waits.
kunit_faults() {
	local d
	echo 600 >/proc/sys/kernel/hung_task_timeout_secs || return 1
	for d in failslab fail_page_alloc; do
		echo 0 >/sys/kernel/debug/$d/verbose && echo N >/sys/kernel/debug/$d/ignore-gfp-wait ||
			return 1
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order &&
		echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
}

# kunit SUITE [PARAMETER=VALUE...]: runs it, and makes each of its tests a result. Its lines
# are four spaces in; those of a test's parameters are eight, and what fails there is shown.
kunit() {
	local suite="$1"
	shift
	dmesg -c >/dev/null
	insmod /m/duct_test.ko suite="duct_$suite" "$@"
	rmmod duct_test
	dmesg | sed 's/^\[[^]]*\] //' >/tmp/kunit
	grep -E '^ +not ok|EXPECTATION|ASSERTION|Expected|waited|^        [a-z].* == ' /tmp/kunit |
		sed 's/^/# /'
	sed -n -e "s/^    ok [0-9]* \(.*\)/0 \1/p" -e "s/^    not ok [0-9]* \(.*\)/1 \1/p" \
		/tmp/kunit >/tmp/results
	while read -r status name; do
		rig_result "$status" "$name"
	done </tmp/results
}
