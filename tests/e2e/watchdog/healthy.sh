#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Vrings that work or have nothing to do are no stalls, however short the time is that is given: busy and
# idle ones, split and packed, with and without event indexes, by polling, with slow requests; and the
# proxy does with them what it does without looking.
. "$(dirname "$0")/lib.sh"

# Begin a case: $1 are the back-end's options, $2 the front-end's, $3 the proxy's.
begin() {
	case=$((case + 1))
	mkdir "$case"
	echo "'$1' '$2'" >"$case/options"
	# shellcheck disable=SC2086 # options are several words
	stage_start "back$case" "$back_end" --socket-path="$case/back.sock" $1
	stage_listens "back$case" "$case/back.sock"
	# shellcheck disable=SC2086
	stage_start "proxy$case" "$vhu" proxy -w "$case/vm.pcapng" --stall 200ms --snapshot-at-end ${3-} \
		"$case/front.sock" "$case/back.sock"
	stage_listens "proxy$case" "$case/front.sock"
	# shellcheck disable=SC2086
	stage_start "front$case" "$front_end" $2 "$case/front.sock"
}

# End the cases that were begun, and see that there was no stall.
end() {
	for case in $(seq "$((ended + 1))" "$case"); do
		name="case $(cat "$case/options")"
		stage_end "front$case" || fail "$name: the front-end fails"
		stage_end "proxy$case" TERM
		! grep ': stall: ' "proxy$case.log" || fail "$name: a false stall"
		! grep 'sandbox refused' "proxy$case.log" || fail 'the sandbox is too narrow'
		grep -q . "$case/vm.pcapng" || fail "$name: nothing is recorded"
		[ -z "$(snapshots "$case/vm.pcapng" | jq 'select(.verdict.hangs)')" ] || fail "$name: a hang at the end"
		stage_end "back$case" KILL || :
		ended=$case
	done
}

case=0 ended=0
for packed in '' --packed; do
	for events in '' --event-idx; do
		begin '--device blk' "--device blk --queues 4 --depth 16 --duration 1s $packed $events"
		end
	done
	begin '--device blk --delay 120ms' "--device blk --depth 4 --duration 1s $packed"
	end
done
# These rest for most of the time: all at once.
for packed in '' --packed; do
	for events in '' --event-idx; do
		begin '--device blk' "--device blk --queues 4 --rate 4 --duration 2s $packed $events" \
			--interpose-eventfds
	done
	begin '--device blk' "--device blk --poll --rate 3 --duration 2s $packed"
	begin '--device rng' "--device rng --rate 2 --duration 2s $packed"
done
end
