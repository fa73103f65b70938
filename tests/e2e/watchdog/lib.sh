# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of the watchdog share: a back-end, a proxy that watches, a front-end, and what the proxy
# says and records.

. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
. "$top/tests/lib/parties.sh"

# Start the proxy with the options $* between both sides.
proxy() {
	stage_start proxy "$vhu" proxy -w vm.pcapng "$@" front.sock back.sock
	stage_listens proxy front.sock
}

# End all parties, whatever state they are in, and forget what they left.
all_out() {
	for party in front proxy back; do
		[ -z "$(stage_pid $party)" ] || kill -CONT "$(stage_pid $party)" 2>/dev/null || :
		# A back-end that sleeps over a request hears nothing else.
		[ $party = back ] && signal=KILL || signal=TERM
		[ -z "$(stage_pid $party)" ] || stage_end $party $signal || :
	done
	! grep -h 'sandbox refused' ./*.log || fail 'the sandbox is too narrow'
	rm -f ./*.sock ./*.log ./*.pcapng
}

# Print the snapshots in the capture $1 (vm.pcapng) as JSON, one a line.
snapshots() {
	"$vhu" dump --json "${1:-vm.pcapng}" 2>/dev/null |
		jq -c 'select(.type == "vring snapshot")'
}

# Return whether the proxy has said $1 stalls so far.
stalls() {
	[ "$(grep -c ': stall: ' proxy.log)" -ge "$1" ]
}

# Return whether the sample front-end has had requests done on vring 0: it kicked, and more than once.
works() {
	"$vhu" ctl -s ctl.sock --json sessions | jq -se '.[0].sessions[0].vrings[0].started' >/dev/null
}
