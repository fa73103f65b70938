#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A session of a real QEMU in files of a few kB: each can be read alone, by vhu and by Wireshark.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
session=$programs/qemu_session

. "$top/tests/e2e/proxy/capture_parts.sh"
. "$top/tests/lib/tshark.sh"

# What passes is recorded twice.
stage_start whole "$vhu" proxy -w whole.pcapng "$stage/middle" "$stage/back"
stage_listens whole "$stage/middle"
stage_start part "$vhu" proxy -w part.pcapng -b filesize:2 "$stage/front" "$stage/middle"
stage_listens part "$stage/front"
status=0
"$session" --front "$stage/front" --back "$stage/back" --rounds 3 || status=$?
[ "$status" -eq 0 ] || exit "$status"
stage_settles whole.pcapng
stage_end part TERM || fail "the proxy ended with status $?"
stage_end whole TERM || fail "the proxy ended with status $?"

parts_compare whole.pcapng part_*.pcapng
[ "$parts_number" -gt 4 ] || fail "there are only $parts_number files"
if vhu_tshark_lacks "$build"; then
	exit 77
fi
parts_tshark "$build" whole.pcapng >whole.shown || fail "tshark failed"
[ "$(wc -l <whole.shown)" -eq "$(wc -l <whole.messages)" ] ||
	fail "tshark shows $(wc -l <whole.shown) messages of $(wc -l <whole.messages)"
parts_tshark "$build" part_*.pcapng | diff whole.shown - >difference ||
	fail "tshark shows the parts otherwise: $(head -n 5 difference)"
# In the last file alone it knows what was agreed on, and where the ring lies. QEMU 11 may leave
# nothing for the very last one but the session's end.
last=
for part in part_*.pcapng; do
	"$vhu" dump --json "$part" | jq -en 'any(inputs;
		.type == "message" and .from == "front-end" and (.reply | not) and
		((.marks // []) | index("earlier") | not))' \
		>/dev/null && last=$part
done
[ -n "$last" ] || fail "no file has a request of its own"
vhu_tshark "$build" -r - -Y 'vhost_user.now.protocol_features && vhost_user.device == 2 &&
	vhost_user.marks.earlier == 0' <"$last" >shown || fail "tshark failed"
[ -s shown ] || fail "tshark knows no state in $last"
echo "$parts_number files of a real session can each be read alone"
