#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What stalls is said once, with its cause, and recorded: vrings that hang, requests without a reply,
# what the proxy's own faults bring about.
. "$(dirname "$0")/lib.sh"

# A case: $1 is its name, $2 the back-end's options, $3 the proxy's, $4 the front-end's, $5 what is said,
# $6 an expression that holds for the snapshot of vring 0; without $6 there must be no snapshot. With $7 the party
# of that name is stopped once the vring is there.
case_is() {
	# shellcheck disable=SC2086 # options are several words
	back $2
	eval "proxy --control ctl.sock --stall 500ms $3"
	# shellcheck disable=SC2086
	front $4
	if [ -n "${7-}" ]; then
		wait_for works
		kill -STOP "$(stage_pid "$7")"
	fi
	wait_for stalls 1
	grep -q ": stall: $5" proxy.log || fail "$1: not said: $5"
	if [ -n "${6-}" ]; then
		snapshots >out
		jq -se "length == 1 and (.[0] | .session == 1 and .vring == 0 and .reason == \"stall\" and
			.verdict.hangs and ($6))" out >/dev/null || fail "$1: not the snapshot: $6"
	elif [ -n "$(snapshots)" ]; then
		fail "$1: a snapshot without a vring"
	fi
	kill -CONT "$(stage_pid back)"
	all_out
}

blk='--device blk --operation read --requests 100000000'
for packed in '' --packed; do
	case_is "back-end stopped $packed" '--device blk' '' "$blk --rate 20 $packed" \
		'vring 0: .* wait.*, the kick counter is [1-9].*is stopped by a signal (T): .* (D3)$' \
		'.verdict.id == "D3" and .kick.count > 0 and .back_end.state == "T" and .waiting > 0 and
			(.requests | length) > 0 and (.requests[0].header | startswith("virtio-blk request: type IN"))' \
		back
	case_is "back-end slow $packed" '--device blk --delay 99s' '' "$blk $packed" \
		'vring 0: .* (D4)$' '.verdict.id == "D4" and .in_flight > 0 and .requests[0].taken' ''
	case_is "back-end stopped behind an IOMMU $packed" '--device blk --offer ACCESS_PLATFORM' '' \
		"$blk --rate 20 --iommu $packed" \
		'vring 0: .* wait.*, the kick counter is [1-9].*is stopped by a signal (T): .* (D3)$' \
		'.verdict.id == "D3" and .waiting > 0 and
			(.requests[0].header | startswith("virtio-blk request: type IN"))' \
		back
	case_is "notification not re-armed $packed" '--device blk --fault stale-event:1/2' '' \
		"$blk $packed --event-idx --depth 2" 'vring 0: .* (D2)$' '.verdict.id == "D2"' ''
	case_is "back-end does not call $packed" '--device rng --fault lose-call' \
		'--interpose-eventfds' "--device rng --requests 100000000 --event-idx $packed" \
		'vring 0: .*, the driver wanted a call and there was none: .* (D5)$' \
		'.waiting == 0' ''
	case_is "one call is missing $packed" '--device blk --fault lose-call:1/90' \
		'--interpose-eventfds' "$blk --rate 300 $packed" \
		'vring 0: .*: the back-end did not call (D5)$' \
		'.waiting == 0' ''
	case_is "call lost by a fault $packed" '--device blk' "--fault 'call nth=20..: lose'" "$blk $packed" \
		'vring 0: all is used up to [0-9]*: fault 1 of the proxy lost the last call (D6)$' \
		'.verdict.id == "D6" and .verdict.title == "fault 1 of the proxy lost the last call"' ''
	case_is "kick lost by a fault $packed" '--device blk' "--fault 'kick nth=20..: lose'" "$blk $packed" \
		'vring 0: .* wait.*: fault 1 of the proxy lost the last kick (D1)$' \
		'.verdict.id == "D1" and .waiting > 0' ''
done
case_is 'front-end stopped' '--device blk --delay 300ms' '' "$blk --depth 4" \
	'vring 0: the call counter is [1-9].*, the front-end (pid [0-9]*) is stopped by a signal (T): .* (D6)$' \
	'.verdict.id == "D6" and .call.count > 0' front
case_is 'reply that does not come' '--device blk --fault late-reply:GET_FEATURES:99s' '' "$blk" \
	'the back-end has not answered GET_FEATURES for [0-9.]* .*s (pid [0-9]*, state [A-Z]) (D14)$' '' ''
case_is 'reply dropped by a fault' '--device blk' "--fault 'back GET_CONFIG: drop'" "$blk" \
	'the back-end has not answered GET_CONFIG for .*, because a fault of the proxy kept its reply back .* (D14)$' '' ''
