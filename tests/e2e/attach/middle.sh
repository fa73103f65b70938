#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach to a session that runs: the capture says that it began before, has the channel inside,
# breaks no rule by what came earlier, and holds nothing of the monitors of the same processes.
#
#	sh middle.sh pid|socket|all
. "$(dirname "$0")/lib.sh"
how=$1
need qemu-system-x86_64

truncate -s 16M disk.img
back "$back_end" --device blk --blk-file=disk.img --queues 2 --socket-path="$work/back"
backend=$(stage_pid back)
stage_start session "$programs/qemu_session" --front "$work/back" --rounds 2 --until "$work/go"
# QEMU has memory that it shares, and its vrings run.
shared() {
	"$vhu" attach --list --json >list.json 2>list.log || no_probes "$(cat list.log)"
	jq -se --argjson pid "$backend" 'any(.back_end.pid == $pid)' list.json
}
wait_for shared
case $how in
pid) attach --pid "$backend" -w it.pcapng ;;
socket) attach --socket "$work/back" -w it.pcapng ;;
all) attach --all -w it.pcapng ;;
esac

# The first that is said is on the channel inside.
truncate -s 32M disk.img
kill -HUP "$backend"
if [ "$how" != socket ]; then
	said() {
		"$vhu" dump it.pcapng | grep -q BACKEND_CONFIG_CHANGE_MSG
	}
	wait_for said
fi
touch go
stage_end session || fail "the session: $?"
closed() {
	"$vhu" dump it.pcapng | grep -q "session closed: front-end closed"
}
wait_for closed
detach

# Others' sessions may be there, too.
"$vhu" dump --json it.pcapng >all.json
jq -c --argjson pid "$backend" -s '(map(select(.type == "opened" and .back_end.pid? == $pid)) | .[0].session) as $it
	| map(select(.session == $it)) | .[]' all.json >dump.json
jq -se 'map(select(.type == "opened" and .channel == "front-end")) | length == 1 and (.[0].marks | index("begun"))
	and .[0].front_end.comm == "qemu-system-x86" and .[0].back_end.comm == "vhu-sample-back"' dump.json >/dev/null ||
	fail "no session is opened as one that began before: $(head -n 2 dump.json)"
jq -se 'map(select(.message == "SET_VRING_KICK" and .fds[0].kind == "eventfd")) | length >= 2' dump.json >/dev/null ||
	fail "not all messages are there"
[ "$how" = all ] || {
	"$vhu" check it.pcapng >check.log || :
	grep -E 'error|V216|V317|V210|V510' check.log && fail "what came earlier is held against the session"
}
# The driver speaks to QEMU on sockets of its own all the time.
! grep -a -q -E 'writeq|writel|readw|QMP' it.pcapng || fail "a monitor was recorded"
echo "$(grep -c '"type":"message"' dump.json) messages"
