#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# How sessions end that cannot begin, and those whose peer the proxy has started: the capture says so,
# and vhu check names it.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Drive the back-end behind front.sock, with the options $*.
drive() {
	"$build/bin/vhu-sample-frontend" --device blk "$@" "$work/front.sock"
}

# Wait until the capture $1 has $2 lines with the text $3.
await() {
	turn=0
	until [ "$("$vhu" dump "$1" 2>/dev/null | grep -c -- "$3")" -ge "$2" ]; do
		turn=$((turn + 1))
		[ "$turn" -lt 1200 ] || fail "$1 has no $2 lines with: $3"
		sleep 0.05
	done
}

step "A front-end comes again and again, and there is no back-end"
stage_start proxy "$vhu" proxy -w missing.pcapng "$work/front.sock" "$work/back.sock"
stage_listens proxy "$work/front.sock"
for turn in 1 2 3 4 5; do
	drive --requests 1 >front.log 2>&1 && fail "front-end $turn found a back-end"
done
stage_start disk "$build/bin/vhu-sample-backend" --device blk --memory 1 "--socket-path=$work/back.sock"
stage_listens disk "$work/back.sock"
drive --requests 1 >front.log 2>&1 || fail "no session once there is a back-end"
await missing.pcapng 3 "session closed"
stage_end proxy TERM || fail "the proxy failed"
"$vhu" dump missing.pcapng >out
[ "$(grep -c "session opened" out)" = 3 ] || fail "not three sessions"
[ "$(grep -c "session closed: .*: No such file or directory.* (4 times)" out)" = 1 ] ||
	fail "those after the first are not counted"
"$vhu" check missing.pcapng >out 2>err && fail "vhu check found nothing wrong"
grep -q "sessions 1 to 2, 5 times: likeliest cause: .*/back.sock: No such file or directory" out ||
	fail "vhu check does not count them"
grep -q "; 5 sessions ended badly, in 6 sessions, " err || fail "vhu check: other numbers"
[ "$(grep -c "No such file or directory" proxy.log)" = 2 ] || fail "each was said"

step "A back-end that the proxy has started is killed"
# shellcheck disable=SC2039 # {} is the proxy's
stage_start killer "$vhu" proxy -w killed.pcapng "$work/front.sock" -- \
	"$build/bin/vhu-sample-backend" --device blk --memory 1 --socket-path={}
stage_listens killer "$work/front.sock"
stage_start driver "$build/bin/vhu-sample-frontend" --device blk --duration 600s "$work/front.sock"
await killed.pcapng 1 "SET_VRING_ENABLE"
kill -KILL "$(cat "/proc/$(stage_pid killer)/task/$(stage_pid killer)/children")"
status=0
stage_end killer || status=$?
[ "$status" = 137 ] || fail "the proxy ends with $status, not as its command did"
"$vhu" check killed.pcapng >out 2>err && fail "vhu check found nothing wrong"
grep -q "likeliest cause: the back-end (vhu-sample-back) was killed by signal 9 (Killed).* while 1 vring ran" out ||
	fail "vhu check does not say what became of it"
