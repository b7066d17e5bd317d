# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a run's logs say. A pass needs the verdict that came by its own serial
# port; console text can only turn it into a failure.

# judge FOLDER SCENARIO NONCE ALLOW: prints why it failed, one line each; sets
# PASSED and FAILED, and is true if there is nothing to say
judge() {
	local d=$1 scenario=$2 nonce=$3 allow=$4 line found
	PASSED=0 FAILED=0
	line=$(tr -d '\r' <"$d/verdict" 2>/dev/null | grep -a "^verdict $nonce $scenario [0-9]* [0-9]*$" || true)
	local good=1
	if [ -z "$line" ]; then
		echo "# no verdict"
		good=0
	elif [ "$(wc -l <<<"$line")" != 1 ]; then
		echo "# more than one verdict"
		good=0
	else
		read -r _ _ _ PASSED FAILED <<<"$line"
		[ "$FAILED" = 0 ] || { echo "# $FAILED of it failed"; good=0; }
		[ "$PASSED" -gt 0 ] || { echo "# nothing passed"; good=0; }
	fi
	found=$(bad_lines "$allow" "$d"/console.log "$d"/guests.log)
	if [ -n "$found" ]; then
		echo "# on the consoles:"
		echo "#   ${found//$'\n'/$'\n#   '}"
		good=0
	fi
	[ $good = 1 ]
}

# bad_lines ALLOW FILE...: the first lines that no console may have
bad_lines() {
	local allow=$1
	shift
	grep -vE '^(#|$)' "$RIG_DIR/lib/patterns" >"$1.patterns"
	# A result's own description may name what it is about; a kernel's line, also
	# one that came in between, has a time in brackets.
	cat "$@" 2>/dev/null | tr -d '\r' | grep -avE '^ *ok [0-9]+ [^[]*$' |
		grep -aE -f "$1.patterns" |
		{ if [ -n "$allow" ]; then grep -avE -- "$allow"; else cat; fi; } |
		head -20 || true
	rm -f "$1.patterns"
}

# last_words FOLDER: the end of each console, each guest's on its own
last_words() {
	local d=$1 name
	echo "# --- console of Xen and dom0"
	tail -n 40 "$d/console.log" | tr -d '\r' | sed 's/^/#   /'
	[ -s "$d/guests.log" ] || return 0
	sed -n 's/^\([A-Za-z0-9_-]*\)| .*/\1/p' "$d/guests.log" | sort -u | while read -r name; do
		echo "# --- console of $name"
		grep -a "^$name| " "$d/guests.log" | tail -n 40 | tr -d '\r' | sed 's/^/#   /'
	done
}
