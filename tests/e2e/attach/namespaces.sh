#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A back-end in pid and mount namespaces of its own, as in a container: vhu attach finds its socket through
# /proc/PID/root, lists the connection with its device, and says who is at both ends.
. "$(dirname "$0")/lib.sh"
need unshare

mkdir inside
unshare --pid --mount --fork --kill-child true 2>err || {
	echo "lacks rights to make namespaces: $(cat err)"
	exit 77
}
# shellcheck disable=SC2016 # the inner shell's
stage_start back unshare --pid --mount --fork --kill-child sh -c \
	'mount -t tmpfs none "$1" && exec "$2" --device blk --memory 8 --socket-path="$1/back"' sh "$work/inside" "$back_end"
# The only child, by the host's number.
child() {
	pid=$(cat "/proc/$(stage_pid back)/task/$(stage_pid back)/children")
	pid=${pid% }
	[ -n "$pid" ] && [ -S "/proc/$pid/root$work/inside/back" ]
}
wait_for child
child
[ ! -e inside/back ] || fail "the socket is not in a mount namespace of its own"
socket=/proc/$pid/root$work/inside/back
attach --socket "$socket" -w it.pcapng
stage_start front "$front_end" --device blk --rate 50 --duration 600s "$socket"
listed() {
	"$vhu" attach --list --json | jq -se "map(select(.back_end.pid == $pid)) | length == 1 and .[0].device == \"blk\"
		and .[0].age_at_most_ns < 600e9 and .[0].back_end.comm == \"vhu-sample-back\""
}
wait_for listed
"$vhu" attach --list | grep -q "vhu-sample-back ($pid)  *blk  *[0-9]* s  *$work/inside/back" ||
	fail "the table lacks the connection: $("$vhu" attach --list)"
stage_end front TERM || :
wait_for holds it.pcapng 'any(.type == "closed" and .channel == "front-end")'
detach
holds it.pcapng "map(select(.type == \"opened\")) | .[0].back_end.pid == $pid and .[0].back_end.comm == \"vhu-sample-back\"
	and .[0].front_end.comm == \"vhu-sample-fron\"" >/dev/null ||
	fail "the opened record lacks a side: $("$vhu" dump --json it.pcapng | grep '"opened"')"
