#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU and a real storage daemon. The proxy hides features from them and alters their
# messages: they agree on what is left, and do their work; the capture says what was done.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
session=$programs/qemu_session

# Drive QEMU's disk through `vhu proxy` with the options that follow; what passed is in dump.json.
drive() {
	{
		echo '#!/bin/sh'
		echo 'command=$1; shift'
		printf 'exec "%s" "$command"' "$vhu"
		[ $# -eq 0 ] || printf " '%s'" "$@"
		echo ' "$@"'
	} >through
	chmod +x through
	status=0
	"$session" --via "$work/through" --capture capture.pcapng --rounds 1 >session.log 2>&1 ||
		status=$?
	[ "$status" -eq 0 ] || {
		cat session.log
		[ "$status" -eq 77 ] && exit 77
		fail "QEMU did not do its work with $*"
	}
	"$vhu" dump --json capture.pcapng >dump.json
	"$vhu" dump capture.pcapng >dump.txt
	"$vhu" check --severity error capture.pcapng >check.log 2>&1 || fail "vhu check: $(cat check.log)"
}

# Return whether a message of name $1 passed in direction $2 for which the jq condition $3 holds.
passed() {
	jq -es "any(.[] | select(.message == \"$1\" and .from == \"$2\"); $3)" dump.json >/dev/null
}

# The feature is there if nothing hides it: else hiding it would show nothing.
drive
passed ADD_MEM_REG front-end true || fail "QEMU adds no regions one by one"
passed GET_PROTOCOL_FEATURES back-end '.payload.protocol_features_names | index("CONFIGURE_MEM_SLOTS")' ||
	fail "the storage daemon does not offer CONFIGURE_MEM_SLOTS"
passed SET_FEATURES front-end '.payload.features_names | index("DISCARD")' ||
	fail "QEMU does not set DISCARD"
! grep -q altered dump.txt || fail "something was altered"

drive --mask protocol:CONFIGURE_MEM_SLOTS --mask virtio:DISCARD
passed ADD_MEM_REG front-end true && fail "regions are still added one by one"
passed SET_MEM_TABLE front-end true || fail "no table of memory was set"
passed SET_PROTOCOL_FEATURES front-end '.payload.protocol_features_names | index("CONFIGURE_MEM_SLOTS")' &&
	fail "CONFIGURE_MEM_SLOTS was set"
passed SET_FEATURES front-end '.payload.features_names | index("DISCARD")' &&
	fail "DISCARD was set"
grep -q 'GET_PROTOCOL_FEATURES reply .*mask: protocol_features without CONFIGURE_MEM_SLOTS' \
	dump.txt || fail "the capture does not say what was hidden: $(grep altered dump.txt)"

# Late, in pieces, and asked to be acknowledged: the disk works all the same. No QEMU itself asks for
# an acknowledgement of SET_VRING_NUM; QEMU 11 does of SET_VRING_KICK.
drive --fault 'front SET_VRING_CALL: delay 5ms' --fault 'SET_VRING_ADDR: split 12 pause 1ms' \
	--fault 'SET_VRING_NUM: need-reply'
for what in 'SET_VRING_CALL .*fault 1: delayed 5.00 ms' 'SET_VRING_ADDR .*fault 2: split at 12' \
	'SET_VRING_NUM .*fault 3: NEED_REPLY set' 'SET_VRING_NUM reply .*fault 3: kept back'; do
	grep -q "$what" dump.txt || fail "no $what in: $(grep altered dump.txt)"
done
echo "QEMU works with what is left: $(grep -c altered dump.txt) messages were altered last"
