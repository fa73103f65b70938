#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The flight recorder: nothing is written until a session ends badly or a signal comes; then what led
# to it, in a file that can be read alone.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Run vhu proxy with the arguments $3... It must end with status $1 by itself and say one line, with
# $2 in it.
refused() {
	want=$1 text=$2 status=0
	shift 2
	timeout 100 "$vhu" proxy "$@" a.sock b.sock >said 2>&1 </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "status $status, not $want, for: $*: $(cat said)"
	[ "$(wc -l <said)" -eq 1 ] || fail "not one line for: $*: $(cat said)"
	grep -qF -- "$text" said || fail "nothing about '$text' for: $*: $(cat said)"
}

# Wait until the log of party $1 has a line with $2 for the $3rd time.
await() {
	turn=0
	until [ "$(grep -c -- "$2" "$1.log")" -ge "$3" ]; do
		turn=$((turn + 1))
		[ "$turn" -lt 600 ] || fail "$1 does not say: $2"
		sleep 0.05
	done
}

# Drive the back-end behind the socket $1, with the options $2...
drive() {
	socket=$1
	shift
	"$build/bin/vhu-sample-frontend" --timeout 60s "$@" "$socket" >driven 2>>front.log
}

# Let a disk listen at $1.sock, with the options $2...
disk() {
	name=$1
	shift
	stage_start "$name" "$build/bin/vhu-sample-backend" --device blk --memory 1 \
		"--socket-path=$stage/$name.sock" "$@"
	stage_listens "$name" "$stage/$name.sock"
}

# Print the number of files of the series $1.
count() {
	find . -name "$1_[0-9]*_[0-9]*.pcapng" | wc -l
}

refused 2 'not a size from 1M on' -w a.pcapng --flight-recorder=64K
refused 2 'not a size from 1M on' -w a.pcapng --flight-recorder=lots
refused 2 'not a size from 1M on' -w a.pcapng --flight-recorder=99999999999G
refused 2 'goes with no -b but files:' -w a.pcapng --flight-recorder -b filesize:10
refused 2 'name them by -w' --flight-recorder
refused 2 'name them by -w' --flight-recorder -w -
refused 1 'none/a.pcapng: cannot write a capture: No such file' -w none/a.pcapng --flight-recorder

disk good
disk bad --fault close-at:SET_VRING_ENABLE

# Where all ends well nothing is written. What a signal asks for is there at once.
stage_start well "$vhu" proxy -w well.pcapng --flight-recorder "$stage/well.sock" "$stage/good.sock"
stage_listens well "$stage/well.sock"
drive "$stage/well.sock" --requests 5 || fail "the front-end failed"
kill -USR2 "$(stage_pid well)"
await well 'well_00001_.*: [0-9]* records: asked for by a signal' 1
drive "$stage/well.sock" --requests 5 || fail "the front-end failed"
stage_end well TERM || fail "the proxy ended with status $?"
[ "$(count well)" -eq 1 ] || fail "not one file was written: $(ls)"
"$vhu" check --severity error well_00001_*.pcapng >checked 2>&1 ||
	fail "what was written is misunderstood: $(cat checked)"

# A back-end that goes in the middle: what led to it is written, with the good session before.
stage_start ill "$vhu" proxy --pair "$stage/good.front=$stage/good.sock" \
	--pair "$stage/bad.front=$stage/bad.sock" -w ill.pcapng --flight-recorder -b files:2
stage_listens ill "$stage/bad.front"
drive "$stage/good.front" --requests 5 || fail "the front-end failed"
for n in 1 2 3; do
	if drive "$stage/bad.front" --requests 5; then
		fail "a front-end did well without its back-end"
	fi
	await ill 'ended badly' "$n"
done
grep -q 'ill_00001_.*: [0-9]* records: session 2 ended badly: the back-end .*closed' ill.log ||
	fail "it does not say why: $(cat ill.log)"
stage_end ill TERM || fail "the proxy ended with status $?"
grep -q '; flight recorder: 3 files, the oldest 1 deleted: ill_00002_' ill.log ||
	fail "the summary is wrong: $(cat ill.log)"
[ "$(count ill)" -eq 2 ] || fail "not 2 files stay: $(ls)"
for n in 2 3; do
	"$vhu" check ill_0000"$n"_*.pcapng >checked 2>&1 || :
	grep -q 'session [0-9]*: likeliest cause: the back-end .*closed' checked ||
		fail "file $n does not say why: $(cat checked)"
	# Whole sessions: the one before was written before.
	"$vhu" dump ill_0000"$n"_*.pcapng >dump || fail "file $n cannot be read"
	[ "$(grep -c 'session opened' dump)" -eq 1 ] || fail "file $n: $(cat dump)"
done

# A session that goes on: kicks and calls are messages, so many that the ring is passed over.
stage_start on "$vhu" proxy -w on.pcapng --flight-recorder=1M "$stage/on.sock" "$stage/good.sock"
stage_listens on "$stage/on.sock"
stage_start load "$build/bin/vhu-sample-frontend" --in-band --timeout 60s --duration 280s \
	--rate 8000 "$stage/on.sock"
asked=0
until [ "$asked" -ge 2 ] && [ "$(sed -n 2p dump | grep -c '(earlier)')" -eq 1 ] &&
	[ "$(grep -c 'VRING_KICK' dump)" -gt 10 ]; do
	[ "$asked" -lt 100 ] || fail "the second file tells nothing of before: $(cat on.log)"
	sleep 0.3
	asked=$((asked + 1))
	kill -USR2 "$(stage_pid on)"
	await on 'asked for by a signal' "$asked"
	part=$(ls on_*.pcapng | tail -n 1)
	"$vhu" dump "$part" >dump || fail "$part cannot be read"
done
head -n 1 dump | grep -q '(earlier) session opened, front-end ' || fail "$(head -n 3 dump)"
tail -n 1 dump | grep -q 'capture continued$' || fail "$(tail -n 3 dump)"
"$vhu" check --severity warning "$part" >checked 2>&1 ||
	fail "what was written is misunderstood: $(cat checked)"
"$vhu" stats "$part" >stats || fail "$part cannot be counted"
grep -q 'device *BLOCK' stats && grep -q 'earlier, not counted' stats ||
	fail "the device is not known: $(cat stats)"
[ "$(find . -name 'on_*.pcapng' -size +2M | wc -l)" -eq 0 ] || fail "more than the ring holds"
stage_end load TERM || :
stage_end on TERM || fail "the proxy ended with status $?"

# A disk without room: what was to be written stays in memory, and is written when there is room.
mkdir small
if ! mount -t tmpfs -o size=64k tmpfs small 2>mount.err; then
	echo "lacks the right to mount a small file system: $(cat mount.err)"
	exit 77
fi
trap 'flight_status=$?; umount "$stage/small"; work_close $flight_status' EXIT
head -c 60000 /dev/zero >small/ballast
stage_start full "$vhu" proxy -w small/vm.pcapng --flight-recorder "$stage/full.sock" "$stage/good.sock"
stage_listens full "$stage/full.sock"
for _ in 1 2; do
	drive "$stage/full.sock" --requests 5 || fail "the front-end failed"
done
kill -USR2 "$(stage_pid full)"
await full 'No space left on device: what has passed cannot be written, and is kept' 1
[ -z "$(ls small/vm* 2>/dev/null)" ] || fail "half a file was left"
rm small/ballast
kill -USR2 "$(stage_pid full)"
await full 'vm_00001_.*records: asked for by a signal' 1
stage_end full TERM || fail "the proxy ended with status $?"
"$vhu" dump small/vm_00001_*.pcapng >dump || fail "what was kept cannot be read"
[ "$(grep -c 'session opened' dump)" -eq 2 ] || fail "not both sessions were kept: $(cat dump)"
echo "what led to a bad end is there, and nothing before it"
