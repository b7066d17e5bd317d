#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh NAME COMMAND... : runs each command, passes its TAP on, and
# counts; a command that fails without a line of its own is a failure as well,
# and so is one that sleeps for ever.
name=$1
shift
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
passed=0
failed=0
for command; do
	echo "# $command"
	# Commands are words that the makefiles wrote.
	# shellcheck disable=SC2086
	timeout "${TEST_TIMEOUT:-600}" $command > "$out" 2>&1
	status=$?
	cat "$out"
	ok=$(grep -c '^ok ' "$out")
	bad=$(grep -c '^not ok ' "$out")
	if [ $status -ne 0 ] && [ "$bad" -eq 0 ] || [ $((ok + bad)) -eq 0 ]; then
		echo "not ok - $command ended with $status"
		bad=$((bad + 1))
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
done
echo "$name: $passed passed, $failed failed"
[ $failed -eq 0 ]
