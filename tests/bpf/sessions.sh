#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency without a proxy: vrings of a session that began before are found by their traffic; when the
# back-end is started again at the same socket, those of its session are known by its messages. While
# there is no session it says what it waits for.
#
#	sessions.sh socket|pid|waiting
. "$(dirname "$0")/../lib/common.sh"
need jq
need_probes
work_open
how=$1

pair() {
	rm -f back
	stage_start back "$build/bin/vhu-sample-backend" --device blk --queues 2 --socket-path="$work/back"
	stage_listens back "$work/back"
}
drive() {
	stage_start front "$build/bin/vhu-sample-frontend" --device blk --queues 2 --depth 2 --rate 4000 \
		--duration 600s "$work/back"
}
# Return whether the last line says $1, an expression of jq's.
says() {
	tail -n 1 told | jq -se "length == 1 and (.[0] | $1)"
}

# vhu latency with the options $2 and so on says $1, and that it waits.
waits() {
	waits_says=$1
	shift
	stage_start latency "$vhu" latency --interval 0 "$@"
	wait_for grep -q "waiting for" latency.log
	grep -q "^vhu latency: $waits_says" latency.log || fail "vhu latency $*: not said: $waits_says"
	stage_end latency INT || fail "vhu latency $*: status $?"
	rm latency.log
}
if [ "$how" = waiting ]; then
	need_probes
	waits "$work/back: no process listens there: waiting for a session; is the path right" --socket "$work/back"
	waits 'pid 1 shares no eventfd with another process: waiting for a session; is it a back-end?' -f -p 1
	pair
	back=$(stage_pid back)
	waits "$work/back: vhu-sample-back (pid $back) listens there: waiting for a session" --socket "$work/back"
	waits "pid $back shares no eventfd with another process: waiting for a session at $work/back" -f -p "$back"
	stage_start proxy "$vhu" proxy -q -w vm.pcapng front back
	stage_listens proxy front
	waits 'vm.pcapng: no open session has vrings: waiting for one; is vhu proxy or' -f -r vm.pcapng
	# A file that cannot grow keeps the events that it has. Nothing ends when nohup(1) has a hangup ignored.
	stage_start latency sh -c 'ulimit -f 16; trap "" HUP; exec "$@"' sh \
		"$vhu" latency --interval 0 --socket "$work/back" -w small.pcapng
	wait_for grep -q "waiting for" latency.log
	kill -HUP "$(stage_pid latency)"
	drive
	wait_for grep -q 'small.pcapng: File too large: events are being lost' latency.log
	status=0
	stage_end latency INT || status=$?
	[ "$status" = 1 ] || fail "events were lost: status $status"
	grep -q 'small.pcapng: [1-9][0-9]* events written, [1-9][0-9]* lost' latency.log || fail 'losses are not counted'
	"$vhu" dump small.pcapng >out || fail 'the capture is not whole'
	# Without a reader it ends, and a hangup ends it as SIGTERM does.
	{
		timeout 100 "$vhu" latency --interval 100ms --socket "$work/back" 2>err && status=0 || status=$?
		echo $status >status
	} | head -n 1 >out
	[ "$(cat status)" = 1 ] || fail "without a reader: status $(cat status)"
	grep -qx 'vhu latency: standard output: Broken pipe' err || fail "without a reader: $(cat err)"
	rm latency.log
	stage_start latency "$vhu" latency --interval 0 --socket "$work/back" -w hangup.pcapng
	wait_for test -s hangup.pcapng
	stage_end latency HUP || fail "a hangup: status $?"
	grep -q 'hangup.pcapng: [0-9]* events written' latency.log || fail 'a hangup: no summary'
	exit 0
fi

pair
drive
case $how in
socket) set -- --socket "$work/back" ;;
pid) set -- -f -p "$(stage_pid back)" ;;
esac
"$vhu" latency "$@" --json --cumulative --interval 200ms >told 2>latency.log &
latency=$!
jobs="$jobs $latency"
lacks() {
	! kill -0 $latency 2>/dev/null || says .hooks
}
wait_for lacks
kill -0 $latency 2>/dev/null || fail "vhu latency ended"
wait_for says '.rings | any(.session == 0 and .calls > 100)'
stage_end front KILL || :
stage_end back KILL || :
wait_for says '.rings | all(.ended)'

# A front-end that is quicker than vhu finds out that somebody listens there again comes again.
pair
known() {
	sleep 1
	says '[.rings[] | select(.session > 0 and (.ended | not))] | map(.vring) == [0, 1]' && return
	stage_end front KILL || :
	drive
	return 1
}
drive
wait_for known
wait_for says '.rings | any(.session > 0 and (.ended | not) and .calls > 100)'
kill -INT $latency
wait $latency || fail "vhu latency: status $?"
[ ! -s latency.log ] || fail "vhu latency says: $(cat latency.log)"
tail -n 1 told | jq -c '.rings[] | [.session, .vring, .kicks, .calls, .ended]'
