# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# What there is, before and after, to find what was left behind.
#
#   ledger                     prints it: event channels, grants and module
#                              references of dom0 and each living guest, all
#                              xenstore nodes, free memory of dom0 and of Xen.
#                              Numbers that differ each time (domain ids, ports,
#                              frames) are left out or replaced by names
#   ledger_same BEFORE AFTER   compares two files that hold ledgers; shows what
#                              differs. Memory may shrink by LEDGER_SLACK KiB

: "${LEDGER_SLACK:=8192}"

# A sed script that gives domains their names, since ids grow with each restart
ledger_names() {
	local g id
	for g in $GUESTS; do
		id=$(domid "$g" 2>/dev/null) || continue
		echo "s#^/local/domain/$id\\b#/local/domain/@$g#"
		echo "s#^/libxl/$id\\b#/libxl/@$g#"
		echo "s#^\\(/local/domain/[^/]*/backend/[^/]*\\)/$id\\b#\\1/@$g#"
		echo "s#\\b\\([nrwb]\\)$id\\b#\\1@$g#g"
		echo "s#\\bDomain $id\\b#Domain @$g#"
	done
	echo 's#[0-9a-f]\{8\}-[0-9a-f-]\{27\}#UUID#g'
}

ledger_xenstore() {
	# Values change while everything is well; nodes, owners and states do not. In /vm
	# there is nothing but xl's, which has less for a guest that was restored.
	xenstore-ls -fp / |
		sed -e 's#^\([^ ]*/state\) = "\([^"]*\)"#\1=\2#' -e 's# = "[^"]*"\(\.\.\.\)\?##' \
			-e '/\/rig[ /]/d' -e '/\/memory\//d' -e '/^\/tool\/xenstored/d' \
			-e '/^\/vm\//d' \
			-f "$RIG_RUN/names.sed" | sort | sed 's/^/xenstore /'
}

ledger_events() { # DOMID NAME
	lsevtchn "$1" | sed -e 's/^ *[0-9]*: //' -e 's/VCPU [0-9]*: //' \
		-e 's/[Pp]ort [0-9]*/port/' -e 's/PIRQ [0-9]*/PIRQ/' \
		-f "$RIG_RUN/names.sed" | sort | uniq -c | sed "s/^ */events $2: /"
}

# Xen prints its tables to its console: ask, then read what it said. What counts
# is who maps (or reserved) how many pages of whom.
ledger_grants() {
	xl debug-keys g
	xl dmesg | awk '
		/gnttab_usage_print_all \[/ { delete n; next }
		/grant-table for (local|remote) d[0-9]+/ {
			match($0, /d[0-9]+/); owner = substr($0, RSTART, RLENGTH); next
		}
		/\[0x[0-9a-f]+\] / {
			sub(/.*\[0x[0-9a-f]+\] */, ""); n[owner " " $1]++
		}
		END { for (k in n) { split(k, p, " "); print p[1], "d" p[2], n[k] } }' |
		while read -r owner mapper count; do
			echo "grants $(ledger_domain "$owner"): mapped by $(ledger_domain "$mapper"): $count"
		done | sort
}

ledger_domain() { # dN: its name
	local g
	[ "$1" != d0 ] || { echo dom0; return; }
	for g in $GUESTS; do
		[ "$1" != "d$(domid "$g" 2>/dev/null)" ] || { echo "$g"; return; }
	done
	echo "$1"
}

ledger() {
	local g id
	ledger_names >"$RIG_RUN/names.sed"
	if [ "$RIG_XEN" = yes ]; then
		ledger_events 0 dom0
		ledger_grants
		ledger_xenstore
		for g in $GUESTS; do
			id=$(domid "$g" 2>/dev/null) || continue
			ledger_events "$id" "$g"
			guest "$g" "awk '{ print \$1, \$3 }' /proc/modules" | sort |
				sed "s/^/module $g: /"
		done
		echo "memory xen: $(xl info free_memory) MiB"
	fi
	# xl keeps a monitor for each guest, and one of a restored guest has fewer mappings.
	awk '$1 != "xen_privcmd" { print "module dom0:", $1, $3 }' /proc/modules | sort
	awk '/^MemAvailable/ { print "memory dom0:", $2, "KiB" }' /proc/meminfo
}

ledger_same() {
	local status=0
	grep -v '^memory ' "$1" >"$RIG_RUN/before"
	grep -v '^memory ' "$2" >"$RIG_RUN/after"
	diff -U 0 "$RIG_RUN/before" "$RIG_RUN/after" || status=1
	# The first file's value of each name less the second's.
	awk -v slack="$LEDGER_SLACK" '
		!/^memory / { next }
		FNR == NR { had[$2] = $3; next }
		{ lost = (had[$2] - $3) * ($4 == "MiB" ? 1024 : 1) }
		lost > slack { print "memory", $2, "less by", lost, "KiB"; bad = 1 }
		END { exit bad }' "$1" "$2" || status=1
	return $status
}
