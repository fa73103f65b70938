#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency on a real QEMU and a real storage daemon, by the capture that vhu proxy is writing: vrings
# are followed through many starts and stops of the device, and what is written of single kicks and
# calls stands among the messages for vhu dump, mergecap and tshark.
. "$(dirname "$0")/../lib/common.sh"
need jq qemu-system-x86_64 qemu-storage-daemon
work_open
bin=$build/bin session=$programs/qemu_session

. "$top/tests/lib/tshark.sh"
. "$top/tests/lib/peers.sh"
chmod 755 "$work"

need_probes
"$vhu" proxy -w messages.pcapng front back 2>proxy.log &
proxy=$!
jobs="$jobs $proxy"
stage_hears $proxy front || fail "the proxy does not listen"
wait_for test -s messages.pcapng
"$vhu" latency -f -r messages.pcapng --json --cumulative --interval 100ms -w events.pcapng >told 2>tool.log &
tool=$!
jobs="$jobs $tool"
wait_for test -s told
rounds=25
"$session" --front "$work/front" --back "$work/back" --rounds $rounds || fail "the session: $?"
# The vrings ended with their session.
all_ended() {
	tail -n 1 told | jq -e '(.rings | length) == 2 and (.rings | all(.ended))'
}
wait_for all_ended
kill -INT $tool
wait $tool || fail "vhu latency: status $?"
tail -n 1 told >last
jq -c '.rings[] | [.vring, .eventfds, .unwatched_most_ns, .kicks, .wakes, .calls]' last

# Two requests a vring and round. QEMU starts a vring with a wake without a kick; in version 11
# both QEMU and its storage daemon kick a vring that starts. What came before an eventfd was watched is
# not counted: so there may be less, and never more.
kicks=2 wakes=3
if vhu_qemu_since 11 0; then
	kicks=4 wakes=4
fi
jq -e --argjson rounds $rounds --argjson kicks $kicks --argjson wakes $wakes '
	.dropped == 0 and (.rings | map(.vring) == [0, 1]) and
	(.rings | all(.session == 1 and .kicks > 0 and .kicks <= $kicks * $rounds and .calls > 0 and
		.wakes > 0 and .wakes <= $wakes * $rounds and
		.eventfds > 2 * ($rounds - 1) and
		.kick_to_call.count > 0 and .kick_to_call.count <= .kicks))' last >/dev/null ||
	fail "counts: $(cat last)"

# Each one of them was written.
"$vhu" dump --json events.pcapng >events.json || fail "vhu dump: status $?"
for act in kick wake call; do
	written=$(jq -s --arg act $act 'map(select(.event == $act)) | length' events.json)
	counted=$(jq --arg act ${act}s '[.rings[][$act]] | add' last)
	[ "$written" -eq "$counted" ] || fail "$written ${act}s written, $counted counted"
done
if ! command -v mergecap >/dev/null; then
	echo "without mergecap: install the package wireshark-common"
	exit 0
fi
mergecap -w both.pcapng messages.pcapng events.pcapng
"$vhu" dump both.pcapng >both.txt || fail "vhu dump: status $?"
# A kick after the message that told of its eventfd, and before the one that ended the vring.
awk '/ SET_VRING_KICK / { told = 1 } / kick/ && told { kicked = 1 }
	/GET_VRING_BASE/ && kicked { found = 1 } END { exit !found }' both.txt ||
	fail "kicks and messages are not in order: $(head -n 100 both.txt)"
vhu_tshark_lacks "$build" && exit 0
vhu_tshark "$build" -r both.pcapng -Y vhost_user.vring.kick_to_call -T fields -E separator=, \
	-e vhost_user.vring.kick_to_wake -e vhost_user.vring.wake_to_call \
	-e vhost_user.vring.kick_to_call >stages 2>tshark.log || fail "tshark: status $?"
counted=$(jq '[.rings[].kick_to_call.count] | add' last)
awk -F, -v counted="$counted" '$3 + 0 <= 0 || $3 < $1 || $3 < $2 { print "stages: " $0; bad = 1 }
	END { if (NR != counted) { print NR " calls in Wireshark, " counted " counted"; bad = 1 }
	exit bad }' stages || fail "tshark"
echo "$counted calls with their times in Wireshark"
