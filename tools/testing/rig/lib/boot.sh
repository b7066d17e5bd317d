# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The machine: QEMU without hardware virtualisation, three serial ports:
#
#   1  Xen's and dom0's console, to be read
#   2  the verdict
#   3  the guests' consoles
#
# boot FOLDER SECONDS: boots what FOLDER holds, with the settings of the run in
# BOOT_*; prints port 1, keeps all three, and QEMU's exit status in "status".
boot() {
	local d=$1 seconds=$2
	local -a q=("${EMULATOR[@]}" -nodefaults -no-user-config -display none
		-no-reboot -net none -m "$BOOT_MEMORY" -smp "$BOOT_SMP" -pidfile "$d/pid"
		-chardev "stdio,id=console,signal=off" -serial chardev:console
		-serial "file:$d/verdict"
		# Port 3's usual interrupt is port 1's, which Xen keeps for itself.
		-chardev "file,id=guests,path=$d/guests.log"
		-device "isa-serial,index=2,iobase=0x3e8,irq=5,chardev=guests")

	if [ "$BOOT_ICOUNT" = 1 ]; then
		# Virtual time counts instructions: the same run, the same figures.
		q+=(-accel tcg -icount "shift=1,sleep=off" -seed 1
			-rtc "base=2026-01-01T00:00:00,clock=vm"
			-cpu "max,-erms,-fsrm,-smap")
	else
		# SVM is for PVH guests; without RDRAND whoever needs a UUID waits seconds.
		q+=(-accel "tcg,thread=$BOOT_THREAD" -cpu "qemu64,+svm,+npt,+rdrand")
	fi

	local args="rig_nonce=$BOOT_NONCE $BOOT_ARGS"
	if [ "$BOOT_XEN" = yes ]; then
		local xen="console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all conring_size=1m"
		xen+=" dom0_mem=$BOOT_DOM0_MEMORY,max:$BOOT_DOM0_MEMORY dom0_max_vcpus=$BOOT_DOM0_VCPUS"
		q+=(-kernel "$BOOT_IMAGES/xen" -append "$xen"
			-initrd "$BOOT_KERNEL/vmlinux console=hvc0 earlyprintk=xen $args,$d/initrd")
	else
		# Not vmlinux: with KASAN its PVH entry faults before the shadow is up.
		q+=(-kernel "$BOOT_KERNEL/vmlinuz" -append "console=ttyS0 panic=-1 $args"
			-initrd "$d/initrd")
	fi

	: >"$d/console.log"
	: >"$d/guests.log"
	local status=0
	timeout --foreground -k 5 "$seconds" "${q[@]}" </dev/null 2>"$d/qemu.log" |
		tee "$d/console.log" || status=${PIPESTATUS[0]}
	[ ! -d "$d" ] || echo "$status" >"$d/status"
}

boot_stop() { # FOLDER: ends a machine that still runs
	[ ! -s "$1/pid" ] || kill "$(cat "$1/pid")" 2>/dev/null || true
}
