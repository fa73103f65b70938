#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu ctl metrics: promtool has nothing to say of them, they outlive sessions, their labels are escaped
# and stable, the alerts fire when they should, and by HTTP there is one answer to each request.
. "$(dirname "$0")/../../lib/common.sh"
need promtool jq
work_open
export VHU_CONTROL="$stage/control"

# Print the value of the sample $1.
value() {
	"$vhu" ctl metrics | sed -n "s/^$1 //p"
}
# See that the sample $1 becomes $2.
becomes() {
	await "[ \"\$(value '$1')\" = '$2' ]" "$1 is $2: it is $(value "$1")"
}

# A name with what a label must not hold as it is: a quote, a backslash, a newline, no UTF-8.
front=$(printf 'a"b\\c\nd\377.sock')
label='a\\"b\\\\c\\nd\xef\xbf\xbd.sock'
stage_start backend "$build/bin/vhu-sample-backend" --socket-path=back.sock
stage_listens backend back.sock
stage_start proxy "$vhu" proxy -q -w capture.pcapng --interpose-eventfds --control "$VHU_CONTROL" \
	--pair "$(printf %s "$front" | sed 's/\\/&&/')=back.sock" --pair idle.sock=absent.sock
stage_listens proxy idle.sock

"$vhu" ctl metrics >before
promtool check metrics <before >out 2>&1 || fail "promtool"
[ ! -s out ] || fail "promtool has something to say"
becomes 'vhu_pairs' 2
becomes 'vhu_sessions_opened_total{pair="idle.sock"}' 0

for turn in 1 2; do
	"$build/bin/vhu-sample-frontend" --requests 10 "$front" >out 2>err || fail "no session"
	becomes "vhu_sessions_ended_total{pair=\"$label\",reason=\"front-end closed\"}" "$turn"
done
"$vhu" ctl metrics >after
promtool check metrics <after >out 2>&1 && [ ! -s out ] || fail "promtool has something to say"
# What both sessions did is there together, though both are over.
becomes "vhu_sessions_open{pair=\"$label\"}" 0
becomes "vhu_messages_total{pair=\"$label\",channel=\"front-end\",message=\"SET_OWNER\",from=\"front-end\"}" 2
becomes "vhu_reply_seconds_count{pair=\"$label\",channel=\"front-end\",message=\"GET_FEATURES\"}" 2
kicks=$(value "vhu_kicks_total{pair=\"$label\",vring=\"0\"}")
calls=$(value "vhu_kick_to_call_seconds_bucket{pair=\"$label\",vring=\"0\",le=\"+Inf\"}")
[ "$kicks" -ge 2 ] && [ "$calls" -ge 2 ] || fail "kicks $kicks, kick to call $calls"
# As many records as the capture has.
records=$("$vhu" dump capture.pcapng | wc -l)
becomes vhu_capture_records_total "$records"
becomes vhu_capture_bytes_total "$(wc -c <capture.pcapng)"
# No label that a session's end would leave behind.
grep -q 'session="' after && fail "a label has a session's number"

# A side that is not there.
"$build/bin/vhu-sample-frontend" --requests 1 idle.sock >out 2>&1 && fail "a session without a back-end"
becomes 'vhu_sessions_failed_total{pair="idle.sock"}' 1
becomes 'vhu_sessions_opened_total{pair="idle.sock"}' 0

# A request that waits, and waits no more.
"$vhu" ctl faults add 'back GET_QUEUE_NUM: hold' >out || fail "no rule"
stage_start frontend "$build/bin/vhu-sample-frontend" --requests 10 "$front"
await "[ \"\$(value 'vhu_oldest_request_seconds{pair=\"$label\"}')\" != 0.000000 ]" "a request waits"
"$vhu" ctl faults release >out || fail "not released"
"$vhu" ctl faults clear >out
stage_end frontend || fail "the front-end ended with status $?"
becomes "vhu_oldest_request_seconds{pair=\"$label\"}" 0.000000

# Findings: those that vhu check has of the capture, by pair, at once and when a session ends.
stage_start checked "$vhu" proxy -q -w checked.pcapng --control "$stage/checked" --findings \
	--rule 'front SET_VRING_NUM session=1 nth=1: duplicate' \
	--rule 'back GET_QUEUE_NUM session=1 nth=1: delay 1200ms' \
	--pair checked.sock=back.sock --pair clean.sock=back.sock
stage_listens checked clean.sock
"$build/bin/vhu-sample-frontend" --requests 1 checked.sock >out 2>&1 && fail "a reply too many was taken"
"$build/bin/vhu-sample-frontend" --requests 1 clean.sock >out 2>&1 || fail "no session at clean.sock"
"$vhu" ctl -s "$stage/checked" metrics >found
promtool check metrics <found >out 2>&1 && [ ! -s out ] || fail "promtool has something to say"
stage_end checked TERM || fail "the proxy ended with status $?"
sed -n 's/^vhu_findings_total{pair="checked.sock",rule="\(.*\)",name="\(.*\)",severity="\(.*\)"} /\1 \2 \3 /p' found |
	grep -v ' info ' | sort >counted
"$vhu" check --json checked.pcapng | jq -r 'select(.type == "finding" and .session == 1) |
	"\(.rule) \(.name) \(.severity)"' | sort | uniq -c | awk '{ print $2, $3, $4, $1 }' >checked
[ -s checked ] && cmp -s counted checked || fail "counted: $(cat counted) of: $(cat checked)"
grep -q '^V404 late-reply warning 1$' counted || fail "the late reply is not there: $(cat counted)"
grep 'vhu_findings_total.*clean.sock' found | grep -v '"info"' && fail "a finding of the other session"
grep -q '^vhu_findings_total' after && fail "findings without --findings"
"$vhu" proxy --findings a.sock b.sock >out 2>&1 && fail "--findings without --control"

# By HTTP.
ask() {
	printf "$1" | "$vhu" ctl metrics --http >out 2>err || fail "$1: status $?"
	head -n 1 out | grep -q "^HTTP/1.0 $2" || fail "$1: not $2"
}
ask 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n' 200
grep -q '^Content-Type: text/plain; version=0.0.4' out || fail "another type"
length=$(sed -n 's/^Content-Length: \([0-9]*\).*/\1/p' out)
[ "$(sed '1,/^\r$/d' out | wc -c)" -eq "$length" ] || fail "another length"
ask 'GET /metrics?x=1 HTTP/1.0\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n' 200
[ "$(tail -n 1 out)" = '# EOF' ] || fail "OpenMetrics without its end"
ask 'GET / HTTP/1.1\r\n\r\n' 404
ask 'POST /metrics HTTP/1.1\r\n\r\n' 405
ask 'nonsense\r\n\r\n' 400
ask 'GET /metrics HTTP/1.1\r\n' 400
ask "GET /$(printf 'x%.0s' $(seq 9000)) HTTP/1.1\\r\\n\\r\\n" 400
"$vhu" ctl metrics --http </dev/null >out 2>err && fail "status 0 without a request"
[ ! -s out ] && grep -q 'standard input ended without a request' err && [ "$(wc -l <err)" -eq 1 ] ||
	fail "without a request: $(cat out err)"
stage_end proxy TERM || fail "the proxy ended with status $?"
printf 'GET /metrics HTTP/1.1\r\n\r\n' | "$vhu" ctl metrics --http >out 2>err && fail "an answer from an ended proxy"
head -n 1 out | grep -q '^HTTP/1.0 503' || fail "not 503"
"$vhu" ctl --http sessions >out 2>err && fail "--http with another verb"

# The rules, each with what trips it and what must not.
cd "$top/packaging/prometheus"
promtool check rules vhu.rules.yml >"$work/out" 2>&1 || fail "rules"
promtool test rules vhu.rules.test.yml >"$work/out" 2>&1 || fail "what the rules do"
# Each metric and label that rules and dashboard ask for is one.
cd "$work"
cat after found >metrics
/usr/bin/python3 "$here/labels.py" metrics "$top/packaging/prometheus/vhu.rules.yml" \
	"$top/packaging/prometheus/vhu.dashboard.json" >out || fail "rules or dashboard ask for what is not there"
