#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings says why a vring hangs: the sample back-end with one defect after the other, stopped, slow;
# the sample front-end stopped; split and packed vrings; alternatives are listed.
. "$(dirname "$0")/lib.sh"

# A case: $1 is its name, $2 the back-end's options, $3 the front-end's, $4 the verdict.
case_is() {
	case_name=$1
	# shellcheck disable=SC2086 # options are several words
	back $2
	proxy
	# shellcheck disable=SC2086
	front $3
	expect "$4"
	all_out
}

without='--without INFLIGHT_SHMFD'
for packed in '' --packed; do
	rng="--device rng --requests 100000 $packed"
	blk="--device blk --operation read --requests 100000 $packed"

	case_is "kick swallowed, seen by the in-flight area $packed" \
		'--device blk --fault lose-kick:1/9' "$blk" D1,D20
	case_is "kick swallowed, with event indexes $packed" \
		"--device blk $without --fault lose-kick:1/9" "$blk --event-idx" D1,D4,D20
	case_is "kick swallowed, nothing shows it $packed" \
		"--device blk $without --fault lose-kick:1/9" "$blk" D1,D4,D20
	case_is "notification not re-armed $packed" \
		'--device blk --fault stale-event:1/2' "$blk --event-idx --depth 2" D2
	case_is "slow $packed" '--device blk --delay 99s' "$blk" D4
	case_is "slow, with event indexes $packed" "--device blk --delay 99s $without" \
		"$blk --event-idx" D4
	case_is "slow, nothing shows it $packed" "--device blk --delay 99s $without" "$blk" \
		D1,D4,D20,D2b
	case_is "call lost $packed" '--device rng --fault lose-call:1/9' "$rng --event-idx" D13,D5,D8
done

case_is 'no vring yet, and no answer' '--device blk --fault late-reply:GET_PROTOCOL_FEATURES:60s' \
	'--device blk --operation read' D14
case_is 'kick never read' '--device rng --fault unread-kick' \
	'--device rng --requests 100000 --rate 50' D16
[ "$(jq -r .verdict.text out | grep -o 'never reads the kick' | wc -l)" -eq 0 ] ||
	fail "the text says what the title says: $(jq -r .verdict.text out)"
case_is 'in-flight area without requests' '--device blk --delay 99s --fault no-inflight' \
	'--device blk --operation read --event-idx' D12

# Stop a party when requests have been done: $1 is which, the others are as those of case_is.
stopped() {
	case_name=$2
	# shellcheck disable=SC2086
	back $3
	proxy
	# shellcheck disable=SC2086
	front $4
	wait_for is_used
	# A back-end is stopped while it has nothing to do: else it may have read a kick already.
	[ "$1" = front ] || kill -STOP "$(stage_pid front)"
	[ "$1" = front ] || sleep 0.3
	kill -STOP "$(stage_pid "$1")"
	[ "$1" = front ] || kill -CONT "$(stage_pid front)"
	expect "$5"
	all_out
}

# Return whether a request of vring 0 has been done.
is_used() {
	rings -r vm.pcapng
	[ "$(jq '.used > 0 or .used_wrap == false' out)" = true ]
}

for packed in '' --packed; do
	stopped back "back-end stopped $packed" '--device blk' \
		"--device blk --operation read --requests 100000 $packed" D3
	stopped back "polling back-end stopped $packed" '--device blk' \
		"--device blk --operation read --requests 100000 --poll $packed" D15
	stopped front "front-end stopped $packed" '--device blk --delay 300ms' \
		"--device blk --operation read --requests 100000 --depth 4 $packed" D6
done

# A front-end that is stopped leaves its vrings idle: the answer says why nothing goes on.
case_name='front-end stopped while nothing waits'
back --device blk
proxy
front --device blk --operation read --rate 2
wait_for is_used
is_idle_and_stopped() {
	kill -CONT "$(stage_pid front)"
	sleep 0.1
	kill -STOP "$(stage_pid front)"
	rings -r vm.pcapng
	jq -e --arg pid "$(stage_pid front)" '.verdict | .id == "D13" and (.advice | contains("kill -CONT")) and
		(.text | contains("the front-end (pid " + $pid + ") is stopped by a signal (T)"))' out
}
wait_for is_idle_and_stopped
"$vhu" rings -r vm.pcapng | grep -q '^  to do: let it continue (`kill -CONT PID`)' ||
	fail "$case_name: does not say what to do: $("$vhu" rings -r vm.pcapng)"
all_out
