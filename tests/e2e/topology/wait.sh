#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --retry and --one: the proxy waits for an absent side, as long as given; one session
# after the other, in the front-ends' order of arrival.
. "$(dirname "$0")/../../lib/common.sh"
work_open
front=$build/bin/vhu-sample-frontend

refused() {
	text=$1 status=0
	shift
	timeout 100 "$vhu" proxy "$@" f.sock b.sock >said 2>&1 </dev/null || status=$?
	[ "$status" -eq 2 ] || fail "status $status for: $*: $(cat said)"
	[ "$(wc -l <said)" -eq 1 ] && grep -qF -- "$text" said || fail "$*: $(cat said)"
}

back() {
	stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 1 --socket-path=b.sock
	stage_listens back b.sock
}

# Begin the party $1: a front-end that waits as long as it takes.
come() {
	name=$1
	shift
	stage_start "$name" "$front" --timeout 120s "$@" f.sock
}

# Started in the wrong order: front-end, proxy, back-end; all are served.
stage_start proxy "$vhu" proxy --retry -w retry.pcapng f.sock b.sock
stage_listens proxy f.sock
come one --requests 10
come two --requests 10
await 'grep -q "b.sock: No such file or directory: waiting until somebody listens there" proxy.log' \
	"the proxy waits"
back
stage_end one || fail "the first front-end ended with status $?"
stage_end two || fail "the second front-end ended with status $?"
# A socket without a listener, and an end to patience with a front-end that waits.
stage_end back KILL || :
come three --requests 10
await 'grep -q "b.sock: Connection refused: waiting" proxy.log' "the proxy waits again"
rm b.sock
back
stage_end three || fail "the third front-end ended with status $?"
stage_end back KILL || :
come four --requests 10
await '[ "$(grep -c waiting proxy.log)" -eq 3 ]' "the proxy waits once more"
stage_end proxy TERM || fail "the proxy ended with status $?"
stage_end four && fail "a front-end without back-end did well"
[ "$("$vhu" dump retry.pcapng | grep -c 'session opened')" -eq 3 ] ||
	fail "front-ends that waited in vain appear as sessions"

# So long and no longer.
stage_start proxy "$vhu" proxy --retry=200ms -w late.pcapng f.sock b.sock
stage_listens proxy f.sock
come late --requests 10
stage_end late && fail "a front-end without back-end did well"
stage_end proxy TERM || fail "the proxy ended with status $?"
"$vhu" dump late.pcapng | grep -q 'error.*b.sock: Connection refused' ||
	fail "what was missed is not in the capture"
# The proxy connects to both sides: if neither comes, it ends with an error.
rm -f b.sock
status=0
timeout 60 "$vhu" proxy --retry=0.2s connect:f.sock connect:b.sock >said 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "status $status where neither side is there"
printf 'retry 0\npair connect:f.sock connect:b.sock\n' >conf
status=0
timeout 60 "$vhu" proxy --config conf >said 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "status $status with no patience at all"

# The order of what begins and ends in the capture $1.
order() {
	"$vhu" dump "$1" | sed -n 's/.* session \(opened\|closed\).*/\1/p' | tr '\n' ' '
}

# Two at once, unless one is asked for.
stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 1 --socket-path=b.sock
stage_listens back b.sock
for mode in many one; do
	option=
	[ "$mode" = many ] || option=--one
	# shellcheck disable=SC2086 # empty for many
	stage_start proxy "$vhu" proxy $option -w $mode.pcapng f.sock b.sock
	stage_listens proxy f.sock
	come a --duration 60s
	await '"$vhu" dump $mode.pcapng 2>/dev/null | grep -q SET_VRING_KICK' "the first is served"
	come b --requests 10
	if [ "$mode" = many ]; then
		await '[ "$(order many.pcapng)" = "opened opened " ]' "both have a session"
	else
		sleep 0.3
		[ "$(order one.pcapng)" = "opened " ] || fail "--one: $(order one.pcapng)"
	fi
	stage_end a TERM || :
	stage_end b || fail "$mode: the second front-end ended with status $?"
	stage_end proxy TERM || fail "$mode: the proxy ended with status $?"
done
[ "$(order one.pcapng)" = "opened closed opened closed " ] ||
	fail "one at a time: $(order one.pcapng)"

refused 'soon: not a time' --retry=soon
refused '-1: not a time' --retry=-1
refused '99999999999999: not a time' --retry=99999999999999
refused ': not a time' --retry=
refused 'this option takes no argument' --one=2
echo "who waits is served, in order"

# Once the control socket answers every pair can be connected to, the last of many too.
if "$vhu" ctl --help >/dev/null 2>&1; then
	for n in $(seq 300); do
		echo "pair $n.sock b.sock"
	done >many.conf
	stage_start many "$vhu" proxy -q --config many.conf --control "$stage/control"
	await '"$vhu" ctl -s "$stage/control" version >said 2>&1' "the control socket answers"
	"$front" --requests 1 300.sock >said 2>&1 || fail "not ready though the control socket answers"
	stage_end many TERM || fail "the proxy ended with status $?"
fi
