# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of vhu attach share. To be sourced by a script that has set $build, the build folder;
# leaves it in an empty folder of its own.

build=$(cd "$build" && pwd)
bin=$build/bin
folder=$(mktemp -d "${TMPDIR:-/tmp}/attach.XXXXXX")
jobs=
trap 'for job in $jobs; do kill "$job" 2>/dev/null || :; done; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$folder" || exit
export LC_ALL=C

fail() {
	echo "$*"
	tail -n 20 ./*.log 2>/dev/null || :
	exit 1
}

# End as a test that lacks something, unless the programs $* are there.
need() {
	for program in "$@"; do
		command -v "$program" >/dev/null && continue
		echo "lacks $program"
		exit 77
	done
}

# Wait until the command $* succeeds, not for ever.
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "waited in vain for: $*"
		sleep 0.1
	done
}

# Start the program $2... in the background, with what it says in $1.log; its process is $started.
start() {
	log=$1.log
	shift
	"$@" >"$log" 2>&1 &
	started=$!
	jobs="$jobs $started"
}

# Start vhu attach with the options $*, and wait until it watches. Where it cannot, that is no fault of
# this test.
attach() {
	: >attach.log
	"$bin/vhu" attach "$@" 2>attach.log &
	attached=$!
	jobs="$jobs $attached"
	wait_for grep -q . attach.log
	grep -q watching attach.log && return
	echo "lacks probes: $(cat attach.log)"
	exit 77
}

# End vhu attach as Ctrl-C does.
detach() {
	kill -INT "$attached"
	wait "$attached" || fail "vhu attach ended with status $?"
}

# Return whether something listens at the socket $1.
listens() {
	grep -q " 00010000 .* $1\$" /proc/net/unix
}

# Write what the capture $1 holds to $1.lines, without what two captures of one session cannot have in
# common: times, numbers, who is at the ends of a man in the middle, inodes of inner channels' sockets,
# and which side closed an inner channel first at a session's end. When an inner channel ends is no
# matter of order either: its end is moved to the end.
lines() {
	"$bin/vhu" dump --json -x "$1" | jq -c 'select(.type != "continued")
		| del(.time_ns, .number, .request_number, .delay_ns, .offered_by, .front_end, .back_end)
		| (.fds[]? | select(.kind == "socket")) |= del(.inode, .name)
		| if .type == "closed" and .channel != "front-end" then del(.text) else . end' >"$1.all"
	inner='"type":"closed",.*"channel":"(back-end|gpu)"'
	{
		grep -Ev "$inner" "$1.all" || :
		grep -E "$inner" "$1.all" | sort || :
	} >"$1.lines"
}
