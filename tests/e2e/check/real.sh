#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU and a real storage daemon: vhu check finds no error in what they say to each other, the
# same in a file and in a pipe, and the differences between two such pairs.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open

# Capture a session with $2 queues, set up and reset $3 times, as $1; $4 is one more option.
capture()
{
	got=0
	"$programs/qemu_session" --via "$vhu" --capture "$1" --queues "$2" --rounds "$3" ${4-} \
		>session.log 2>&1 || got=$?
	[ "$got" = 0 ] || { cat session.log; exit "$got"; }
}

capture one 1 2
capture two 2 1

"$vhu" check --severity error one two >out 2>err || fail "errors in a real session: $(cat out err)"
[ ! -s out ] || fail "no error and yet: $(cat out)"
messages=$("$vhu" dump --json one | jq -s 'map(select(.type == "message")) | length')
messages=$((messages + $("$vhu" dump --json two | jq -s 'map(select(.type == "message")) | length')))
[ "$messages" -gt 60 ] || fail "only $messages messages"
[ "$(cat err)" = "no findings in 2 files, 2 sessions, $messages messages" ] || fail "summary: $(cat err)"

# A session that ends in order has no cause; the order of both outputs is that of what happens.
"$vhu" check --severity info one >out 2>err || [ $? = 1 ] || fail "$(cat err)"
grep "likeliest cause" out && fail "a session that ended in order ended badly"
"$vhu" check --severity info - <one >pipe 2>err || [ $? = 1 ] || fail "$(cat err)"
sed 's/^-:/one:/' pipe | diff out - || fail "a pipe is not read as a file is"

# Live: the proxy writes into a pipe, and check ends when it ends.
mkfifo pipe.pcapng
"$vhu" check --severity info - <pipe.pcapng >live 2>live.err &
pid=$!
capture pipe.pcapng 1 1
wait "$pid" || [ $? = 1 ] || fail "live: $(cat live.err)"
tail -n 1 live.err | grep -q "in 1 session, [1-9][0-9]* messages$" || fail "live: $(cat live.err)"

# A question of QEMU's monitor for a vring's state stops the vring, whether others run on or not; no
# other session has the finding.
grep V329 out live && fail "a device that was stopped is taken for one that was asked"
for queues in 1 2; do
	capture asked "$queues" 1 --query
	"$vhu" check asked >out 2>err || [ $? = 1 ] || fail "$(cat err)"
	grep -q "warning V329 stopped-in-use: .* stopped vring 0" out || fail "$queues queues: $(cat out)"
done

# Two queues are more than one, and the configuration space says so too.
"$vhu" check --compare --rule sessions-differ one two >out 2>err || [ $? = 1 ] || fail "$(cat err)"
grep -q "two:[0-9]*: warning V621 sessions-differ: the number of queues is 2; session 1 of one (message [0-9]*) had 1 (session 1)$" out ||
	fail "the number of queues was not told: $(cat out)"
grep -q "V621 sessions-differ: in the configuration Num queues is 2; session 1 of one (message [0-9]*) had 1 " out ||
	fail "the configuration was not told: $(cat out)"
capture same 1 1
"$vhu" check --compare --rule sessions-differ one same >out 2>err || fail "they do not differ: $(cat out err)"
echo "$messages messages"
