#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings -w: snapshots as a capture that can be read alone, and that can be merged with that of its
# sessions, by the capture and by the control socket.
. "$(dirname "$0")/lib.sh"
need mergecap

# See that the capture $1 has a snapshot with the verdict $2 and its requests, behind what was negotiated
# if there is no third word.
holds() {
	"$vhu" dump --json "$1" >records || fail "$1: dump: status $?"
	jq -se "[.[] | select(.type == \"vring snapshot\" and .session == 1)] | length > 0 and
		all(.verdict.id == \"$2\" and (.requests | length) == 2 and
		(.requests[0].header | test(\"virtio-blk request: type IN\")))" records >/dev/null ||
		fail "$1: not a snapshot with $2: $(tail -1 records)"
	[ $# -gt 2 ] ||
		jq -se 'any(.message == "SET_VRING_KICK" and (.marks | index("earlier") != null))' records >/dev/null ||
		fail "$1: nothing of what was before"
	"$vhu" check "$1" >out && fail "$1: check finds nothing"
	grep -q "likeliest cause: vring 0: 2 buffers wait.* ($2), as seen ([0-9]*)" out ||
		fail "$1: check does not say why"
}

case_name='snapshots'
back --device blk --delay 99s
proxy
front --device blk --operation read --depth 2
wait_for is_verdict D4

rings -r vm.pcapng -w by_capture.pcapng
[ "$status" -eq 1 ] || fail "by the capture: status $status"
[ "$(jq .verdict.id out)" = '"D4"' ] || fail 'with -w the vrings are not shown'
holds by_capture.pcapng D4
"$vhu" rings -s ctl.sock -w - >by_control.pcapng || :
holds by_control.pcapng D4
cp vm.pcapng now.pcapng
mergecap -w merged.pcapng now.pcapng by_capture.pcapng
holds merged.pcapng D4
[ "$("$vhu" dump merged.pcapng | grep -v '(earlier)' | grep -c 'session opened')" -eq 1 ] ||
	fail 'merged: two sessions'

# Look by look.
timeout -s INT 2 "$vhu" rings -r vm.pcapng --watch=100ms -w watched.pcapng >out || :
[ "$("$vhu" dump watched.pcapng | grep -c 'snapshot (asked for)')" -gt 1 ] || fail '--watch -w: one look'

# A vring that does not hang is not waited for in vain: there is nothing to write.
all_out
back --device blk
proxy
front --device blk --operation read --rate 100
wait_for is_there
"$vhu" rings -r vm.pcapng --wait 300ms -w none.pcapng >out || fail "--wait: status $?"
[ ! -e none.pcapng ] || fail '--wait writes a vring that does not hang'

says() {
	wanted=$1 text=$2
	shift 2
	status=0
	"$vhu" rings "$@" >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || fail "$*: status $status"
	[ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line"
	grep -q -- "$text" err || fail "$*: does not say '$text'"
}
ln -s vm.pcapng link.pcapng
says 2 'read and written at once' -r vm.pcapng -w link.pcapng
says 2 'standard output' -r vm.pcapng --json -w -
says 1 'cannot write a capture' -r vm.pcapng -w nowhere/x.pcapng
