#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# When something stalls a command runs, once for each stall, and the flight recorder is written; vhu ctl
# has what stalls looked for, or not; the configuration file has the same options.
. "$(dirname "$0")/lib.sh"
# Slow enough for the back-end to be stopped while it waits for a kick.
blk='--device blk --operation read --requests 100000000 --rate 20'

# Stop the back-end, until the proxy has said $1 stalls.
stop_back() {
	wait_for works
	kill -STOP "$(stage_pid back)"
	wait_for stalls "$1"
}

back --device blk
proxy --control ctl.sock --stall 500ms \
	--on-stall 'env | grep ^VHU_ | sort >stalled.$VHU_SESSION.$(ls | grep -c ^stalled); ls -l /proc/self/fd >fds; exit 3'
# shellcheck disable=SC2086
front $blk
stop_back 1
wait_for grep -q 'on-stall: ended with status 3' proxy.log
# Looks that follow say nothing more.
sleep 0.7
kill -CONT "$(stage_pid back)"
# It moves again, so that it may stall again.
# The proxy has to see it move first.
vring_moves()
{
	"$vhu" rings --json -r vm.pcapng --vring 0 | jq -se '.[0].verdict.id == "moving"' >/dev/null
}
wait_for vring_moves
kill -STOP "$(stage_pid back)"
wait_for stalls 2
wait_for test -e stalled.1.1
{
	echo "VHU_BACK_PID=$(stage_pid back)"
	echo 'VHU_CAPTURE=vm.pcapng'
	echo "VHU_FRONT_PID=$(stage_pid front)"
	echo 'VHU_SESSION=1'
	sed -n 's/^vhu proxy: session 1: stall: /VHU_TEXT=/p' proxy.log | head -n 1
	echo 'VHU_VERDICT=D3'
	echo 'VHU_VRING=0'
} >wanted
diff wanted stalled.1.0 || fail 'the command has another environment'
grep -q 'socket:\|memfd\|eventfd' fds && fail "the command holds the proxy's descriptors: $(cat fds)"
[ "$(grep -c ': stall: ' proxy.log)" = 2 ] || fail 'a stall is said more than once'
[ "$(snapshots | wc -l)" = 2 ] || fail 'stalls and snapshots differ'
all_out

# The flight recorder, though no session ends.
back --device blk
rm -f vm.pcapng
proxy --control ctl.sock --flight-recorder --stall 500ms --snapshot-at-end
# shellcheck disable=SC2086
front $blk
stop_back 1
wait_for grep -q 'vm_00001_.*: session 1: stall: vring 0: ' proxy.log
[ "$(snapshots vm_00001_*.pcapng | jq -r .verdict.id)" = D3 ] || fail 'no snapshot in the flight recorder'
# vhu check names the cause by this file, and once somebody has killed the front-end by the next one, too.
cause() {
	"$vhu" check vm_0000"$1"_*.pcapng 2>/dev/null |
		grep -q 'likeliest cause: vring 0: 1 buffer waits.*(D3), as seen'
}
cause 1 || fail "the flight recorder's cause: $("$vhu" check vm_00001_*.pcapng 2>&1)"
sleep 1
kill -KILL "$(stage_pid front)"
wait_for cause 2
all_out

# By vhu ctl: of a session that began before, requests and what passes from now on.
back --device blk
proxy --control ctl.sock
[ "$("$vhu" ctl -s ctl.sock stall)" = 'nothing counts as stalled' ] || fail 'it watches by itself'
[ "$("$vhu" ctl -s ctl.sock stall 500ms)" = \
	'what stalls for 500 ms is reported, but no missing call: that needs --interpose-eventfds' ] || fail 'ctl stall 500ms'
# shellcheck disable=SC2086
front $blk
stop_back 1
all_out
back --device blk
proxy --control ctl.sock --stall 500ms
[ "$("$vhu" ctl -s ctl.sock stall off)" = 'nothing counts as stalled' ] || fail 'ctl stall off'
[ "$("$vhu" ctl --json -s ctl.sock stall | jq .stall_ns)" = 0 ] || fail 'ctl stall --json'
all_out

# It says when it starts what it cannot see.
finds='^vhu proxy: --stall finds no missing call, because kicks and calls do not pass the proxy'
for option in '' -q --interpose-eventfds; do
	back --device blk
	# shellcheck disable=SC2086
	proxy --control ctl.sock --stall 500ms $option
	[ "$(grep -c "$finds" proxy.log)" = "$([ -z "$option" ] && echo 1 || echo 0)" ] ||
		fail "--stall $option: $(cat proxy.log)"
	[ "$option" != --interpose-eventfds ] ||
		[ "$("$vhu" ctl -s ctl.sock stall)" = 'what stalls for 500 ms is reported' ] || fail "ctl stall $option"
	all_out
done

# The configuration file.
back --device blk
printf 'stall 500ms\non-stall touch stalled\nsnapshot-at-end\ncontrol ctl.sock\n' >proxy.conf
proxy --config proxy.conf
# shellcheck disable=SC2086
front $blk
stop_back 1
wait_for test -e stalled
all_out
