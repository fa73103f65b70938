#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole back-ends and front-ends whose kicks and calls come by the proxy: all data is the same, each
# kick is counted, a lost call hangs who waits for it and is named.
. "$(dirname "$0")/../../lib/common.sh"
work_open
session=$programs/qemu_session

. "$top/tests/lib/peers.sh"

# Start the sample's disk as $1, and the proxy before it with the options that follow.
start() {
	name=$1
	shift
	stage_start "$name" "$build/bin/vhu-sample-backend" --device blk --memory 8 --queues 2 \
		"--socket-path=$stage/$name.back"
	stage_listens "$name" "$stage/$name.back"
	start_proxy "$name" "$@"
}

# Start the proxy before the back-end $1, with the options that follow.
start_proxy() {
	name=$1
	shift
	stage_start "$name.proxy" "$vhu" proxy "$@" -w "$stage/$name.pcapng" \
		"listen:$stage/$name.sock" "connect:$stage/$name.back"
	stage_listens "$name.proxy" "$stage/$name.sock"
}

# End the proxy before $1; what passed was as it should be.
end_proxy() {
	stage_settles "$stage/$1.pcapng"
	stage_end "$1.proxy" TERM || fail "vhu proxy ended with status $?"
	# A front-end that gives up on a lost kick ends badly.
	"$vhu" check --exit-zero --severity error "$stage/$1.pcapng" >"$stage/check.log" 2>&1
	grep -q "^no findings" "$stage/check.log" ||
		fail "vhu check found something in what passed before $1"
}

# End what start has started as $1.
end() {
	end_proxy "$1"
	stage_end "$1" TERM || fail "$1 ended with status $?"
}

# Drive the disk $1 with the options that follow; return how that ended.
drive() {
	name=$1
	shift
	"$build/bin/vhu-sample-frontend" --device blk "$stage/$name.sock" "$@" \
		>"$stage/front.log" 2>&1
}

# What the proxy before $1 said of a vring must match $2.
said() {
	grep -q -e "$2" "$stage/$1.proxy.log" || fail "the proxy did not say: $2"
}

# How many signals of $1 there are in records that have $2 in their line.
recorded() {
	"$vhu" dump "$stage/$1.pcapng" | awk -v "what=$2" '
		$0 ~ what { count += match($0, /[0-9]+ at once/) ? substr($0, RSTART) : 1 }
		END { print count + 0 }'
}

# Kicks and calls as the front-end counts them are those that are counted here, and recorded.
start counted --interpose-eventfds --record-kicks
for ring in '' --packed '--event-idx --indirect' '--packed --event-idx'; do
	# shellcheck disable=SC2086 # several words
	drive counted --requests 2000 --depth 32 $ring || fail "status $? with $ring"
	sed -n 's/^\([0-9]*\) kicks, \([0-9]*\) calls$/\1 kicks; \2 calls/p' "$stage/front.log" \
		>>"$stage/counts"
done
drive counted --requests 200 --depth 8 --poll || fail "status $? with --poll"
end counted
[ "$(wc -l <"$stage/counts")" -eq 4 ] || fail "the front-end did not count"
turn=0 all=0
while read -r counts; do
	turn=$((turn + 1))
	said counted "session $turn: vring 0: ${counts%% *} kick"
	all=$((all + ${counts%% *}))
done <"$stage/counts"
[ "$(recorded counted 'vring 0 kick, ')" -eq "$all" ] ||
	fail "$(recorded counted 'vring 0 kick, ') kicks are recorded, not $all"

# Lost calls: the front-end hangs in its wait, and summary and capture say which vring. A call before
# the wait is not missed, so all calls from the seventh on are lost.
start lost --record-kicks --fault 'call vring=0 nth=7..: lose'
status=0
drive lost --requests 5000 --timeout 2s || status=$?
[ "$status" -eq 1 ] || fail "the front-end ended with status $status, though calls were lost"
end lost
said lost 'vring 0: [0-9]* kicks; [0-9]* calls, [0-9]* of them lost[^;]*; .*; [0-9]* kicks* since .* had no call'
[ "$(recorded lost 'vring 0 call, .*, lost by the proxy')" -ge 1 ] ||
	fail "no lost call is recorded"

# Late and spurious ones do no harm.
start changed --fault 'call vring=0 every=5: repeat' --fault 'kick vring=1 probability=10%: delay 1ms' \
	--fault 'call vring=1 every=7: delay 0ms..2ms' --seed 4
drive changed --requests 1000 --depth 16 --queues 2 || fail "status $?"
end changed
said changed 'vring 0: .* of them repeated'
said changed 'vring 1: .* of them delayed; .* of them delayed'

# Where they go past the proxy a rule for them is refused, also later.
start past --control "$stage/control"
status=0
"$vhu" ctl -s "$stage/control" rules add 'kick: lose' >"$stage/ctl.log" 2>&1 || status=$?
[ "$status" -eq 1 ] && grep -q 'do not pass this proxy' "$stage/ctl.log" ||
	fail "a fault for kicks was accepted, status $status"
drive past --requests 100 --depth 8 || fail "status $?"
end past

# QEMU, with the sample and with its own back-end: each of its requests is a kick and a call.
start sample --interpose-eventfds --record-kicks
status=0
"$session" --front "$stage/sample.sock" --rounds 10 >"$stage/session.log" 2>&1 || status=$?
if [ "$status" -eq 77 ]; then
	cat "$stage/session.log"
	exit 77
fi
[ "$status" -eq 0 ] || fail "QEMU's session with the sample ended with status $status"
end sample
start_proxy daemon --interpose-eventfds --record-kicks
"$session" --front "$stage/daemon.sock" --back "$stage/daemon.back" --rounds 10 \
	>"$stage/session.log" 2>&1 || fail "QEMU's session ended with status $?"
end_proxy daemon
# Ten rounds of two requests on each vring. QEMU also kicks a vring that starts, some versions before
# they hand over the kick.
kicks='\([12][0-9]\|30\)'
for name in sample daemon; do
	for vring in 0 1; do
		said "$name" "session 1: vring $vring: $kicks kicks; [0-9]* calls.*; kick to call"
	done
	# When a vring has stopped no call of it is on its way any more.
	! grep -q 'had no call' "$stage/$name.proxy.log" ||
		fail "$name: a kick was not answered"
done
echo "$all kicks were counted, and $((4 * 20)) of QEMU's"
