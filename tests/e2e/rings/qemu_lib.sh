# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of vhu rings with QEMU share; lib.sh comes before it.

# Start QEMU so that its vring 0 hangs as in $1.
qemu() {
	rm -f ready pid qemu.in qemu.out
	mkfifo qemu.in
	# It ends when the other end is closed.
	stage_start front sh -c "exec '$programs/qemu_hung' $1 front.sock . <qemu.in >qemu.out"
	exec 3>qemu.in
}

# Let QEMU go, and the others.
qemu_out() {
	exec 3>&-
	kill -CONT "$(stage_pid back)" 2>/dev/null || :
	stage_end front || fail "$case_name: qemu_hung ended with status $?"
	all_out
}
