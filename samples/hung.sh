#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Vrings that hang, one cause after the other, and what vhu rings says about each of them: the back-end
# does not re-arm notification, swallows a kick, loses a call, is slow, never reads its kick, notes no
# request in the in-flight area, is stopped, or is gone; the front-end is stopped.
#
# The samples stand in for a virtual machine and its back-end, with vhu proxy between them. Each case is a
# few seconds long. All work goes on in a temporary folder that is removed; nothing needs root.
#
# usage: sh samples/hung.sh [--built FOLDER]
#   --built FOLDER  use the build in this folder instead of building with the preset "release"
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/stage.sh"

# The proxy's further options, and where vhu rings learns of the session.
between='' from='-r vm.pcapng'

# Start a back-end, the proxy and a front-end: $1 are the back-end's options, $2 the front-end's.
parties() {
	rm -f back.sock front.sock vm.pcapng
	# shellcheck disable=SC2086 # options are several words
	stage_start back "$build/bin/vhu-sample-backend" --socket-path=back.sock $1
	stage_listens back back.sock
	# shellcheck disable=SC2086
	stage_start proxy "$vhu" proxy -q -w vm.pcapng $between front.sock back.sock
	stage_listens proxy front.sock
	# shellcheck disable=SC2086
	stage_start front "$build/bin/vhu-sample-frontend" --requests 100000 --timeout 100s $2 front.sock
}

# End the parties, whatever state they are in.
parties_end() {
	for party in front proxy back; do
		kill -CONT "$(stage_pid $party)" 2>/dev/null || :
		stage_end $party KILL 2>/dev/null || :
	done
}

# Return whether vhu rings comes to say the verdict $1, in $2 looks.
is_said() {
	turn=0
	# shellcheck disable=SC2086
	until { "$vhu" rings $from --vring 0 || :; } >said.txt 2>said.err &&
		grep -q "($1[) ]" said.txt; do
		turn=$((turn + 1))
		[ "$turn" -lt "$2" ] || return 1
		sleep 0.1
	done
}

# Look into the vring until vhu rings says the verdict $1, and show what it says.
verdict() {
	is_said "$1" 100 || stage_fail "vhu rings does not say $1: $(cat said.txt said.err)"
	show <said.txt
}

# A case: $1 says what is wrong, $2 and $3 are the options of both parties, $4 is the verdict.
case_is() {
	step "$1"
	parties "$2" "$3"
	verdict "$4"
	parties_end
}

# The same, when party $5 is sent the signal $6 after requests were done.
case_after() {
	tries=0
	step "$1"
	parties "$2" "$3"
	until "$vhu" rings --json -r vm.pcapng 2>/dev/null | grep -q '"used":[1-9]'; do sleep 0.1; done
	kill "-$6" "$(stage_pid "$5")"
	# A signal may come in the middle of a request, and then that is what is said: once more.
	until is_said "$4" 20; do
		kill -CONT "$(stage_pid "$5")"
		tries=$((tries + 1))
		[ "$tries" -lt 10 ] || break
		sleep 0.1
		kill "-$6" "$(stage_pid "$5")"
	done
	verdict "$4"
	parties_end
}

stage_options "$@"
stage_open
stage_build
cd "$stage"

blk='--device blk --operation read'
old='--without INFLIGHT_SHMFD'
case_is 'The back-end does not re-arm notification' '--device blk --fault stale-event:1/2' \
	"$blk --event-idx --depth 2" D2
case_is 'The back-end reads a kick and does nothing' '--device blk --fault lose-kick:1/9' "$blk" D1
case_is 'The same, and nothing tracks what was taken' "--device blk --fault lose-kick:1/9 $old" "$blk" D1
between='--interpose-eventfds --control ctl.sock' from='-s ctl.sock'
case_is 'The same, and the proxy counts kicks and calls' '--device blk --fault lose-kick:1/9' "$blk" D20
between='' from='-r vm.pcapng'
case_is 'The back-end is slow' '--device blk --delay 99s' "$blk" D4
case_is 'The back-end loses a call' '--device rng --fault lose-call:1/9' '--device rng --event-idx' D13
case_is 'The back-end never reads its kick' '--device rng --fault unread-kick' \
	'--device rng --rate 50' D16
case_is 'The in-flight area lacks what was taken' '--device blk --delay 99s --fault no-inflight' \
	"$blk --event-idx" D12
case_after 'The back-end is stopped' '--device blk' "$blk" D3 back STOP
case_after 'The back-end polls, and is stopped' '--device blk' "$blk --poll" D15 back STOP
case_after 'The front-end is stopped' '--device blk --delay 300ms' "$blk --depth 4" D6 front STOP

step 'The back-end is gone'
parties '--device blk' "$blk"
until "$vhu" rings --json -r vm.pcapng 2>/dev/null | grep -q '"used":[1-9]'; do sleep 0.1; done
stage_end back KILL 2>/dev/null || :
until "$vhu" dump vm.pcapng | grep -q 'session closed'; do sleep 0.1; done
{ "$vhu" rings -r vm.pcapng 2>&1 || :; } | show
{ "$vhu" check vm.pcapng || :; } | show
stage_end proxy KILL || :
stage_end front || :
