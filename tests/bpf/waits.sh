#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency says that a kick waits while it waits, and not only once its call comes; counts the kicks
# of each interval by itself; looks at files before it loads anything; and lets nothing age that has ended.
. "$(dirname "$0")/../lib/common.sh"
need jq
work_open
bin=$build/bin

for file in none "$0"; do
	"$vhu" latency -r "$file" >out 2>err && fail "it reads $file"
	! grep -q hooks err || fail "it loads probes before it looks at $file: $(cat err)"
done
"$vhu" latency --eventfd kick=1 -w none/file >out 2>err && fail "it writes none/file"
need_probes

stage_start back "$bin/vhu-sample-backend" --device blk --socket-path=back.sock
stage_listens back back.sock
stage_start proxy "$vhu" proxy -q -w vm.pcapng front.sock back.sock
stage_listens proxy front.sock
stage_start front "$bin/vhu-sample-frontend" --device blk --rate 50 --duration 280 front.sock
works() {
	"$vhu" ctl --help >/dev/null && "$vhu" dump vm.pcapng | grep -q 'SET_VRING_ENABLE.*success\|SET_STATUS 0xf'
}
wait_for works

# What waits in the vrings since before is said, and what becomes of it.
kill -STOP "$(stage_pid back)"
sleep 0.3
"$vhu" latency -r vm.pcapng --interval 0 --duration 0.3 >out 2>err || fail 'it fails'
grep -q 'session 1 is .* older than this watch; vring 0 has [1-9][0-9]* buffers* waiting since before and [1-9][0-9]* kicks* not taken' err ||
	fail 'nothing waits since before'
kill -CONT "$(stage_pid back)"

# Tables of intervals have rates; those from the start have more and more.
"$vhu" latency -r vm.pcapng --interval 500ms --duration 3 >rates 2>err || fail 'it fails'
"$vhu" latency -r vm.pcapng --cumulative --interval 500ms --duration 3 >counts 2>err || fail 'it fails'
# Kicks of the tables, a line each.
kicks() {
	awk '$1 == 1 && $2 == 0 && NF > 10 { print $3 }' "$1"
}
grep -q 'kicks/s.*calls/s' rates && [ "$(grep -c ' max ' rates)" -ge 2 ] || fail 'no table of rates'
kicks rates | awk '$1 < 1 || $1 > 75 { bad = 1 } END { exit bad || NR < 2 }' || fail "rates: $(kicks rates)"
kicks counts | awk '$1 < last { bad = 1 } { last = $1 } END { exit bad || last < 80 }' ||
	fail "counts: $(kicks counts)"

# A waiting kick is reported once, and its call when it comes.
stage_start latency "$vhu" latency -r vm.pcapng --slower-than 200ms --interval 0
wait_for grep -q hooks latency.log
sleep 0.5
kill -STOP "$(stage_pid back)"
wait_for grep -q 'session 1 vring 0: a kick has waited for .*: the back-end has not taken it' latency.log
sleep 0.5
[ "$(grep -c 'has waited' latency.log)" = 1 ] || fail 'it is reported more than once'
! grep -q 'kick to call .*; kick by' latency.log || fail 'a call that there was not'
kill -CONT "$(stage_pid back)"
wait_for grep -q 'session 1 vring 0: kick to call .*; kick by' latency.log

# What has ended does not age.
stage_start json "$vhu" latency -f -r vm.pcapng --json --cumulative --interval 100ms
wait_for grep -q '"kicks":[1-9]' json.log
kill -STOP "$(stage_pid back)"
waits() {
	tail -n 1 json.log | jq -se '.[0].rings[0].waiting > 0' >/dev/null
}
wait_for waits
for party in front back; do
	kill -KILL "$(stage_pid $party)"
	stage_end $party || :
done
ended() {
	tail -n 1 json.log | jq -se '.[0].rings[0].ended' >/dev/null
}
wait_for ended
sleep 0.5
tail -n 3 json.log | jq -se '.[0].rings[0].ended and (.[0].rings[0].oldest_ns > 0) and
	([.[].rings[0].oldest_ns] | unique | length == 1)' >/dev/null ||
	fail "it ages: $(tail -n 3 json.log)"
kill -INT "$(stage_pid json)"
stage_end json || :
stage_end proxy TERM || :

# A call that is lost and a kick that is swallowed look alike but for the vring: $1 is the fault, $2
# what is said.
told_apart() {
	rm -f ./*.sock vm.pcapng
	stage_start back "$bin/vhu-sample-backend" --device blk --delay 50ms --fault "$1:1/100" \
		--socket-path=back.sock
	stage_listens back back.sock
	stage_start proxy "$vhu" proxy -q -w vm.pcapng front.sock back.sock
	stage_listens proxy front.sock
	# Slow enough for the watch to begin before the fault does. Without a rate: with one, the
	# front-end would look at the vring by itself.
	stage_start front "$bin/vhu-sample-frontend" --device blk --operation read --depth 1 --timeout 100 \
		--duration 280 front.sock
	wait_for works
	"$vhu" latency -r vm.pcapng --interval 0 --duration 10 >out 2>err || fail 'it fails'
	grep -q "1 kick without a call yet, the oldest for .*: 0 not taken by the back-end, 1 taken" out &&
		grep -q "$2" out || fail "$1: not said: $2"
	for party in front proxy back; do
		kill -KILL "$(stage_pid $party)"
		stage_end $party || :
	done
}
# A vring that is polled is no vring whose session ended.
rm -f ./*.sock vm.pcapng
stage_start back "$bin/vhu-sample-backend" --device blk --socket-path=back.sock
stage_listens back back.sock
stage_start proxy "$vhu" proxy -q -w vm.pcapng front.sock back.sock
stage_listens proxy front.sock
stage_start front "$bin/vhu-sample-frontend" --device blk --poll --rate 10 --duration 280 front.sock
wait_for works
"$vhu" latency -r vm.pcapng --duration 0.1 >out 2>err && fail 'it watches a vring that is polled'
grep -q 'its vrings are polled and have no eventfds' err || fail 'a polled vring is not called so'
for party in front proxy back; do
	kill -KILL "$(stage_pid $party)"
	stage_end $party || :
done

told_apart lose-call 'all buffers are used: its call was lost'
told_apart lose-kick '1 buffer waits: the back-end took the kick and did not do it'
