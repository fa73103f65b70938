#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Ten sessions that begin at the same time are recorded whole, each with all its messages and its channel
# inside: they say the same as a proxy recorded of one of them. No event is lost.
. "$(dirname "$0")/lib.sh"
sessions=10

set --
for i in $(seq $sessions); do
	stage_start "back$i" "$back_end" --device blk --memory 8 --socket-path="$work/back$i"
	set -- "$@" --socket "$work/back$i"
done
for i in $(seq $sessions); do
	stage_listens "back$i" "$work/back$i"
done
attach "$@" -w it.pcapng
stage_start proxy "$vhu" proxy -w proxy.pcapng front1 back1
stage_listens proxy front1
for i in $(seq $sessions); do
	front=$work/back$i
	[ "$i" -ne 1 ] || front=$work/front1
	stage_start "front$i" "$front_end" --device blk --requests 5 "$front"
done
for i in $(seq $sessions); do
	stage_end "front$i" || fail "front-end $i: status $?"
done
closed() {
	holds "$1" "map(select(.type == \"closed\" and .channel == \"front-end\")) | length == $2"
}
wait_for closed it.pcapng $sessions
wait_for closed proxy.pcapng 1
detach
grep -q "$sessions sessions, .* 0 events lost," attach.log || fail "not all is there"
! grep -q 'missing in' attach.log || fail "something is missing"
# What sessions say, one a line: the messages in order, with the kinds of descriptors, and the channels.
said() {
	"$vhu" dump --json "$1" | jq -sc 'map(select(.number)) | group_by(.session) | .[]
		| map(select(.type == "message" or .type == "opened"))
		| map([.type, .channel, .from, .message, .reply, [.fds[]?.kind]])'
}
said proxy.pcapng >proxy.said
said it.pcapng | sort -u >it.said
[ "$(jq length proxy.said)" -ge 40 ] || fail "only $(jq length proxy.said) records"
cmp proxy.said it.said || fail "not all sessions say what the proxy recorded: $(wc -l <it.said) different ones"
echo "$(jq length it.said) records of each of $sessions sessions"
