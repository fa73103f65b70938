#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu latency --stall: what stalls is said once, with its cause, recorded, a line of JSON and a command;
# with a capture, without a proxy, and by the eventfds alone.
#
#	stall.sh causes|lost|once|alone|healthy
. "$(dirname "$0")/../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open
. "$top/tests/lib/parties.sh"
need_probes
what=$1
blk='--device blk --operation read --requests 100000000'

# Start the proxy between both sides.
proxy() {
	stage_start proxy "$vhu" proxy -q -w vm.pcapng front.sock back.sock
	stage_listens proxy front.sock
}

# Return whether the front-end has set up vring 0.
works() {
	"$vhu" dump vm.pcapng 2>/dev/null | grep -q 'SET_VRING_ENABLE.*success\|SET_STATUS 0xf'
}

# Start vhu latency with the options $*, and wait until it watches a vring.
watch() {
	stage_start latency "$vhu" latency --stall 500ms --cumulative --interval 100ms --json -w stall.pcapng "$@"
	wait_for watches
}
watches() {
	kill -0 "$(stage_pid "${1-latency}")" 2>/dev/null || fail "vhu latency ended: $(cat "${1-latency}.log")"
	grep -q '"rings":\[{' "${1-latency}.log"
}

# Return whether $1 stalls were said so far; $2 is what the lines begin with, if it is not vhu latency.
stalls() {
	[ "$(grep -c "^${2-vhu latency}: .*stall: " latency.log)" -ge "$1" ]
}

# Print the snapshots in stall.pcapng as JSON, one a line.
snapshots() {
	"$vhu" dump --json stall.pcapng 2>/dev/null | jq -c 'select(.type == "vring snapshot")'
}

# End all parties, whatever state they are in, and forget what they left.
all_out() {
	for party in front proxy back; do
		[ -z "$(stage_pid $party)" ] || kill -CONT "$(stage_pid $party)" 2>/dev/null || :
		[ -z "$(stage_pid $party)" ] || stage_end $party KILL || :
	done
	[ -z "$(stage_pid latency)" ] || stage_end latency INT || :
	rm -f ./*.sock ./*.log ./*.pcapng
}

# A case: $1 is its name, $2 the back-end's options, $3 the front-end's, $4 what is said, $5 an expression
# that holds for the snapshot of vring 0. With $6 the party of that name is stopped once vring 0 is watched.
case_is() {
	# shellcheck disable=SC2086 # options are several words
	back $2
	proxy
	# shellcheck disable=SC2086
	front $3
	wait_for works
	watch -r vm.pcapng
	[ -z "${6-}" ] || kill -STOP "$(stage_pid "$6")"
	wait_for stalls 1
	grep -q "^vhu latency: session 1: stall: $4" latency.log || fail "$1: not said: $4"
	snapshots >out
	jq -se "length == 1 and (.[0] | .session == 1 and .vring == 0 and .reason == \"stall\" and
		.verdict.hangs and ($5))" out >/dev/null || fail "$1: not the snapshot: $5"
	grep '"type":"stall"' latency.log >out
	jq -se "length == 1 and (.[0] | .session == 1 and .vring == 0 and .verdict.hangs)" out >/dev/null ||
		fail "$1: not the line of JSON"
	all_out
}

case $what in
causes)
	for packed in '' --packed; do
		case_is "back-end stopped $packed" '--device blk' "$blk --rate 20 $packed" \
			'vring 0: .* wait.*, the kick counter is [1-9].*is stopped by a signal (T): .* (D3)$' \
			'.verdict.id == "D3" and .kick.count > 0 and .back_end.state == "T" and .waiting > 0 and
				(.requests[0].header | startswith("virtio-blk request: type IN"))' back
		case_is "back-end stopped behind an IOMMU $packed" '--device blk --offer ACCESS_PLATFORM' \
			"$blk --rate 20 --iommu $packed" 'vring 0: .* wait.*is stopped by a signal (T): .* (D3)$' \
			'.verdict.id == "D3" and .waiting > 0 and
				(.requests[0].header | startswith("virtio-blk request: type IN"))' back
		# So slow that there is one call from look to look, at the most.
		case_is "call not made $packed" '--device blk --delay 200ms --fault lose-call:1/20' \
			"$blk --depth 1 $packed" 'vring 0: .* (D5)$' \
			'.verdict.id == "D5" and .waiting == 0' ''
		case_is "notification not re-armed $packed" \
			'--device blk --delay 50ms --fault stale-event:1/40' \
			"$blk $packed --event-idx --depth 2" 'vring 0: .* (D2)$' '.verdict.id == "D2"' ''
	done
	# A packed vring does not tell how many requests its descriptors are.
	case_is 'kick swallowed' '--device blk --delay 50ms --fault lose-kick:1/40' "$blk --depth 1" \
		'vring 0: 1 buffer waits .*, the back-end was kicked and read the kick, .*none in flight: .* (D20)$' \
		'.verdict.id == "D20" and .waiting > 0' ''
	case_is 'front-end stopped' '--device blk --delay 300ms' "$blk --depth 4" \
		'vring 0: the call counter is [1-9].*, the front-end (pid [0-9]*) is stopped by a signal (T): .* (D6)$' \
		'.verdict.id == "D6" and .call.count > 0' front

	# A request without its reply is an error in the capture.
	back --device blk --fault late-reply:GET_CONFIG:99s
	proxy
	stage_start latency "$vhu" latency --stall 500ms --json --interval 0 -w stall.pcapng -r vm.pcapng
	wait_for test -s vm.pcapng
	# shellcheck disable=SC2086
	front $blk
	wait_for stalls 1
	grep -q 'session 1: stall: the back-end has not answered GET_CONFIG for .*s (pid [0-9]*, state [A-Z]) (D14)$' \
		latency.log || fail 'a request without its reply is not said'
	"$vhu" dump --json stall.pcapng | jq -se 'any(.[]; .type == "error" and
		(.text | startswith("stall: the back-end has not answered GET_CONFIG")))' >/dev/null ||
		fail 'a request without its reply is not recorded'
	grep '"type":"stall"' latency.log | jq -se '.[0] | .verdict.id == "D14" and .pending.message == "GET_CONFIG"' \
		>/dev/null || fail 'a request without its reply is no line of JSON'
	grep '"type":"stall"' latency.log >out
	schemas_fit out >fit || fail "JSON: $(cat fit)"
	all_out
	;;
lost)
	# One call of many is lost: there are dozens from one look to the next.
	lost='--device blk --fault lose-call:1/600'
	busy="$blk --depth 1 --rate 400"
	# A case: $1 is its name, $2 what the lines of the program begin with.
	lost_is() {
		wait_for stalls 1 "$2"
		grep -q "^$2: session [0-9]*: stall: vring 0: .* (D5)\$" latency.log || fail "$1: not D5"
		[ "$(snapshots | jq -r '[.vring, .verdict.id, .waiting] | @csv')" = '0,"D5",0' ] ||
			fail "$1: not the snapshot: $(snapshots)"
		all_out
	}
	for options in '' --packed; do
		# shellcheck disable=SC2086 # options are several words
		back $lost
		proxy
		stage_start latency "$vhu" latency --stall 500ms --json --interval 0 -w stall.pcapng -r vm.pcapng
		wait_for test -s latency.log
		# shellcheck disable=SC2086
		front $busy $options
		wait_for stalls 1
		# What was counted tells that it is by that.
		grep '"type":"stall"' latency.log >out
		jq -se '.[0].counted | .kicks_in_turn >= 4 and .kicks_without_call == 1' out \
			>/dev/null || fail "lost call $options: what was counted: $(cat out)"
		schemas_fit out >fit || fail "JSON: $(cat fit)"
		lost_is "lost call $options" 'vhu latency'
	done

	# Without a proxy.
	# A session that begins before vhu watches its socket is not known by its messages: begin another.
	begins() {
		[ -z "$(stage_pid front)" ] || stage_end front KILL || :
		# shellcheck disable=SC2086
		stage_start front "$front_end" --timeout 100s $busy back.sock
		sleep 1
		grep -q '^vhu attach: watching' latency.log ||
			tail -n 1 latency.log | jq -se '.[0].rings | any(.session > 0 and (.ended | not))'
	}
	for how in 'latency --json --cumulative --interval 100ms' 'attach --latency'; do
		# shellcheck disable=SC2086
		back $lost
		# shellcheck disable=SC2086
		stage_start latency "$vhu" $how --stall 500ms -w stall.pcapng --socket "$work/back.sock"
		wait_for test -s latency.log
		wait_for begins
		lost_is "$how" "vhu ${how%% *}"
	done

	# A fault of the proxy that loses the call is named.
	back --device blk
	stage_start proxy "$vhu" proxy -q -w vm.pcapng --interpose-eventfds --fault 'call nth=600: lose' \
		front.sock back.sock
	stage_listens proxy front.sock
	stage_start latency "$vhu" latency --stall 500ms --json --interval 0 -w stall.pcapng -r vm.pcapng
	wait_for test -s latency.log
	# shellcheck disable=SC2086
	front $busy
	wait_for stalls 1
	grep -q 'vring 0: .* a fault of the proxy lost the last call.* (D6)$' latency.log ||
		fail "the proxy's fault is not named: $(grep stall: latency.log)"
	all_out
	;;
once)
	back --device blk
	proxy
	# shellcheck disable=SC2086
	front $blk --rate 20
	wait_for works
	watch -r vm.pcapng --on-stall \
		'env | grep ^VHU_ | sort >stalled.$(ls | grep -c ^stalled); ls -l /proc/self/fd >fds; exit 3'
	kill -STOP "$(stage_pid back)"
	wait_for stalls 1
	wait_for grep -q 'on-stall: ended with status 3' latency.log
	# Looks that follow say nothing more.
	sleep 0.7
	kill -CONT "$(stage_pid back)"
	# It moves again, so that it may stall again, once that was seen.
	moves() {
		tail -n 1 latency.log | jq -se '.[0].rings[0] | .kicks > 0 and .waiting == 0' >/dev/null
	}
	wait_for moves
	sleep 0.4
	kill -STOP "$(stage_pid back)"
	wait_for stalls 2
	wait_for test -e stalled.1
	{
		echo "VHU_BACK_PID=$(stage_pid back)"
		echo 'VHU_CAPTURE=stall.pcapng'
		echo "VHU_FRONT_PID=$(stage_pid front)"
		echo 'VHU_SESSION=1'
		sed -n 's/^vhu latency: session 1: stall: /VHU_TEXT=/p' latency.log | head -n 1
		echo 'VHU_VERDICT=D3'
		echo 'VHU_VRING=0'
	} >wanted
	diff wanted stalled.0 || fail 'the command has another environment'
	grep -q 'socket:\|memfd\|eventfd\|bpf' fds && fail "the command holds descriptors: $(cat fds)"
	[ "$(grep -c '^vhu latency: .*: stall: ' latency.log)" = 2 ] || fail 'a stall is said more than once'
	[ "$(snapshots | wc -l)" = 2 ] || fail 'stalls and snapshots differ'
	all_out

	# What makes no sense.
	refused() {
		refused_says=$1
		shift
		status=0
		"$vhu" latency -p 1 "$@" >out 2>err || status=$?
		[ "$status" = 2 ] || fail "$*: status $status"
		grep -q -- "$refused_says" err || fail "$*: not said: $refused_says"
	}
	refused 'x: not a time' --stall x
	refused '0: too short for a stall' --stall 0
	refused '199ms: too short for a stall' --stall 199ms
	refused 'on-stall wants --stall' --on-stall true
	;;
alone)
	# A session from its beginning, without a proxy.
	back --device blk
	watch_socket() {
		stage_start latency "$vhu" latency --stall 500ms --cumulative --interval 100ms --json \
			-w stall.pcapng --socket "$work/back.sock"
		wait_for test -s latency.log
		sleep 0.5
	}
	watch_socket
	stage_start front "$front_end" --timeout 100s --device blk --operation read --rate 20 \
		--requests 100000000 back.sock
	wait_for watches
	kill -STOP "$(stage_pid back)"
	wait_for stalls 1
	grep -q 'session [0-9]*: stall: vring 0: 1 buffer waits .* (D3)$' latency.log ||
		fail "without a proxy: $(grep stall latency.log)"
	jq -se 'length == 1 and .[0].verdict.id == "D3" and (.[0].requests | length == 1)' \
		>/dev/null <<-END || fail 'without a proxy: no snapshot'
		$(snapshots)
	END
	all_out

	# The same by vhu attach, whose capture holds the stall among the messages.
	back --device blk
	stage_start latency "$vhu" attach --latency --stall 500ms --on-stall 'echo "$VHU_VERDICT $VHU_CAPTURE" >ran' \
		-w stall.pcapng --socket "$work/back.sock"
	wait_for grep -q watching latency.log
	stage_start front "$front_end" --timeout 100s --device blk --operation read --rate 20 \
		--requests 100000000 back.sock
	kicks() {
		"$vhu" dump stall.pcapng 2>/dev/null | grep -q 'vring 0 kick'
	}
	wait_for kicks
	sleep 0.5
	kill -STOP "$(stage_pid back)"
	attach_stalls() {
		grep -q '^vhu attach: session 1: stall: vring 0: 1 buffer waits .* (D3)$' latency.log
	}
	wait_for attach_stalls
	wait_for grep -qx 'D3 stall.pcapng' ran
	[ "$(snapshots | jq -r '[.session, .vring, .verdict.id] | @csv')" = '1,0,"D3"' ] ||
		fail "by vhu attach: $(snapshots)"
	all_out

	# By the eventfds alone: a kick that is not read.
	back --device blk
	stage_start front "$front_end" --timeout 100s --device blk --operation read --rate 20 \
		--requests 100000000 back.sock
	watch -p "$(stage_pid back)"
	kill -STOP "$(stage_pid back)"
	wait_for stalls 1
	grep -q "stall: vring 0: 1 kick waits for [0-9.]* .*s, the kick counter is 1 (eventfd [0-9]*) and the back-end does not read it, the back-end (pid $(stage_pid back)) is stopped by a signal (T): .* (D3)\$" \
		latency.log || fail "by eventfds: $(grep stall latency.log)"
	all_out
	;;
healthy)
	# Neither what works nor what rests is a stall, however short the time.
	for options in '--queues 2 --depth 16' '--queues 2 --rate 20 --packed' '--rate 10 --packed --event-idx'; do
		back --device blk
		proxy
		# shellcheck disable=SC2086
		front --device blk --duration 100s $options
		wait_for works
		# By the session's messages, and by the eventfds alone, at the same time.
		set -- --stall 200ms --cumulative --interval 100ms --json
		stage_start messages "$vhu" latency "$@" -r vm.pcapng
		stage_start eventfds "$vhu" latency "$@" -p "$(stage_pid back)"
		wait_for watches messages
		wait_for watches eventfds
		sleep 1
		for how in messages eventfds; do
			stage_end $how INT || fail "case '$options' by $how: $(tail -n 1 $how.log)"
			! grep '"type":"stall"\|stall: ' $how.log || fail "case '$options' by $how: a false stall"
			grep '^{' $how.log | tail -n 1 | jq -se '[.[0].rings[].kicks] | add > 5' >/dev/null ||
				fail "case '$options' by $how: nothing is watched"
		done
		all_out
	done

	# Bursts of requests, and rests that are longer than a call may take.
	for options in '--depth 1' '--depth 4 --packed'; do
		back --device blk
		proxy
		stage_start latency "$vhu" latency --stall 300ms --json --cumulative --interval 100ms -r vm.pcapng
		wait_for test -s latency.log
		# shellcheck disable=SC2086
		front --device blk --operation read --duration 100s --rate 200 --burst 300 $options
		# As many kicks as a few bursts have at the least, in which calls come for several requests.
		bursts_are_done() {
			grep '^{' latency.log | tail -n 1 | jq -se '.[0].rings[0].kicks > 300'
		}
		wait_for bursts_are_done
		sleep 2
		! grep '"type":"stall"\|stall: ' latency.log || fail "bursts $options: a false stall"
		all_out
	done

	# A kick that somebody asked for has no call.
	back --device blk
	stage_start proxy "$vhu" proxy -q --control ctl.sock -w vm.pcapng front.sock back.sock
	stage_listens proxy front.sock
	stage_start latency "$vhu" latency --stall 300ms --json --cumulative --interval 100ms -r vm.pcapng
	wait_for test -s latency.log
	front --device blk --operation read --duration 100s --rate 100 --burst 250
	# More than one burst: kicks and calls have taken turns since the watch began.
	second_is_done() {
		grep '^{' latency.log | tail -n 1 | jq -se '.[0].rings[0] | .kicks > 250 and .calls >= .kicks'
	}
	wait_for second_is_done
	sleep 0.5
	"$vhu" ctl -s ctl.sock kick 1 0 >/dev/null || fail 'vhu ctl kick'
	sleep 2
	! grep '"type":"stall"\|stall: ' latency.log || fail 'vhu ctl kick: a false stall'
	all_out
	;;
esac
