#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Without a proxy vhu top lists sessions that hung before it began, at once and with one look: what they wait
# for as far as eventfds say it, a verdict if vhu attach has recorded them, else what would give one.
. "$(dirname "$0")/lib.sh"
. "$top/tests/lib/schemas.sh"
need_probes
export work

# Start back-end and front-end $1, with the options that follow for the back-end.
session() {
	name=$1
	shift
	stage_start "back_$name" "$back_end" --device blk "--socket-path=$work/$name.sock" "$@"
	stage_listens "back_$name" "$work/$name.sock"
}
drive() {
	stage_start "front_$1" "$front_end" --timeout 1000s --device blk --queues 2 --depth 4 --rate 500 \
		--duration 3000s "$work/$1.sock"
}
# Look once at what the options $* name, into the file out.
once() {
	"$vhu" top --json --count 1 --delay 500ms "$@" >out 2>err || fail "vhu top $*: status $?"
	[ ! -s err ] || fail "vhu top $*: something is said beside"
	schemas_fit out >told || fail "$(cat told)"
}
# See that the jq expression $1 holds for all lines together; $2 says what is missing.
is() {
	jq -se --argjson a "$(stage_pid back_a)" --argjson b "$(stage_pid back_b)" \
		--argjson fa "$(stage_pid front_a)" --argjson fb "$(stage_pid front_b)" "$1" out >told || fail "$2"
}

session a
drive a
# One that vhu attach has recorded from its beginning.
session b
stage_start attach "$vhu" attach -q -w b.pcapng --socket "$work/b.sock"
recorded() { [ -s b.pcapng ]; }
wait_for recorded
drive b
busy() { "$vhu" rings -r b.pcapng --json 2>err | jq -se 'length == 2 and all(.used > 0)'; }
wait_for busy
for name in a b; do
	kill -STOP "$(stage_pid "back_$name")"
done
# Until both have kicks that are not read.
waits() { "$vhu" rings -r b.pcapng --json 2>err | jq -se 'any(.kick.count > 0 and .waiting > 0)'; }
wait_for waits

once -p "$(stage_pid back_a)"
is 'length == 1 and .[0].source == "pid \($a)" and .[0].session == .[0].session and
	.[0].front_end == {path: ($ENV.work + "/a.sock"), pid: $fa, comm: "vhu-sample-fron"} and
	.[0].back_end.pid == $a and .[0].device == "blk" and .[0].vring == null' 'the session is not told as it is'
is '.[0].state == "stalled" and .[0].signalled_eventfds > 0 and .[0].signalled_ns > 1e9 and .[0].silent_ns > 1e9 and
	(.[0].hint | test("seen: process \($a) .* is stopped by a signal .T.: let it continue"))' 'it is not said that it hangs, and what to do'
once --socket b.sock
is 'map(.vring) == [0, 1] and all(.session == 1 or .session > 1) and all(.back_end.pid == $b and
	.front_end.pid == $fb and .front_end.path == $ENV.work + "/b.sock") and
	any(.state == "stalled" and .verdict.id == "D3")' 'vhu rings has no verdict'
once --all --filter "$work"
is '(map(select(.back_end.pid == $a) | .session) | unique) as $one | (map(select(.back_end.pid == $b) | .session) | unique)
	as $other | ($one | length) == 1 and ($other | length) == 1 and $one != $other' 'sessions have one number'

# On the screen, before there is any traffic.
top_start 100 24 "-p $(stage_pid back_a)"
sees '^1 source  1 session  0 vrings: 1 stalled'
sees ' .*a +blk .* [0-9.]+s stalled$'
sees 'no verdict: seen: process [0-9]* .* is stopped'
kill -CONT "$(stage_pid back_a)"
sees ' .*a +blk .* 0 +[0-9.]+[kM]? .* runs$'
misses 'no verdict'
press q
sees '^status 0'
kill -CONT "$(stage_pid back_b)"

# One that does nothing is quiet.
session c
stage_start front_c "$front_end" --timeout 1000s --device blk --rate 1 --requests 1000 "$work/c.sock"
connected() { "$vhu" attach --list --json | jq -se --argjson pid "$(stage_pid back_c)" 'any(.back_end.pid == $pid)'; }
wait_for connected
kill -STOP "$(stage_pid front_c)"
once -p "$(stage_pid back_c)"
is 'length == 1 and .[0].state == "quiet" and .[0].signalled_eventfds == 0' 'what is idle is not quiet'
