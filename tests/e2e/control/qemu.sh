#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU's sessions go on while they are listed, followed and told of again and again; what is
# followed is what the capture holds; and one that is to be closed is.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
session=$programs/qemu_session

export LC_ALL=C VHU_CONTROL="$stage/control"

# Wait until the command that follows succeeds; between, the party $1 must not end.
await() {
	party=$(stage_pid "$1") tries=0
	shift
	until "$@"; do
		kill -0 "$party" 2>/dev/null || fail "ended while waited for: $*"
		tries=$((tries + 1))
		[ $tries -lt 6000 ] || fail "waited for: $*"
		sleep 0.01
	done
}

# Print the number of a session of QEMU with a running vring; fail without one.
running() {
	"$vhu" ctl --json sessions >sessions.json 2>ctl.log || fail "vhu ctl sessions"
	jq -e '[.sessions[] | select(.vrings[0].started and .vrings[0].kick.eventfd_id != null)
		| select(.front_end.comm | startswith("qemu"))][0].session // empty' sessions.json \
		>number 2>jq.log
}

stage_start proxy "$vhu" proxy --control - -w capture.pcapng front back
stage_listens proxy "$stage/control"
stage_listens proxy front
stage_start_piped follower "$vhu" ctl --json follow
cat follower.out >followed &
reader=$!

# Look at what there is, again and again, until the file "enough" is there.
look() {
	until [ -e enough ]; do
		"$vhu" ctl sessions >told 2>ctl.log || fail "vhu ctl sessions"
		kill -USR1 "$(stage_pid proxy)"
		sleep 0.02
	done
}

# Sessions that are looked at all the time do what they do without.
look &
looker=$! status=0
"$session" --front "$stage/front" --back "$stage/back" --rounds 10 || status=$?
touch enough
wait "$looker" || fail "what looked at it failed"
[ "$status" -eq 0 ] || exit "$status"

# One that is closed is.
stage_start qemu "$session" --front "$stage/front" --back "$stage/back" --rounds 100000
await qemu running
kill -USR1 "$(stage_pid proxy)"
await proxy grep -q 'qemu-system-x86' proxy.log
"$vhu" ctl close "$(cat number)" "enough of it" >told || fail "vhu ctl close"
! "$vhu" ctl session "$(cat number)" 2>ctl.log || fail "the session is still open"
stage_end qemu TERM 2>kill.log || :
stage_end proxy TERM || fail "the proxy ended with $?"
stage_end follower || fail "vhu ctl follow ended with $?"
wait "$reader"

"$vhu" dump --json - <capture.pcapng >dumped 2>dump.log || fail "vhu dump"
first=$(head -n 1 followed | jq .number)
jq -c "select(.number >= $first)" dumped >expected
jq -c . followed >got
cmp -s expected got || {
	diff expected got | cut -c 1-200 | head -n 10
	fail "what was followed is not what the capture holds"
}
jq -e "select(.session == $(cat number) and .type == \"closed\" and .channel == \"front-end\")
	| .text == \"closed on request: enough of it\"" dumped >told || fail "closed for another reason"
[ "$(wc -l <got)" -gt 80 ] || fail "only $(wc -l <got) records were followed"
echo "$(wc -l <got) records are the same in the capture and in what was followed"
