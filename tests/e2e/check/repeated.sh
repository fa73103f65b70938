#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sessions that end badly in the same way are one line with a count; others keep their own.
. "$(dirname "$0")/../../lib/common.sh"
work_open
parts=$top/tests/rules/parts

# Print a session, number $1, that is refused the size $2 after the time $3.
refused()
{
	cat <<EOT
session $1
include $parts/negotiate.inc
> SET_VRING_NUM vring=0 size=$2 need_reply
wait $3
< SET_VRING_NUM ack=1
wait $3
close front-end closed
EOT
}

{
	refused 1 1024 30us
	refused 2 1024 20ms
	refused 3 512 30us
	refused 4 1024 300ms
	printf 'session 5\nopen front=qemu\nerror b.sock: No such file or directory\n'
	printf 'close b.sock: No such file or directory\n'
	printf 'session 6\nopen front=qemu\nerror b.sock: No such file or directory (40 times)\n'
	printf 'close b.sock: No such file or directory (40 times)\n'
} >repeated.scn
"$programs/scenario" repeated.scn capture
"$vhu" check capture >out 2>err && fail "status 0"
grep "likeliest cause" out | sed 's/ (9) with.*//; s/ (20).*//; s/ (31).*//' >got
cat >expected <<'EOT'
capture: sessions 1 to 4, 3 times: likeliest cause: the back-end (device) refused SET_VRING_NUM vring 0, size 1024
capture: session 3: likeliest cause: the back-end (device) refused SET_VRING_NUM vring 0, size 512
capture: sessions 5 to 6, 41 times: likeliest cause: b.sock: No such file or directory
EOT
diff expected got || fail "other causes (>) than expected (<)"
grep -q "; 45 sessions ended badly, in 45 sessions, " err || fail "$(cat err)"
"$vhu" check --json capture 2>/dev/null >out || [ $? = 1 ]
grep -q '"session":1,"last_session":4,"times":3,"cause":"the back-end' out || fail "JSON: $(cat out)"
grep -q '"session":3,"cause":"the back-end' out || fail "JSON: $(cat out)"
for form in sarif junit; do
	"$vhu" check --$form capture 2>/dev/null >out || [ $? = 1 ]
	grep -q "sessions 5 to 6, 41 times: likeliest cause: b.sock" out || fail "$form: $(cat out)"
done

# So are findings: three sessions show one, those that follow are counted.
{
	for session in 1 2 3 4 5 6; do
		printf 'session %s\ninclude %s/negotiate.inc\n' $session "$parts"
		printf '> SET_VRING_ENABLE vring=0 enable=%s need_reply\nwait 30us\n' $((session == 5 ? 3 : 2))
		printf '< SET_VRING_ENABLE\nclose front-end closed\n'
	done
} >findings.scn
"$programs/scenario" findings.scn findings
"$vhu" check --rule V215 findings >out 2>err && fail "status 0"
two="warning V215 enable-value: vring 0 is enabled by 2, which is neither 0 nor 1"
cat >expected <<EOT
findings:9: $two (session 1)
findings:20: $two (session 2)
findings:31: $two (session 3)
findings:53: warning V215 enable-value: vring 0 is enabled by 3, which is neither 0 nor 1 (session 5)
findings: $two (as at 9, 2 times more in sessions 4 to 6)
EOT
diff expected out || fail "other findings (>) than expected (<)"
grep -q "^6 warnings in 6 sessions, " err || fail "not all are counted: $(cat err)"
"$vhu" check --json --rule V215 findings 2>/dev/null >out || [ $? = 1 ]
grep -q '"session":4,"rule":"V215",.*"as":9,"last_session":6,"times":2}$' out || fail "JSON: $(cat out)"
"$vhu" check --sarif --rule V215 findings 2>/dev/null >out || [ $? = 1 ]
[ "$(grep -o '"ruleId":"V215"' out | wc -l)" = 6 ] || fail "SARIF: not each finding is there"

# Read from a pipe each kind is shown at once, and those after it are counted.
"$vhu" check - <capture >out 2>/dev/null || [ $? = 1 ]
grep -q "^-: session 1: likeliest cause: .* size 1024" out || fail "pipe: $(cat out)"
grep -q "^-: sessions 2 to 4, 2 times: likeliest cause: .* size 1024" out || fail "pipe: $(cat out)"
grep -q "^-: session 6, 40 times: likeliest cause: b.sock: No such file or directory$" out ||
	fail "pipe: $(cat out)"
