#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu check says why a vring hung by the kicks and calls that the proxy recorded or lost, and by looks at
# it; healthy sessions with recorded kicks and calls have no cause.
. "$(dirname "$0")/../../lib/common.sh"
work_open
back_end=$build/bin/vhu-sample-backend front_end=$build/bin/vhu-sample-frontend

# Start the parties: $1 are the proxy's options, $2 the back-end's, $3 the front-end's. $4 is a suffix of all
# names, if several sessions run at once.
start() {
	rm -f "vm${4-}.pcapng" "back${4-}.sock" "front${4-}.sock"
	# shellcheck disable=SC2086 # options are several words
	stage_start "back${4-}" "$back_end" --socket-path="back${4-}.sock" $2
	stage_listens "back${4-}" "back${4-}.sock"
	# The rule is one word.
	eval "stage_start proxy${4-} \"\$vhu\" proxy -q -w vm${4-}.pcapng $1 front${4-}.sock back${4-}.sock"
	stage_listens "proxy${4-}" "front${4-}.sock"
	# shellcheck disable=SC2086
	stage_start "front${4-}" "$front_end" --timeout 100s $3 "front${4-}.sock"
}

# End the front-end by the signal $1 and the others.
end() {
	kill "-$1" "$(stage_pid front)"
	wait_for grep_dump 'session closed'
	stage_end front KILL || :
	stage_end proxy TERM || :
	stage_end back KILL || :
}
grep_dump() { "$vhu" dump "${2-vm.pcapng}" | grep -q "$1"; }
has_dumped() { [ "$("$vhu" dump vm.pcapng | grep -c "$2")" -ge "$1" ]; }

# See that vhu check says $1 as the cause, and does not blame a crash.
says() {
	status=0
	"$vhu" check vm.pcapng >out || status=$?
	[ "$status" -eq 1 ] || fail "$1: status $status"
	grep -Eq "likeliest cause: .*$1" out || fail "not the cause: $1"
	if grep -q 'killed or crashed' out; then fail "a crash is blamed, not: $1"; fi
}

blk='--device blk --operation read --requests 100000'
lost='vring 0: kick \([0-9]+\) had no call for [0-9.]+ s until the end; its call \([0-9]+\) was lost by the proxy \(fault 1\), then the front-end'
start "--record-kicks --fault 'call vring=0 nth=5..: lose'" '--device blk' "$blk"
wait_for grep_dump 'call, .* lost by the proxy: fault 1'
sleep 1.5
end KILL
says "$lost"

# The hang comes before what it looked like: the front-end was ended because of it.
start '--record-kicks --interpose-eventfds' '--device blk --fault lose-call:1/9' "$blk"
wait_for has_dumped 4 ' call, '
sleep 1.5
end KILL
says 'vring 0: kick \([0-9]+\) had no call for [0-9.]+ s until the end, then the front-end'

# A kick that somebody asked for need not have a call, and is no alteration. The driver is stopped while nothing is
# under way.
start '--record-kicks --interpose-eventfds --control ctl.sock' '--device blk' \
	'--device blk --operation read --rate 20'
is_stopped_idle() {
	kill -CONT "$(stage_pid front)"
	sleep 0.3
	kill -STOP "$(stage_pid front)"
	sleep 0.1
	"$vhu" dump vm.pcapng | tail -1 | grep ' call, '
}
wait_for is_stopped_idle
"$vhu" ctl -s ctl.sock kick 1 0 >/dev/null
sleep 1.2
end KILL
says 'without stopping its vrings \(1 ran\).*; the proxy itself kicked vring 0 on request \([0-9]+\)'
if grep -Eq 'altered|had no call' out; then fail "a kick on request: $(cat out)"; fi

# Only what is lost is recorded.
start "--fault 'call vring=0 nth=5..: lose'" '--device blk' "$blk"
wait_for grep_dump 'call, .* lost by the proxy: fault 1'
[ "$("$vhu" dump vm.pcapng | grep -c ' kick, ')" -eq 0 ] || fail 'kicks are recorded that were not to be'
sleep 1.5
end KILL
says 'vring 0: call \([0-9]+\) was lost by the proxy \(fault 1\) and none came for [0-9.]+ s until the end'

start "--record-kicks --fault 'kick vring=0 nth=3: lose'" '--device blk' "$blk"
wait_for grep_dump 'kick, .* lost by the proxy: fault 1'
sleep 1.5
end KILL
says 'vring 0: kick \([0-9]+\) was lost by the proxy \(fault 1\) and none came after it for [0-9.]+ s until the end'

# A call that is lost now and then, of many under way: the next makes up for it, and all ends in order.
start "--fault 'call nth=3: lose'" '--device blk' \
	'--device blk --operation read --depth 8 --duration 2s --rate 100'
wait_for grep_dump 'session closed'
"$vhu" check vm.pcapng >out || fail "a call was made up for: $(cat out)"
end TERM 2>/dev/null || :

# A back-end that goes after a message was altered was perhaps not to blame.
start "--fault 'SET_VRING_CALL nth=1: delay 5ms'" '--device blk' "$blk"
wait_for grep_dump SET_VRING_ENABLE
sleep 0.5
kill -KILL "$(stage_pid back)"
wait_for grep_dump 'session closed'
says 'the proxy altered what passed, as configured \([0-9]+: fault 1: delayed'
stage_end back KILL || :
stage_end front KILL || :
stage_end proxy TERM || :

# Standing between kicks and calls is no fault.
start '--interpose-eventfds --record-kicks' '--device blk' "$blk"
wait_for grep_dump ' call, '
kill -KILL "$(stage_pid back)"
wait_for grep_dump 'session closed'
"$vhu" check vm.pcapng >out || :
grep -q 'while 1 vring ran: it was killed or crashed' out || fail 'a crash is not named'
stage_end back KILL || :
stage_end front KILL || :
stage_end proxy TERM || :

# A back-end that took a request and is slow: the last kick has no call.
start '--interpose-eventfds --record-kicks' "--device blk --delay 300ms" "$blk"
wait_for has_dumped 6 ' call, '
kill -STOP "$(stage_pid back)"
sleep 1.5
"$vhu" rings -r vm.pcapng >rings.txt || :
end KILL
says 'vring 0: kick \([0-9]+\) had no call for [0-9.]+ s until the end'
kill -CONT "$(stage_pid back)" 2>/dev/null || :

# Nothing is wrong with these: few requests, event indexes, many under way, polling, packed.
healthy=0
for options in '--rate 2' '--event-idx --depth 16' '--poll --rate 50' '--packed --rate 20' \
	'--packed --event-idx --depth 8'; do
	healthy=$((healthy + 1))
	start '--interpose-eventfds --record-kicks' '--device blk' \
		"--device blk --operation read --duration 2500ms $options" "$healthy"
done
for session in $(seq "$healthy"); do
	wait_for grep_dump 'session closed' "vm$session.pcapng"
	"$vhu" check "vm$session.pcapng" >out || fail "healthy session $session: $(cat out)"
done
