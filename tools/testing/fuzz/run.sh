#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh DIR RUNS SEED JOBS TARGET... : runs each fuzzer RUNS times, JOBS
# at once, and prints TAP. What it finds stays in DIR.
dir=$1
runs=$2
seed=$3
jobs=$4
shift 4
cd "$dir" || exit 1
echo "1..$#"
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh -c '
	./{} -runs="$1" -seed="$2" -max_len=256 -len_control=10 -timeout=10 \
		-print_final_stats=1 -artifact_prefix="./{}-" > {}.log 2>&1
	echo $? > {}.status' run "$runs" "$seed"
n=0
passed=0
failed=0
for target; do
	n=$((n + 1))
	done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$target.log")
	cover=$(sed -n 's/.*DONE *\(cov: [0-9]* ft: [0-9]*\).*/\1/p' "$target.log")
	seconds=$(sed -n 's/^Done .* in \([0-9]*\) second.*/\1/p' "$target.log")
	if [ "$(cat "$target.status")" -eq 0 ] && [ "${done:-0}" -ge "$runs" ]; then
		echo "ok $n - $target"
		echo "# $done executions, $cover, $seconds s"
		passed=$((passed + 1))
	else
		sed 's/^/# /' "$target.log" | tail -60
		echo "not ok $n - $target"
		failed=$((failed + 1))
	fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
