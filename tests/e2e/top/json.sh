#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu top --json writes an object a vring and look, whose rates are those of the load.
. "$(dirname "$0")/lib.sh"
. "$top/tests/lib/schemas.sh"

back --device blk
proxy p
load p
running() {
	"$vhu" top --json --count 1 --delay 200ms -s p.ctl >out 2>err &&
		jq -se 'length == 2 and .[0].state == "runs" and .[0].p50_ns != null' out
}
wait_for running
"$vhu" top --json --count 3 --delay 500ms -s p.ctl --sort vring >out 2>err || fail "status $?"
[ ! -s err ] || fail 'something is said beside'
jq -se 'length == 6 and [.[].vring] == [0, 1, 0, 1, 0, 1] and (map(.time_ns) | unique | length) == 3' \
	out >told || fail 'not three looks at two vrings'
jq -se --argjson pid "$(stage_pid back)" --argjson front "$(stage_pid front_p)" 'all(.source == "p.ctl" and .session == 1 and
	.front_end == {path: "p.sock", pid: $front, comm: "vhu-sample-fron"} and .device == "BLOCK" and .back_end.pid == $pid and
	.back_end.comm == "vhu-sample-back" and (.back_end.cpu_percent | type) == "number" and
	.messages_per_s == 0 and (.waiting | type) == "number")' out >told || fail 'something is missing'
jq -se 'map(select(.p50_ns)) | length >= 1 and all( .p50_ns > 0 and .p50_ns <= .p99_ns and .p99_ns <= .max_ns)' out >told ||
	fail 'no times, or not in order'

schemas_fit out >told || fail "$(cat told)"

# Kicks and calls are those that the proxy counts meanwhile, whatever the machine's load is.
total() {
	"$vhu" ctl -s p.ctl --json sessions | jq '[.sessions[0].interposed[].kick.signals] | add'
}
began=$(date +%s%N) before=$(total)
"$vhu" top --json --count 10 --delay 300ms -s p.ctl >out
after=$(total) ended=$(date +%s%N)
jq -se --argjson rate "$(awk "BEGIN { print ($after - $before) * 1e9 / ($ended - $began) }")" '
	([.[].kicks_per_s] | add / 10) as $shown | $shown > $rate / 2 and $shown < $rate * 2' out >told ||
	fail "$(jq -s '[.[].kicks_per_s] | add / 10' out) kicks a second, not about \
$((after - before)) in $((ended - began)) ns"

# A filter; a reader that leaves.
"$vhu" top --json --count 1 --delay 100ms --filter nosuch -s p.ctl >out
[ ! -s out ] || fail 'the filter lets something pass'
"$vhu" top --json --delay 100ms -s p.ctl 2>err | head -n 1 >out
[ -s out ] || fail 'nothing is written'

# A signal ends it well.
rm out
"$vhu" top --json --delay 100ms -s p.ctl >out 2>err &
pid=$!
wait_for test -s out
kill "$pid"
status=0
wait "$pid" || status=$?
[ "$status" = 0 ] || fail "status $status after SIGTERM"
