#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fault that the sample back-end can be asked for is one that the sample front-end finds: it
# says in one line what is wrong, or goes on where that is no harm. It never waits for ever.
. "$(dirname "$0")/../../lib/common.sh"
work_open

back_options='' front_options=''

# Start a back-end with the fault $1, and drive it. Returns the front-end's status; what it says is
# in $stage/front.log.
drive() {
	# shellcheck disable=SC2086 # options are several words
	stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 8 \
		"--socket-path=$stage/back.sock" --fault "$1" $back_options
	stage_listens back "$stage/back.sock"
	status=0
	# shellcheck disable=SC2086
	timeout 100 "$build/bin/vhu-sample-frontend" "$stage/back.sock" --depth 4 --requests 100 \
		--timeout 60s $front_options >"$stage/front.out" 2>"$stage/front.log" || status=$?
	stage_end back TERM || fail "$1: the back-end ended with status $?"
	return "$status"
}

# With the fault $1 the front-end must fail and say $2, in one line.
finds() {
	status=0
	drive "$1" || status=$?
	[ "$status" -eq 1 ] || fail "$1: the front-end ended with status $status"
	[ "$(wc -l <"$stage/front.log")" -eq 1 ] || fail "$1: not one line"
	grep -q "$2" "$stage/front.log" || fail "$1: does not say '$2'"
	found=$((found + 1))
}

# With the fault $1 the front-end must wait until its timeout, and then
# say $2 in one line, when waited_for looks. They all wait at the same time, longer than any other
# answer takes.
waits_for() {
	waiting=$((waiting + 1))
	# shellcheck disable=SC2086 # options are several words
	stage_start "back$waiting" "$build/bin/vhu-sample-backend" --device blk --memory 8 \
		"--socket-path=$stage/back$waiting.sock" --fault "$1" $back_options
	stage_listens "back$waiting" "$stage/back$waiting.sock"
	# shellcheck disable=SC2086
	stage_start "front$waiting" timeout 100 "$build/bin/vhu-sample-frontend" --depth 4 \
		--requests 100 --timeout 3s $front_options "$stage/back$waiting.sock"
	echo "$1 $2" >"$stage/wanted$waiting"
}
waiting=0
waited_for() {
	for turn in $(seq "$waiting"); do
		read -r fault text <"$stage/wanted$turn"
		status=0
		stage_end "front$turn" || status=$?
		[ "$status" -eq 1 ] || fail "$fault: the front-end ended with status $status"
		[ "$(wc -l <"$stage/front$turn.log")" -eq 1 ] || fail "$fault: not one line"
		grep -q "$text" "$stage/front$turn.log" || fail "$fault: does not say '$text'"
		stage_end "back$turn" TERM || fail "$fault: the back-end ended with status $?"
		found=$((found + 1))
	done
}

# The fault $1 does no harm.
bears() {
	drive "$1" || fail "$1: the front-end ended with status $?"
	found=$((found + 1))
}
found=0

waits_for drop-reply:GET_FEATURES 'GET_FEATURES: no reply within 3 s$'
waits_for drop-reply:SET_VRING_NUM 'SET_VRING_NUM: no reply within 3 s$'
waits_for drop-reply:GET_VRING_BASE 'GET_VRING_BASE: no reply within 3 s$'
waits_for late-reply:GET_CONFIG:6s 'GET_CONFIG: no reply within 3 s$'
waits_for lose-kick 'it was kicked and has not done them$'
# A back-end that takes its time, or the front-end might have looked before it needs a call.
back_options='--delay 2ms'
waits_for lose-call 'it has done some of them and does not call$'
front_options='--packed --event-idx'
waits_for lose-call 'it has done some of them and does not call$'
# Whoever drives one request after another finds each one; else the next call helps.
front_options='--depth 1'
waits_for lose-call:1/50 'it has done some of them and does not call$'
back_options='' front_options=''

finds wrong-size:GET_QUEUE_NUM 'GET_QUEUE_NUM: the reply has 12 bytes, not 8$'
finds wrong-size:GET_BACKEND_SPECS 'GET_BACKEND_SPECS: the reply has 20 bytes, not 16$'
finds wrong-id:GET_PROTOCOL_FEATURES 'GET_PROTOCOL_FEATURES: answered by message 16,'
finds extra-reply:SET_OWNER 'SET_BACKEND_REQ_FD: answered by message 3,'
finds nack:SET_FEATURES 'SET_FEATURES: refused by the back-end$'
finds nack:GET_CONFIG 'does not tell its configuration$'
finds nack:GET_INFLIGHT_FD 'GET_INFLIGHT_FD: the back-end closed the connection$'
for message in GET_FEATURES GET_BACKEND_SPECS SET_VRING_KICK GET_VRING_BASE; do
	finds "close-at:$message" "$message: the back-end closed the connection$"
done
finds bad-id 'gives back [0-9]*, which it does not have$'
front_options=--packed
finds bad-id 'gives back [0-9]*, which it does not have$'
front_options=''

bears late-reply:GET_FEATURES:20ms
bears late-call:2ms
bears extra-call
back_options='--delay 1ms'
bears reorder:1/3
back_options=''
waited_for

# What is said of the vrings is for others to judge; it is said.
stage_start specs "$build/bin/vhu-sample-backend" --fault max-vqs-below-min \
	"--socket-path=$stage/specs.sock"
stage_listens specs "$stage/specs.sock"
stage_start proxy "$vhu" proxy -q -w "$stage/specs.pcapng" "$stage/front.sock" \
	"$stage/specs.sock"
stage_listens proxy "$stage/front.sock"
"$build/bin/vhu-sample-frontend" "$stage/front.sock" >"$stage/front.out" 2>&1 ||
	fail "max-vqs-below-min: the front-end ended with status $?"
stage_end proxy TERM || fail "vhu proxy ended with status $?"
stage_end specs TERM || fail "the back-end ended with status $?"
"$vhu" dump "$stage/specs.pcapng" | grep -q 'GET_BACKEND_SPECS reply .*min vqs 2, max vqs 1' ||
	fail "max-vqs-below-min: is not said"

# Faults that there are not.
for bad in '' nothing drop-reply drop-reply:NOTHING late-call late-call:soon lose-call:2/3 extra-call:x; do
	status=0
	"$build/bin/vhu-sample-backend" --socket-path=none --fault "$bad" 2>"$stage/front.log" ||
		status=$?
	[ "$status" -eq 2 ] || fail "--fault '$bad': status $status"
	[ "$(wc -l <"$stage/front.log")" -eq 1 ] || fail "--fault '$bad': not one line"
done
echo "$found faults"
