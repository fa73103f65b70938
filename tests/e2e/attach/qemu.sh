#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Of a session that began before, QEMU's monitor tells features, memory and vrings, which are recorded
# as reconstructed; --refresh stops QEMU and lets it go on, and the vrings' set-up is captured.
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64

back "$back_end" --device blk --memory 8 --queues 2 --socket-path="$work/back"
mkfifo qemu.in
stage_start front sh -c "exec '$programs/qemu_hung' idle '$work/back' . <qemu.in"
exec 3>qemu.in
wait_for test -e ready
monitor=$(cat ready)
# Nothing is said by this QEMU now: all that is known is reconstructed.
attach --pid "$(cat pid)" --qmp "$monitor" -w past.pcapng
wait_for holds past.pcapng 'any(.message == "SET_VRING_ADDR")'
detach
holds past.pcapng 'map(select(.type == "message")) | length >= 6
	and all(.marks | index("reconstructed") and index("earlier"))
	and any(.message == "SET_FEATURES" and (.payload.features_names // [] | length) > 3)
	and any(.message == "ADD_MEM_REG" and .fds[0].kind == "memfd")
	and (map(select(.message == "SET_VRING_NUM")) | length) == 2' >/dev/null ||
	fail "not all is reconstructed: $("$vhu" dump past.pcapng)"
"$vhu" check past.pcapng >check.log || :
! grep -q error check.log || fail "what is reconstructed is judged: $(cat check.log)"

# The state has what was reconstructed, and says what it does not know.
"$vhu" stats --json past.pcapng | jq -e '.not_seen == [] and (.memory | length) == 1 and (.vrings | length) == 2
	and all(.vrings[]; .size > 0 and (has("started") | not) and (.not_seen | index("started") and index("kick")))' >/dev/null ||
	fail "another state: $("$vhu" stats --json past.pcapng)"
"$vhu" stats past.pcapng >stats.log
grep -q '^  0 .* not seen' stats.log || fail "does not say that something was not seen: $(cat stats.log)"

# Nobody saw that the vrings were started: that does not make them stopped ones.
"$vhu" rings --json -r past.pcapng >rings.log || fail "vhu rings: status $?: $(cat rings.log)"
jq -se 'length == 2 and .[0].verdict.id == "D13" and all(.verdict.id != "D10" and (has("vring_state") | not))' \
	rings.log >/dev/null || fail "of a vring that nobody saw start: $(jq -c .verdict rings.log)"

# vhu latency says that such a capture does not name eventfds, and what does.
lacks='session 1 began before the capture, which does not name the eventfds of its vrings'
! "$vhu" latency -r past.pcapng 2>said.log || fail 'vhu latency finds eventfds'
grep -q "^vhu latency: past.pcapng: $lacks: .*--refresh.*vhu latency -p $(stage_pid back)" said.log ||
	fail "vhu latency: $(cat said.log)"
stage_start latency "$vhu" latency -r past.pcapng --stall 500ms --json --interval 0
wait_for grep -q "^vhu latency: $lacks" latency.log
stage_end latency INT || fail "vhu latency --stall: status $?"
! grep -q 'stall: ' latency.log || fail 'a vring that rests has stalled'

attach --pid "$(cat pid)" --qmp "$monitor" --refresh -w fresh.pcapng
wait_for holds fresh.pcapng 'map(select(.message == "SET_VRING_KICK")) | length >= 2'
detach
grep -q 'stops the virtual machine now' attach.log && grep -q 'goes on after' attach.log ||
	fail "it does not say that it stops the virtual machine"
# The same addresses, now captured.
places() {
	"$vhu" dump --json fresh.pcapng | jq -c "select(.message == \"SET_VRING_ADDR\" and
		(.marks // [] | index(\"reconstructed\")) $1) | .payload | del(.flags, .log)" | sort -u
}
[ -n "$(places '!= null')" ] || fail "nothing is reconstructed before"
[ "$(places '!= null')" = "$(places '== null')" ] || {
	places '!= null'
	places '== null'
	fail "QEMU's monitor has other addresses"
}
exec 3>&-
stage_end front || fail "qemu_hung ended with status $?"

# Of a vring that hangs the memory that the monitor names tells the cause, or which ones it may be.
stage_end back TERM || :
back "$back_end" --device blk --memory 8 --delay 99s --socket-path="$work/back"
rm -f ready qemu.in past.pcapng latency.log
mkfifo qemu.in
stage_start front sh -c "exec '$programs/qemu_hung' kick '$work/back' . <qemu.in"
exec 3>qemu.in
wait_for test -e ready
attach --pid "$(cat pid)" --qmp "$(cat ready)" -w past.pcapng
wait_for holds past.pcapng 'any(.message == "SET_VRING_ADDR")'
stage_start latency "$vhu" latency -r past.pcapng --stall 500ms --json --interval 0
wait_for grep -q "^vhu latency: $lacks" latency.log
wait_for grep -q 'session 1: stall: vring 0: 1 buffer waits .*(D4)' latency.log
stage_end latency INT || fail "vhu latency --stall of a vring that hangs: status $?"
detach
exec 3>&-
stage_end front || fail "qemu_hung ended with status $?"

status=0
"$vhu" attach --all --qmp "$work/nothing" -w nothing.pcapng 2>said.log || status=$?
[ "$status" -eq 1 ] && grep -q 'No such file' said.log || fail "status $status, said: $(cat said.log)"
"$vhu" dump nothing.pcapng >/dev/null || fail "no whole capture without a monitor"
