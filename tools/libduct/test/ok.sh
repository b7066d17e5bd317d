# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the scripts here: . test/ok.sh; ok TEXT command... once for each test; passed at the end
failed=0 n=0

ok() {
	local text=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		failed=$((failed + 1))
	fi
}

passed() { # the last line, and the exit status
	echo "# $((n - failed)) passed, $failed failed"
	[ "$failed" = 0 ]
}
