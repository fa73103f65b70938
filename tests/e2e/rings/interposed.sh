#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# If a proxy stands between kicks and calls, the two sides have eventfds of their own: vhu rings looks at the one
# that its reader has, which the proxy's control socket names; by a capture it says that it does not know.
# The proxy's watchdog looks at the same one, and says the same.
. "$(dirname "$0")/lib.sh"

# Print the ids of all eventfds that the party $1 has open.
ids() {
	sed -n 's/^eventfd-id:[[:space:]]*//p' "/proc/$(stage_pid "$1")/fdinfo"/* 2>/dev/null
}

for packed in '' --packed; do
	case_name="back-end stopped $packed"
	back --device blk
	proxy --interpose-eventfds --stall 500ms
	# shellcheck disable=SC2086 # options are several words
	front --device blk --operation read --rate 50 $packed
	is_stopped() {
		kill -CONT "$(stage_pid back)"
		sleep 0.2
		kill -STOP "$(stage_pid back)"
		sleep 0.2
		is_verdict D3 -s ctl.sock
	}
	wait_for is_stopped
	[ "$status" -eq 1 ] || fail "$case_name: status $status"
	inner=$(jq .kick.eventfd_id out)
	outer=$(jq .kick.front_end_eventfd_id out)
	[ "$inner" != "$outer" ] || fail "$case_name: one eventfd for both: $(jq -c .kick out)"
	ids back | grep -qx "$inner" || fail "$case_name: the back-end has no eventfd $inner"
	if ids back | grep -qx "$outer"; then fail "$case_name: the back-end has eventfd $outer"; fi
	ids front | grep -qx "$outer" || fail "$case_name: the front-end has no eventfd $outer"
	jq -e --arg text "eventfd $inner, which the proxy passed in place of $outer)" \
		'.kick.count > 0 and (.verdict.text | contains($text))' out >/dev/null ||
		fail "$case_name: $(jq -c '[.verdict, .kick]' out)"
	has_stalled() {
		"$vhu" dump --json vm.pcapng | jq -se --arg text \
			"eventfd $inner, which the proxy passed in place of $outer) and the back-end does not read it" \
			'any(.[]; .type == "vring snapshot" and .kick.eventfd_id == '"$inner"' and
				(.verdict.text | contains($text)))' >stalled
	}
	wait_for has_stalled
	"$vhu" rings -s ctl.sock >text || :
	grep -q 'kick [1-9][0-9]* (interposed), call [0-9]* (interposed)' text || fail "$case_name: $(cat text)"
	# The capture has the front-end's ids only.
	rings -r vm.pcapng
	jq -e '.kick.count == null and .kick.front_end_eventfd_id == '"$outer"' and
		([.verdict.id] + .verdict.alternatives | index("D3") != null) and
		(.verdict.text | contains("the proxy stands between"))' out >/dev/null ||
		fail "$case_name, by the capture: $(jq -c '[.verdict, .kick]' out)"
	[ "$(jq .dead_eventfds out)" = null ] || fail "$case_name: leaked eventfds are counted"
	all_out
done

# A proxy that stands between and cannot run is the cause: by its capture, and by each side.
case_name='proxy stopped'
back --device blk
proxy --interpose-eventfds
front --device blk --operation read --rate 50
# The vring has kicks and calls that the proxy passes on.
serves() {
	is_there && [ "$(jq .used out)" -gt 5 ]
}
wait_for serves
kill -STOP "$(stage_pid proxy)"
expect_by D21 -r vm.pcapng
jq -e --argjson pid "$(stage_pid proxy)" '.proxy == {pid: $pid, state: "T", unread: 0} and .verdict.hangs and
	(.verdict.text | contains("the proxy (pid \($pid)) is stopped by a signal (T)")) and
	(.verdict.advice | contains("kill -CONT"))' out >/dev/null || fail "$case_name: $(cat out)"
for party in back front; do
	expect_by D21 -p "$(stage_pid $party)"
done
kill -CONT "$(stage_pid proxy)"
runs() {
	is_there && [ "$(jq -r .verdict.id out)" != D21 ]
}
wait_for runs
all_out
