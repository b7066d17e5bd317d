#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh check|nightly DIR: runs what is in "worlds" of that form, and the litmus
# tests where herd7 is installed; prints TAP, a table of the mutants, and counts. What is
# not run is said so, and is not counted. Everything is built in DIR.
#
# HERD7=      herd7, if it is not on the path (Debian sid: herdtools7)
# HERD7_LIB=  its library, if it does not find that itself
# LIMIT=      seconds of one search
# WORLD=      "MODEL WORLD...": only that line, and nothing else
when=$1
out=$2
here=$(dirname "$(readlink -f "$0")")
limit=${LIMIT:-$([ "$when" = nightly ] && echo 1800 || echo 300)}
n=0
passed=0
failed=0
missing=0
table=$out/table

result() { # OK NAME [WHY]
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $n - $2"
	else
		failed=$((failed + 1))
		echo "not ok $n - $2"
	fi
	[ -z "${3:-}" ] || echo "# $3"
}

# ---- SPIN ----

# search DIR MODEL OPTIONS... : the search's output is in DIR/log
search() {
	local dir=$1 model=$2 seed
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$here/$model.pml" "$dir/"
	cp "$out/table.h" "$dir/"
	cd "$dir" || return
	local pan=(-w "$optimise" -DSAFETY -DNOFAIR -DMEMLIM=6000 -o pan pan.c)
	[ -z "$random" ] || pan=(-DBITSTATE -DT_RAND -DP_RAND "${pan[@]}")
	[ -n "$random" ] || pan=(-DCOLLAPSE "${pan[@]}")
	spin -a "$@" "$model.pml" >log 2>&1 && gcc "${pan[@]}" >>log 2>&1 || return
	if [ -z "$random" ]; then
		timeout "$limit" ./pan -n -m100000 >log 2>&1
		return
	fi
	for ((seed = 1; seed <= 40; seed++)); do
		timeout 60 ./pan -n -m5000 -w26 -RS$seed >log 2>&1
		grep -q 'errors: [1-9]' log && return
	done
}

spin_all() {
	local form model mutant world dir start seconds found states name
	while read -r form model mutant world; do
		[ "$form" = check ] || [ "$form" = "$when" ] || continue
		name="$model${world:+ $world}"
		[ -z "${WORLD:-}" ] || [ "$mutant $name" = "- $WORLD" ] || continue
		dir="$out/$model-$mutant-$(echo "$world" | tr -d ' ')"
		# A long one's mutants are looked for at random.
		random=
		[ "$mutant" = - ] || [ "$form" = check ] || random=y
		# An error is found sooner than it would be compiled well.
		optimise=-O1
		[ "$mutant" = - ] || [ "$form" = nightly ] || optimise=-O0
		start=$SECONDS
		read -r -a options <<<"$world"
		[ "$mutant" = - ] || options+=("-DMUTANT_$mutant")
		(search "$dir" "$model" "${options[@]}")
		seconds=$((SECONDS - start))
		found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' "$dir/log" | head -1)
		states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$dir/log")
		if [ "$mutant" = - ]; then
			grep -q 'errors: 0' "$dir/log" && ! grep -q 'search depth too small' "$dir/log"
			result $? "$name" "${found:-$states states}, $seconds s"
			if [ -n "$found" ]; then
				echo "# cd $dir && spin -t -p $world $model.pml"
			elif [ -z "$states" ]; then
				tail -n 5 "$dir/log" | sed 's/^/# /'
			fi
		else
			# Only what the model says is wrong counts, not what is wrong with it.
			[ -n "$found" ] && grep -q 'errors: [1-9]' "$dir/log"
			result $? "$model without $mutant is caught"
			printf '# %-10s %-22s %s, %d s\n' "$model" "$mutant" "${found:-NOT CAUGHT}" \
				$seconds >>"$table"
		fi
	done < <(sed '/^#/d; /^$/d' "$here/worlds")
}

# ---- herd7 ----

herd() { # FILE: what it observes
	(cd "$out/memory-model" &&
		timeout "$limit" "${HERD7:-herd7}" ${HERD7_LIB:+-set-libdir "$HERD7_LIB"} \
			-conf linux-kernel.cfg "$1" 2>&1) |
		sed -n 's/^Observation [^ ]* \([A-Za-z]*\) .*/\1/p'
}

litmus_all() {
	local tests=("$here"/litmus/*.litmus) tar=/usr/src/linux-source-6.1.tar.xz
	local test file from to got why=
	command -v "${HERD7:-herd7}" >/dev/null || why="herd7 is not installed"
	[ -e $tar ] || why="linux-source-6.1 is not installed"
	if [ -n "$why" ]; then
		missing=$((${#tests[@]} + $(grep -c '^[a-z]' "$here/litmus/mutants")))
		echo "# $why: ${#tests[@]} litmus tests and their mutants are not run"
		return
	fi
	if [ ! -e "$out/memory-model/linux-kernel.cfg" ]; then
		mkdir -p "$out/memory-model"
		tar -xJf $tar -C "$out/memory-model" --strip-components=3 \
			--wildcards '*/tools/memory-model/linux-kernel.*' '*/tools/memory-model/lock.cat'
	fi
	for file in "${tests[@]}"; do
		got=$(herd "$file")
		[ "$got" = Never ]
		result $? "litmus $(basename "$file" .litmus)" "${got:-herd7 says nothing}"
	done
	while IFS='|' read -r test from to; do
		read -r test <<<"$test"
		read -r from <<<"$from"
		read -r to <<<"$to"
		file="$out/mutant.litmus"
		from=$from to=$to awk '
			body && !done && (i = index($0, ENVIRON["from"])) {
				$0 = substr($0, 1, i - 1) ENVIRON["to"] \
					substr($0, i + length(ENVIRON["from"])); done = 1 }
			/^{}/ { body = 1 }
			{ print }
			END { exit !done }' "$here/litmus/$test.litmus" >"$file" && got=$(herd "$file")
		[ "$got" = Sometimes ]
		result $? "litmus $test without $from is caught"
		printf '# %-10s %-22s %s\n' litmus "$test" "$from: ${got:-herd7 says nothing}" >>"$table"
		got=
	done < <(sed '/^#/d; /^$/d' "$here/litmus/mutants")
}

: >"$table"
spin_all
[ -n "${WORLD:-}" ] || litmus_all
echo "# The mutants, and what catches each:"
cat "$table"
[ $missing = 0 ] || echo "# $missing not run"
echo "model: $passed passed, $failed failed"
[ $failed = 0 ]
