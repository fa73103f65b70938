#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing is wrong with 50 vrings, some busy, some idle, split and packed, that are looked at 100 times, by the
# capture and by the control socket in turn. The proxy stands between kicks and calls of 20 of them.
. "$(dirname "$0")/lib.sh"

# Start back-end $1.
session() {
	# The last ones always have requests in flight.
	delay=$([ "$1" -lt 5 ] || echo --delay 20ms)
	# shellcheck disable=SC2086 # options are several words
	stage_start "back$1" "$back_end" --device blk --queues 10 $delay "--socket-path=back$1.sock"
	stage_listens "back$1" "back$1.sock"
	pairs="$pairs --pair front$1.sock=back$1.sock"
}
pairs=''
for number in 1 2 3 4 5; do
	session $number
done
# shellcheck disable=SC2086 # options are several words
stage_start proxy "$vhu" proxy -q -w vm.pcapng --control ctl.sock --interpose-eventfds=vring=0,1,2,3 $pairs
for number in 1 2 3 4 5; do
	stage_listens proxy front$number.sock
done
# Start front-end $1 with the options $2.
drive() {
	# shellcheck disable=SC2086
	stage_start "front$1" "$front_end" --device blk --operation read --queues 10 --timeout 100s \
		--duration 600s $2 "front$1.sock"
}
drive 1 '--rate 20 --depth 1'
drive 2 '--rate 200 --packed'
drive 3 '--rate 2000 --event-idx'
drive 4 '--rate 20 --packed --event-idx'
drive 5 '--depth 4'
count() {
	status=0
	"$vhu" rings --json "$@" >out 2>err || status=$?
	[ "$(wc -l <out)" -eq 50 ]
}
wait_for count -r vm.pcapng
for look in $(seq 100); do
	if [ $((look % 2)) -eq 0 ]; then set -- -r vm.pcapng; else set -- -s ctl.sock; fi
	count "$@" || fail "not 50 vrings"
	bad=$(jq -c 'select(.verdict.id != "D13" and .verdict.id != "moving")' out)
	[ -z "$bad" ] || fail "a healthy vring: $bad"
	[ "$status" -eq 0 ] || fail "status $status"
done
