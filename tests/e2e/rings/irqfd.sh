#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# If KVM reads the calls (irqfd), their counter is always 0 and no process polls them. vhu rings does not take
# that for calls that the front-end does not read (D6), and finds what hangs as with any other vring.
. "$(dirname "$0")/lib.sh"
[ -w /dev/kvm ] || { echo "lacks /dev/kvm"; exit 77; }

# Return whether requests of vring 0 have been done.
is_used() {
	rings -r vm.pcapng
	[ "$(jq '.used > 0' out)" = true ]
}

# A case: $1 is its name, $2 the back-end's options, $3 who is stopped or "", $4 the verdict.
case_is() {
	case_name=$1
	# shellcheck disable=SC2086 # options are several words
	back --device blk $2
	proxy
	stage_start front env "LD_PRELOAD=$programs/librings_irqfd.so" "$front_end" --timeout 100s --device blk \
		--operation read --requests 1000000 --rate 1000 --depth 4 --event-idx front.sock
	wait_for is_there
	[ -z "$3" ] || wait_for is_used
	# A back-end is stopped while it has nothing to do: else it may have read a kick already.
	[ -z "$3" ] || kill -STOP "$(stage_pid front)"
	[ "$3" != back ] || { sleep 0.3; kill -STOP "$(stage_pid back)"; kill -CONT "$(stage_pid front)"; }
	expect_by "$4" -r vm.pcapng
	# A call that nobody reads would count up.
	jq -e '.call.count == 0 and .call.poller != "level"' out >/dev/null ||
		fail "$case_name: KVM does not read the call: $(cat out)"
	all_out
}

case_is busy '' '' moving
case_is 'back-end stopped' '' back D3
case_is 'front-end stopped' '--delay 300ms' front D13,D5,D8
case_is 'slow' '--delay 99s' '' D4
