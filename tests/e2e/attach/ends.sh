#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach says how a session ends as the proxy does: which side closed, and whether it left bytes
# unread. A message that was sent and never read is recorded.
. "$(dirname "$0")/lib.sh"

sample_back() {
	back "$back_end" --device blk --memory 8 --socket-path="$work/back"
}

sample_front() {
	stage_start front "$front_end" --device blk --duration 600s back
}

# Return whether $1, of jq, holds for the records of session $2.
session_holds() {
	holds it.pcapng "map(select(.session == $2)) | $1"
}

# Fail unless session $1 is closed as $2 says.
closed() {
	wait_for session_holds 'any(.type == "closed" and .channel == "front-end")' "$1"
	session_holds "any(.type == \"closed\" and .text == \"$2\")" "$1" >/dev/null ||
		fail "session $1 is not closed as \"$2\": $("$vhu" dump it.pcapng | grep closed)"
}

sample_back
attach --socket "$work/back" -w it.pcapng
sample_front
wait_for session_holds 'any(.message == "SET_VRING_ENABLE")' 1
stage_end front KILL || :
closed 1 "front-end closed"

sample_front
wait_for session_holds 'any(.message == "SET_VRING_ENABLE")' 2
stage_end back KILL || :
closed 2 "back-end closed"
stage_end front || :

# The back-end comes again at the same path, and hangs.
sample_back
wait_for grep -q "(pid $(stage_pid back)) listens there now" attach.log
kill -STOP "$(stage_pid back)"
sample_front
wait_for session_holds 'any(.type == "message")' 3
stage_end back KILL || :
closed 3 "back-end closed, leaving bytes unread"
session_holds 'map(select(.type == "message")) | length == 1 and .[0].message == "GET_FEATURES"' 3 >/dev/null ||
	fail "the unread message is missing"
detach
