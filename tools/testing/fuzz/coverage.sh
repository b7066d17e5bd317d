#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: coverage.sh DIR CORPUS CORE TARGET... : what the fuzzers, each for 200,000 runs from
# its corpus, and the unit tests reach of the pure C together. Fails below 95 % of the
# branches of any file.
dir=$1
corpus=$2
core=$3
shift 3
cd "$dir" || exit 1
shopt -s nullglob
files=(ring.c state.c control.c arena.c segs.c region_msg.c resume.c policy.c ring.h control.h
	region_msg.h resume.h segs.h arena.h peer.h xenbus/nodes.h services/net_frame.h
	services/vsock_frame.h services/cdev_frame.h)
objects=()
for target; do
	rm -f "cover/$target.profraw"
	seeds=()
	[ ! -d "$corpus/$target" ] || seeds=("$corpus/$target")
	# None of it is written: the first corpus is an empty one.
	rm -rf cover/new
	mkdir cover/new
	LLVM_PROFILE_FILE=cover/$target.profraw "cover/$target" -runs=200000 -seed=1 -max_len=256 \
		-len_control=0 cover/new "${seeds[@]}" >"cover/$target.log" 2>&1 ||
		{ tail "cover/$target.log"; exit 1; }
	objects+=(-object "cover/$target")
done
for test in unit/cover/*_test; do
	objects+=(-object "$test")
done
llvm-profdata merge -o cover/all.profdata unit/cover/all.profdata cover/*.profraw || exit
llvm-cov report --show-branch-summary --show-region-summary=false \
	-instr-profile=cover/all.profdata "${objects[@]:1}" "${files[@]/#/$core/}" \
	>cover/report 2>cover/warnings || exit
awk '
	/^-/ || /^Filename/ { next }
	$1 == "TOTAL" || NF >= 10 {
		printf "%-24s %4d branches %4d missed %8s\n", $1, $8, $9, $10
		if ($8 && $10 + 0 < 95) bad = bad " " $1
	}
	END { if (bad) { print "branch coverage below 95 %:" bad; exit 1 } }' cover/report
