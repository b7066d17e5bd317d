# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# QEMU, mended. Up to its newest version, VMRUN with an interrupt to inject delivers
# that, but leaves its vector in cpu->exception_index (target/i386/tcg/sysemu/
# svm_helper.c, SVM_EVTINJ_TYPE_INTR). If cpu_exec() is asked to leave before the next
# exit of the guest, it finds the vector, takes it for an exception that is still to be
# delivered, and the guest gets its interrupt again, with interrupts off. On the first
# instruction of an entry from user mode that kills the guest, within seconds if it has
# many events and a busy user process.
#
# The store is of no use to anybody: in a copy of the program, no-operations take its
# place. There is no package with the source, and to build QEMU takes long.

# emulator: sets EMULATOR, a command with options
emulator() {
	local qemu
	qemu=$(command -v qemu-system-x86_64) || die "no qemu-system-x86_64"
	cached emulator "$(hash_of "$qemu" "$RIG_DIR/lib/emulator.sh")" emulator_make "$qemu"
	EMULATOR=("$qemu")
	[ -x "$CACHED/qemu" ] || {
		say "QEMU is not as expected and stays as it is: a PVH guest may get lost"
		return 0
	}
	# It would look for its files beside itself.
	local dir modules
	modules=(/usr/lib/*/qemu/accel-tcg-x86_64.so)
	EMULATOR=(env "QEMU_MODULE_DIR=${modules[0]%/*}" "$CACHED/qemu")
	while read -r dir; do
		EMULATOR+=(-L "$dir")
	done < <("$qemu" -L help)
}

# The stores of error_code, exception_index, exception_is_int = 0 and
# exception_next_eip = -1: the second one goes, if there is one such place.
emulator_make() { # QEMU FOLDER
	perl -0777 -pe '
		$n = s/(\x44\x89\xab.{4})\x89\xb3.{4}
			(?=\xc7\x83.{4}\0{4}\x48\xc7\x83.{4}\xff{4})
			/$1\x66\x0f\x1f\x44\x00\x00/gsx;
		END { exit($n != 1) }' "$1" >"$2/qemu" && chmod +x "$2/qemu" || rm -f "$2/qemu"
}
