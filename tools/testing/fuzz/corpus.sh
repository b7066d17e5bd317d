#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: corpus.sh DIR CORPUS TARGET:LEN... : keeps in CORPUS, of what is there and of what
# each fuzzer has found in DIR, as few inputs as reach every edge, 20 at most.
dir=$1
corpus=$2
shift 2
cd "$dir" || exit 1
for target; do
	len=${target#*:}
	target=${target%:*}
	mkdir -p "found/$target" "new/$target" "$corpus/$target"
	rm -rf merged
	mkdir merged
	# Edges, not how often each is passed: those would be hundreds.
	"check/$target" -set_cover_merge=1 -use_counters=0 -max_len="$len" merged \
		"$corpus/$target" "found/$target" "new/$target" >"$target.merge" 2>&1 ||
		{ tail "$target.merge"; exit 1; }
	rm -f "$corpus/$target"/*
	# The longest say most.
	for input in $(find merged -type f -printf '%s %p\n' | sort -k1,1rn -k2 | head -20 |
		cut -d' ' -f2); do
		cp "$input" "$corpus/$target/$(basename "$input" | cut -c1-8)"
	done
	echo "$target: $(find merged -type f | wc -l) reach all," \
		"$(find "$corpus/$target" -type f | wc -l) kept," \
		"$(cat "$corpus/$target"/* | wc -c) bytes"
done
