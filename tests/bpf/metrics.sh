#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency --metrics writes a file that promtool has nothing to say about, always whole, with the
# metrics and labels of vhu ctl metrics; counters outlive sessions; stalls are counted.
. "$(dirname "$0")/../lib/common.sh"
need jq promtool
work_open
. "$top/tests/lib/parties.sh"
for file in none/it.prom /dev/null; do
	status=0
	"$vhu" latency -p $$ --metrics $file >out 2>err || status=$?
	[ "$status" = 1 ] && [ "$(wc -l <err)" = 1 ] && grep -q "^vhu latency: $file: " err ||
		fail "--metrics $file: status $status"
done
need_probes

# A path with all that a label has to escape.
socket='fro"nt\.sock'
back --device blk
stage_start proxy "$vhu" proxy -q -w vm.pcapng --control ctl.sock "$socket" back.sock
wait_for test -S "$socket"
drive() {
	stage_start front "$front_end" --timeout 100s --device blk --operation read --queues 2 --rate 400 \
		--requests 100000000 "$socket"
}
drive
wait_for test -s vm.pcapng
stage_start latency "$vhu" latency -f -r vm.pcapng --interval 100ms --stall 1s --metrics it.prom

# Print the value of metric $1 of vring $2.
value() {
	grep -F "$1{pair=\"fro\\\"nt\\\\.sock\",vring=\"$2\"}" it.prom | sed 's/.* //'
}
# Return whether metric $1 of vring $2 is more than $3.
more_than() {
	[ "$(value "$1" "$2" || echo 0)" -gt "$3" ]
}
wait_for more_than vhu_kicks_total 0 100
wait_for more_than vhu_calls_total 1 10
# Whenever it is read it is whole, and nothing else is left.
for turn in $(seq 50); do
	tail -n 1 it.prom | grep -q '^vhu_stalled_total\|^vhu_stalls_total\|^# TYPE vhu_stalls_total' ||
		fail "turn $turn: $(tail -n 1 it.prom)"
done
promtool check metrics <it.prom >out 2>&1 && [ ! -s out ] || fail 'promtool has something to say'
[ "$(stat -c %a it.prom)" = "$(printf '%o' $((0666 & ~$(umask))))" ] || fail 'the file has other rights'

# What the proxy has too has the same name, type and help there.
"$vhu" ctl -s ctl.sock metrics >proxy.prom
sed -n 's/^# \(HELP\|TYPE\) //p' it.prom | sort >mine
sed -n 's/^# \(HELP\|TYPE\) //p' proxy.prom | sort >its
for name in vhu_kicks_total vhu_calls_total vhu_kick_to_call_seconds vhu_stalled_total vhu_stalls_total; do
	for file in mine its; do
		[ "$(grep -c "^$name " $file)" = 2 ] || fail "$file: no $name"
		grep "^$name " $file >$file.$name
	done
	diff mine.$name its.$name || fail "$name differs"
done
grep '^vhu_stalled_total' proxy.prom | sed 's/} .*//' >wanted
grep '^vhu_stalled_total' it.prom | sed 's/} .*//' | diff wanted - || fail 'the pair has another name'

# Histograms have as many times as there are calls that were measured.
[ "$(value vhu_kick_to_call_seconds_count 0)" -gt 90 ] || fail 'no histogram'

# The next session goes on with the counters of the last.
before=$(value vhu_kicks_total 0)
stage_end front TERM || :
drive
fell=''
goes_on() {
	[ "$(value vhu_kicks_total 0)" -ge "$before" ] || fell=1
	more_than vhu_kicks_total 0 $((before + 100))
}
wait_for goes_on
[ -z "$fell" ] || fail 'a counter fell'

# A stall is counted, and what waits is there.
kill -STOP "$(stage_pid back)"
stalls() {
	grep -q '^vhu_stalls_total{.*,verdict="D3"} [12]$' it.prom
}
wait_for stalls
more_than vhu_kicks_waiting 0 0 || fail 'nothing waits'
value vhu_oldest_kick_seconds 0 | grep -q '^[1-9]' || fail "it has waited for $(value vhu_oldest_kick_seconds 0)"
kill -CONT "$(stage_pid back)"
stage_end latency INT || fail "vhu latency: status $?"
[ -z "$(find . -name 'it.prom?*')" ] || fail "something is left: $(ls)"
promtool check metrics <it.prom >out 2>&1 && [ ! -s out ] || fail 'promtool has something to say at the end'
