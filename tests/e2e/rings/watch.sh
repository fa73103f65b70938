#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Several looks at a vring tell more than one: for how long buffers wait; which buffers are older than the
# back-end (D2b); with recorded kicks and calls whether the vring was kicked (D1, D4, D20) and called (D5).
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64
. "$here/qemu_lib.sh"

# Begin to look at vring 0 all the time, which is as in $1, else idle.
watch() {
	: >looks
	stage_start watch sh -c "exec '$vhu' rings --json --vring 0 --watch=50ms -r vm.pcapng >looks 2>watch.err"
	wait_for is_seen "${1-D13,D5,D8}"
}

# Return whether a look's verdict is $1, with its alternatives.
is_seen() {
	# Without a look there is no answer: jq 1.6 is content with that.
	[ "$(tail -1 looks | jq -r '[.verdict.id] + .verdict.alternatives | join(",")')" = "$1" ]
}

# End what a case started.
done_with() {
	stage_end watch INT || :
	qemu_out
}

# A case: $1 is its name, $2 qemu_hung's, $3 the verdict, $4 the back-end's options. A request passes
# before the watch begins, the next one is that which hangs. $5 is a signal that the back-end gets in between.
case_is() {
	case_name=$1
	# shellcheck disable=SC2086
	back --device blk --without INFLIGHT_SHMFD ${4-}
	proxy --interpose-eventfds --record-kicks
	qemu "$2"
	wait_for test -e ready
	watch
	[ $# -lt 5 ] || kill "-$5" "$(stage_pid back)"
	echo >&3
	wait_for is_seen "$3"
	done_with
}

case_is 'not kicked' steps-no-kick D1
case_is 'kicked, and the back-end is stopped' steps D3,D4 '' STOP
case_is 'not called' steps D5 '--fault lose-call:1/2'

# The driver was called for the request and has not looked: D8 alone, by the capture.
case_name='not heeded'
back --device blk --without INFLIGHT_SHMFD
proxy --interpose-eventfds --record-kicks
qemu steps-unheeded
wait_for test -e ready
watch D13
echo >&3
wait_for is_seen D8
done_with

# Buffers wait, and the back-end is killed; its successor does not look at the vring. It swallows kicks too: QEMU
# kicks each vring that it starts.
case_name='older than the back-end'
back --device blk --without INFLIGHT_SHMFD
proxy
qemu steps-no-kick
wait_for test -e ready
watch
echo >&3
wait_for is_seen D1,D4,D20
tail -1 looks | jq -e '.waiting_since_ns // 0 > 0' >/dev/null || wait_for grep -q waiting_since_ns looks
stage_end back KILL || :
stage_start back "$back_end" --socket-path=back.sock --device blk --without INFLIGHT_SHMFD \
	--fault no-look --fault lose-kick 3>&-
wait_for is_seen D2b
wait_for is_seen D2b
done_with
