#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A look at a vring whose kicks and calls a proxy has counted or recorded shows a call that is missing
# (D5), a kick that the back-end read in vain (D20) and a fault of the proxy's own (D1, D6), by the
# capture and by the control socket; a kick injected by vhu ctl is not reported as a kick without a call.
. "$(dirname "$0")/lib.sh"

# A case: $1 is its name, $2 the back-end's options, $3 the front-end's, $4 the verdict by the capture, after a
# space that by the control socket if it is another, $5 what its text says, $6 the proxy's options.
case_is() {
	case_name=$1
	# shellcheck disable=SC2086 # options are several words
	back $2
	# A fault is one word.
	eval "proxy --interpose-eventfds --record-kicks ${6-}"
	# shellcheck disable=SC2086
	front $3
	verdict=${4% *}
	for by in '-r vm.pcapng' '-s ctl.sock'; do
		# shellcheck disable=SC2086
		expect_by "$verdict" $by
		verdict=${4#* }
		jq -e --arg text "$5" '.verdict.text | contains($text)' out >/dev/null ||
			fail "$1, $by: does not say '$5': $(cat out)"
		# What unsticks the guest, with the numbers that the proxy has told.
		case $by in -s*) command='vhu ctl -s ctl.sock call 1 0' ;; *) command="vhu ctl -s $work/ctl.sock call" ;; esac
		[ "$verdict" != D5 ] ||
			jq -e --arg text "\`$command\` unsticks the guest" '.verdict.advice | endswith($text)' out >/dev/null ||
			fail "$1, $by: does not say '$command': $(jq .verdict.advice out)"
	done
	all_out
}

for packed in '' --packed; do
	blk="--device blk --operation read --rate 50 $packed"
	case_is "call lost $packed" '--device blk --fault lose-call:1/9' "$blk" D5 'and the last one has had none for'
	case_is "kick swallowed $packed" '--device blk --fault lose-kick:1/9' "$blk" 'D20,D3 D20' \
		'each earlier kick had a call, the back-end was kicked again'
	case_is "kick swallowed, nothing shows what was taken $packed" \
		'--device blk --without INFLIGHT_SHMFD --fault lose-kick:1/9' "$blk" 'D4,D3,D20 D4,D20' \
		'each earlier kick had a call, the back-end was kicked again'
	case_is "call lost by the proxy $packed" '--device blk' "$blk" D6 'a fault of the proxy lost the last call' \
		"--rule 'call vring=0 nth=9..: lose'"
	case_is "kick lost by the proxy $packed" '--device blk' "$blk" D1 'a fault of the proxy lost the last kick' \
		"--rule 'kick vring=0 nth=9..: lose'"
done

# What the proxy sends on request waits for nothing. The driver stops while nothing is under way.
case_name='kick on request'
back --device blk
proxy --interpose-eventfds --record-kicks
front --device blk --operation read --rate 20
is_stopped_idle() {
	kill -CONT "$(stage_pid front)"
	sleep 0.3
	kill -STOP "$(stage_pid front)"
	rings -r vm.pcapng
	[ -s out ] && jq -e '.used > 5 and .verdict.id == "D13" and .counted.kicks_without_call == 0' out
}
wait_for is_stopped_idle
"$vhu" ctl -s ctl.sock kick 1 0 >/dev/null
sleep 1.2
for by in '-r vm.pcapng' '-s ctl.sock'; do
	# shellcheck disable=SC2086
	expect_by D13,D5,D8 $by
	jq -e '.counted.kicks_without_call == 0' out >/dev/null || fail "$by: $(jq -c .counted out)"
done
all_out
