#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh DIR CORPUS RUNS SEED JOBS TARGET:LEN... : runs each fuzzer RUNS times with
# inputs of up to LEN bytes, JOBS at once, and prints TAP. What it finds stays in DIR.
dir=$1
corpus=$2
runs=$3
seed=$4
jobs=$5
shift 5
cd "$dir" || exit 1
# Where memory came from costs more than all else; a finding is run again without this.
export ASAN_OPTIONS="malloc_context_size=0:quarantine_size_mb=1:detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
echo "1..$#"
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh -c '
	target=${1%:*}
	rm -rf "new/$target"
	mkdir -p "new/$target"
	[ -d "$4/$target" ] || set -- "$1" "$2" "$3"
	"check/$target" -runs="$2" -seed="$3" -max_len="${1#*:}" -len_control=0 -timeout=10 \
		-reduce_inputs=0 -entropic=0 -print_final_stats=1 -artifact_prefix="./$target-" \
		"new/$target" ${4:+"$4/$target"} >"$target.log" 2>&1
	echo $? >"$target.status"' run '{}' "$runs" "$seed" "$corpus"
n=0
passed=0
failed=0
for target; do
	target=${target%:*}
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
