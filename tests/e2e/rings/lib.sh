# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of vhu rings share: a back-end, a proxy and a front-end, and what vhu rings says.

. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open
. "$top/tests/lib/parties.sh"

# Start the proxy between both sides.
proxy() {
	rm -f vm.pcapng
	stage_start proxy "$vhu" proxy -q -w vm.pcapng --control ctl.sock "$@" front.sock back.sock
	stage_listens proxy front.sock
}

# End all parties, whatever state they are in.
all_out() {
	for party in front proxy back; do
		[ -z "$(stage_pid $party)" ] || kill -CONT "$(stage_pid $party)" 2>/dev/null || :
		[ -z "$(stage_pid $party)" ] || stage_end $party KILL || :
	done
	rm -f ./*.sock ./*.log
}

# Run vhu rings with the options $*; what it says about vring 0 is in the file out, its status in
# $status.
rings() {
	status=0
	"$vhu" rings --json --vring 0 "$@" >out 2>err || status=$?
}

# Return whether vring 0 can be looked at.
is_there() {
	rings -r vm.pcapng
	[ -s out ]
}

# Return whether the verdict is $1, with its alternatives: "D1,D4"; the other words are the
# source.
is_verdict() {
	wanted=$1
	shift
	[ $# -gt 0 ] || set -- -r vm.pcapng
	rings "$@"
	[ "$(jq -r '[.verdict.id] + .verdict.alternatives | join(",")' out)" = "$wanted" ]
}

# Wait until the verdict of a source ($2...) is $1; the status must agree with it.
expect_by() {
	wait_turn=0
	until is_verdict "$@"; do
		wait_turn=$((wait_turn + 1))
		[ "$wait_turn" -lt 100 ] || fail "$case_name: not $* but: $(jq -c .verdict out) $(cat err)"
	done
	[ "$status" = "$(jq 'if .verdict.hangs or .verdict.id == "unread" then 1 else 0 end' out)" ] ||
		fail "$case_name: status $status with $(jq -c .verdict out)"
	schemas_keep out "$case_name"
}

# Wait until the verdict is $1 by the capture, and by the control socket unless there is a second word:
# the proxy tells less of what was before.
expect() {
	expect_by "$1" -r vm.pcapng
	[ $# -gt 1 ] || expect_by "$1" -s ctl.sock
}
