#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A request that waits while its capture is still being written has waited until now, also where the
# capture is followed; in a capture without a writer it has waited until the last record.
. "$(dirname "$0")/../../lib/common.sh"
work_open
parts=$top/tests/rules/parts

# Check that vhu check, with the arguments $2..., ends with status $1.
check()
{
	want=$1 got=0
	shift
	"$vhu" check "$@" >out 2>err || got=$?
	[ "$got" = "$want" ] || fail "vhu check $*: status $got: $(cat out err)"
}

cat >hang.scn <<EOT
include $parts/start.inc
> SET_VRING_CALL vring=0 fd=eventfd:30
> GET_VRING_BASE vring=0
EOT
"$programs/scenario" hang.scn capture

# Nobody writes it.
check 1 capture
grep "V402" out && fail "waited until now in a capture without a writer: $(cat out)"
grep -q "did not answer GET_VRING_BASE vring 0 (19), and there the capture ends" out ||
	fail "no request that is open: $(cat out)"

# Somebody does.
exec 3>>capture
check 1 capture
grep -q "capture:19: error V402 no-reply: GET_VRING_BASE, message 19, not answered for [0-9.]* s so far; " out ||
	fail "no hang in progress: $(cat out)"
grep -q "did not answer GET_VRING_BASE vring 0 (19) for [0-9.]* s so far; this message breaks no rule: " out ||
	fail "no cause: $(cat out)"
grep -q "^1 error, 1 warning; 1 session hangs, in 1 session, 18 messages$" err || fail "$(cat err)"
check 0 --exit-zero capture

# Followed, the file is as open as before. What was said last is not taken for what is said now.
rm out err
"$vhu" check -f capture >out 2>err &
pid=$!
jobs=$pid
await 'grep -qs V303 out' "what was there is read"
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[ "$got" = 1 ] || fail "followed: status $got: $(cat out err)"
grep -q "V402 .* so far" out || fail "followed, no hang in progress: $(cat out)"

# A session without waiting requests has no findings.
echo "include $parts/start.inc" >runs.scn
"$programs/scenario" runs.scn runs
exec 3>>runs
check 0 runs
[ ! -s out ] || fail "a session that runs: $(cat out)"
