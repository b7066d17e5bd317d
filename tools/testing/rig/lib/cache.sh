# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cache: folders that are made once for each state of their inputs.
# Everything the rig generates lives there, nothing in the tree.
#
# shellcheck disable=SC2034 # what is set here is for who sources it

shopt -s inherit_errexit

RIG_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RIG_REPO=$(cd "$RIG_DIR/../../.." && pwd)
RIG_CACHE=${XEN_DUCT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xen-duct}
mkdir -p "$RIG_CACHE/locks"
export XEN_DUCT_CACHE=$RIG_CACHE

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

say() {
	echo "${0##*/}: $*" >&2
}

# hash_of FILE|FOLDER|=TEXT...: a short hash of contents, names and modes
hash_of() {
	local x
	for x; do
		case $x in
		=*) printf '%s\n' "$x" ;;
		*) (
			cd "$(dirname "$x")"
			find -L "${x##*/}" -type f -printf '%p %m\n' | LC_ALL=C sort
			find -L "${x##*/}" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
		) ;;
		esac
	done | sha256sum | cut -c1-16
}

# cached NAME KEY COMMAND...: sets CACHED to a folder which COMMAND FOLDER
# filled. COMMAND works in a folder of another name, which gets its right name
# when it succeeded: a run that is interrupted leaves nothing that looks done.
# A second run of the same waits for the first.
cached() {
	local name=$1 key=$2
	shift 2
	CACHED=$RIG_CACHE/$name-$key
	if [ -d "$CACHED" ]; then
		touch "$CACHED"
		return 0
	fi
	local fd
	exec {fd}>"$RIG_CACHE/locks/$name-$key"
	flock "$fd"
	if [ ! -d "$CACHED" ]; then
		rm -rf "$CACHED.tmp"
		mkdir -p "$CACHED.tmp"
		# In a subshell that does not own the lock: a daemon started by
		# COMMAND must not hold it. Not "cached ... || die": that would
		# switch off set -e inside.
		(set -euo pipefail; "$@" "$CACHED.tmp") {fd}>&-
		mv "$CACHED.tmp" "$CACHED"
		forget_old "$name" "$CACHED"
	fi
	exec {fd}>&-
}

# forget_old NAME KEEP: removes folders of that name nobody used for two days
forget_old() {
	find "$RIG_CACHE" -mindepth 1 -maxdepth 1 -type d -name "$1-*" \
		! -path "$2" -mmin +2880 -exec rm -rf {} + 2>/dev/null || true
}
