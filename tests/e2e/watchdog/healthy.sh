#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Vrings that work or have nothing to do are no stalls, however short the time is that is given: busy and
# idle ones, split and packed, with and without event indexes, by polling, with slow requests; and the
# proxy does with them what it does without looking.
. "$(dirname "$0")/lib.sh"

# A case: $1 are the back-end's options, $2 the front-end's, $3 the proxy's.
case_is() {
	# shellcheck disable=SC2086 # options are several words
	back $1
	# shellcheck disable=SC2086
	proxy --stall 200ms --snapshot-at-end ${3-}
	# shellcheck disable=SC2086
	"$front_end" $2 front.sock >out 2>err || fail "case '$1' '$2': the front-end fails: $(cat err)"
	stage_end proxy TERM
	! grep ': stall: ' proxy.log || fail "case '$1' '$2': a false stall"
	[ -z "$(snapshots | jq 'select(.verdict.hangs)')" ] || fail "case '$1' '$2': a hang at the end"
	all_out
}

for packed in '' --packed; do
	for events in '' --event-idx; do
		case_is '--device blk' "--device blk --queues 4 --depth 16 --duration 1s $packed $events"
		case_is '--device blk' "--device blk --queues 4 --rate 4 --duration 2s $packed $events" \
			--interpose-eventfds
	done
	case_is '--device blk' "--device blk --poll --rate 3 --duration 2s $packed"
	case_is '--device blk --delay 120ms' "--device blk --depth 4 --duration 1s $packed"
	case_is '--device rng' "--device rng --rate 2 --duration 2s $packed"
done
