#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings says why a vring of QEMU's hangs, by the proxy's capture, by its control socket and by QEMU's
# monitor, which goes on working: what it asks there disturbs nothing.
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64
. "$here/qemu_lib.sh"

# A case: $1 is its name, $2 that of qemu_hung, $3 the verdict, $4 the back-end's options, $5 what QEMU's
# monitor has for a verdict.
case_is() {
	case_name=$1
	# shellcheck disable=SC2086 # options are several words
	back --device blk ${4-}
	proxy
	qemu "$2"
	wait_for test -e ready
	# shellcheck disable=SC2086
	expect "$3" ${6-}
	[ -z "${5-}" ] || {
		rings --qmp "$(cat ready)"
		[ "$(jq -r '[.verdict.id] + .verdict.alternatives | join(",")' out)" = "$5" ] ||
			fail "$1: by QEMU's monitor not $5 but: $(jq -c .verdict out) $(cat err)"
	}
	qemu_out
}

case_is 'idle' idle D13,D5,D8 '' D13,D5,D8
case_is 'no kick' no-kick D1,D20 '' D1,D3,D4,D20
case_is 'no kick, nothing tracks what was taken' no-kick D1,D4,D20 '--without INFLIGHT_SHMFD'
case_is 'taken' kick D4 '--delay 99s'
case_is 'machine stopped' stopped D10
# The monitor says why it has no vring to show.
case_name='machine stopped, by the monitor'
back --device blk
proxy
qemu stopped
wait_for test -e ready
"$vhu" rings --qmp "$(cat ready)" >out 2>err && fail "$case_name: status 0"
grep -q ': the machine is not running (paused), and its vrings are stopped: let it go on' err ||
	fail "$case_name: $(cat err)"
qemu_out
case_is 'index far ahead' far-ahead D11 '' D11
case_is 'chain in a loop' loop D18 '' D18
case_is 'chain outside memory' outside D18
case_is 'private memory' private D9
case_is 'the old call is called' idle D7 '--fault old-call' '' no-socket
case_is 'eventfds leaked' resets D19 '--fault leak-eventfd' '' no-socket

# The same with qemu-storage-daemon as the back-end, which tracks no requests in flight: $1 is the case's
# name, $2 that of qemu_hung, $3 the verdict, $4 a signal for the daemon before that.
storage_is() {
	case_name="storage daemon, $1"
	truncate -s 1M disk.img
	stage_start back qemu-storage-daemon \
		--blockdev driver=file,node-name=disk,filename=disk.img,locking=off \
		--export type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path=back.sock,num-queues=2
	stage_listens back back.sock
	proxy
	qemu "$2"
	if [ $# -gt 3 ]; then
		wait_for grep -q now qemu.out
		kill "-$4" "$(stage_pid back)"
		echo go >&3
	fi
	wait_for test -e ready
	expect "$3"
	qemu_out
}

if command -v qemu-storage-daemon >/dev/null; then
	storage_is 'idle' idle D13,D5,D8
	storage_is 'no kick' no-kick D1,D4,D20
	storage_is 'stopped' restarted D3 STOP
	storage_is 'machine stopped' stopped D10
	storage_is 'index far ahead' far-ahead D11
	storage_is 'private memory' private D9
fi

# The back-end is stopped, and then the machine, which waits for the back-end.
case_name='control plane stuck'
back --device blk
proxy
qemu stuck
wait_for grep -q now qemu.out
kill -STOP "$(stage_pid back)"
echo go >&3
wait_for test -e ready
wait_for is_verdict D14
# QEMU 10 asks for an answer to SET_VRING_ENABLE, which QEMU 7.2 does not.
jq -e '.back_end.unread > 0 and (.pending.message | IN("GET_VRING_BASE", "SET_VRING_ENABLE"))' out >/dev/null ||
	fail "$case_name: $(cat out)"
qemu_out

# A back-end is killed, and its successor begins the used ring at 0.
case_name='used ring begun at 0'
back --device blk --without INFLIGHT_SHMFD
proxy
qemu restarted
wait_for grep -q now qemu.out
stage_end back KILL || :
# It must not keep QEMU's standard input open.
stage_start back "$back_end" --socket-path=back.sock --device blk --without INFLIGHT_SHMFD \
	--fault used-zero 3>&-
stage_listens back back.sock
echo go >&3
wait_for test -e ready
wait_for is_verdict D17,D4
qemu_out
