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

# kunit SUITE: runs it, and makes each of its tests a result. Its lines are four
# spaces in; those of a test's parameters are eight, and what fails there is shown.
kunit() {
	dmesg -c >/dev/null
	insmod /m/duct_test.ko suite="duct_$1"
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
