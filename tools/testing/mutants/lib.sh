# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Blocks of lines that change a file: see run for their form. Also for ../bench/unchecked.mutants.

# blocks FOLDER FILE...: each block of the files in a file of its own, 001 002 ...
blocks() {
	sed -s -e '/^#/d' "${@:2}" | awk -v dir="$1" '
		/^= / { file = sprintf("%s/%03d", dir, ++n) }
		/^$/ { next }
		file { print >file }'
}

# apply FILE BLOCK: the lines of the block in the file, to stdout; fails if they are not there once
apply() {
	awk '
		function bare(line) { sub(/^[ \t]+/, "", line); return line }
		NR == FNR {
			if (/^-/) old[++n] = bare(substr($0, 2))
			if (/^\+/) new[++m] = substr($0, 2)
			next
		}
		{ line[FNR] = $0; last = FNR }
		END {
			for (i = 1; i <= last - n + 1; i++) {
				for (j = 1; j <= n && bare(line[i + j - 1]) == old[j]; j++)
					;
				if (j > n) {
					at = i
					found++
				}
			}
			if (!n || found != 1)
				exit 1
			for (i = 1; i <= last; i++) {
				if (i == at) {
					for (j = 1; j <= m; j++)
						print new[j]
					i += n - 1
				} else {
					print line[i]
				}
			}
		}' "$2" "$1"
}
