#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How a session ends is told as the proxy tells it: who closed, and whether bytes were left unread. What
# was sent and never read is there.
#
#	sh ends.sh BUILD
set -eu
build=$1
. "$(dirname "$0")/lib.sh"
need jq

start_back() {
	rm -f back
	start back "$bin/vhu-sample-backend" --device blk --memory 8 --socket-path="$folder/back"
	backend=$started
	wait_for listens "$folder/back"
}

start_front() {
	start front "$bin/vhu-sample-frontend" --device blk --duration 600s back
	frontend=$started
}

# Return whether $1, of jq, holds for the records of session $2.
holds() {
	"$bin/vhu" dump --json it.pcapng | jq -se "map(select(.session == $2)) | $1"
}

# Fail unless session $1 is closed as $2 says.
closed() {
	wait_for holds 'any(.type == "closed" and .channel == "front-end")' "$1"
	holds "any(.type == \"closed\" and .text == \"$2\")" "$1" >/dev/null ||
		fail "session $1 is not closed as \"$2\": $("$bin/vhu" dump it.pcapng | grep closed)"
}

start_back
attach --socket "$folder/back" -w it.pcapng
start_front
wait_for holds 'any(.message == "SET_VRING_ENABLE")' 1
kill -KILL "$frontend"
closed 1 "front-end closed"

start_front
wait_for holds 'any(.message == "SET_VRING_ENABLE")' 2
kill -KILL "$backend"
closed 2 "back-end closed"

# The back-end comes again at the same path, and hangs.
start_back
wait_for grep -q "(pid $backend) listens there now" attach.log
kill -STOP "$backend"
start_front
wait_for holds 'any(.type == "message")' 3
kill -KILL "$backend"
closed 3 "back-end closed, leaving bytes unread"
holds 'map(select(.type == "message")) | length == 1 and .[0].message == "GET_FEATURES"' 3 >/dev/null ||
	fail "what nobody read is not there"
detach
