#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With --snapshot-at-end the capture of a session that breaks off says which requests were in flight: when
# the back-end is killed, when the front-end is, when the proxy is stopped.
. "$(dirname "$0")/lib.sh"

# Return whether the back-end has taken $1 requests of vring 0.
under_way() {
	"$vhu" rings --json -r vm.pcapng --vring 0 >rings.out 2>/dev/null || :
	jq -se ".[0].in_flight == $1" rings.out >/dev/null
}

# A case: $1 is the party to end, $2 the signal, $3 how the session is closed then.
case_is() {
	back --device blk --delay 99s
	proxy --snapshot-at-end
	front --device blk --operation read --depth 3
	wait_for under_way 3
	kill "-$2" "$(stage_pid "$1")"
	await '"$vhu" dump vm.pcapng | grep -q "session closed: '"$3"'"' "the session is closed: $3"
	snapshots >out
	jq -se 'length == 1 and (.[0] | .reason == "end of the session" and .vring == 0 and
		.in_flight == 3 and (.verdict.hangs | not) and (.requests | length) == 3 and
		all(.requests[]; .taken and (.header | startswith("virtio-blk request: type IN"))))' \
		out >/dev/null || fail "$1 ended: not the snapshot"
	# It stands before the record that closes the session.
	"$vhu" dump --json vm.pcapng | jq -se '.[-1].type == "closed" and
		any(.[:-1][]; .type == "vring snapshot")' >/dev/null || fail "$1 ended: the snapshot comes after the end"
	all_out
}

case_is back KILL 'back-end closed'
case_is front KILL 'front-end closed'
case_is proxy TERM 'the proxy was stopped'

# A front-end that stops its vrings before it leaves leaves nothing to look at.
back --device blk
proxy --snapshot-at-end
"$front_end" --device blk --requests 10 front.sock >out 2>err || fail 'the front-end fails'
stage_end proxy TERM
[ -z "$(snapshots)" ] || fail 'a snapshot of vrings that were stopped'
