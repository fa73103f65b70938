#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The flight recorder of vhu attach writes what led to a bad end, and what a signal asks for; the files of
# -b follow one another. Each file can be read alone, also that of a session that began before vhu attach,
# and vhu check finds no error in what was healthy.
. "$(dirname "$0")/lib.sh"

# Wait until what vhu attach has said has $1 for the $2nd time.
await() {
	said() {
		[ "$(grep -c -- "$1" attach.log)" -ge "$2" ]
	}
	wait_for said "$1" "$2"
}
# Let a disk listen at $1, with the options $2...
disk() {
	name=$1
	shift
	stage_start "$name" "$back_end" --device blk --memory 1 --socket-path="$work/$name" "$@"
	stage_listens "$name" "$work/$name"
}
# Drive the disk $1 with the options $2...
drive() {
	socket=$1
	shift
	"$front_end" --device blk --timeout 60s "$@" "$work/$socket" >front.log 2>&1
}
# Fail unless vhu check finds no error in the capture $1, and no warning either unless $2 says "error".
healthy() {
	"$vhu" check --severity "${2:-warning}" "$1" >checked 2>&1 || fail "$1 is misunderstood: $(cat checked)"
}
count() {
	find . -name "$1_[0-9]*_[0-9]*.pcapng" | wc -l
}

disk good
disk bad --fault close-at:SET_VRING_ENABLE

# Nothing is written until a signal comes, nor when all ends well; each record is written once.
attach --socket "$work/good" -w well.pcapng --flight-recorder
drive good --requests 5 || fail "the front-end failed"
stage_start before "$front_end" --device blk --rate 50 --duration 600s "$work/good"
newest() {
	find . -name "$1_*.pcapng" | sort | tail -n 1
}
# Ask for what there is. Return whether there was nothing since, and something before.
all_written() {
	turn=$((turn + 1))
	kill -USR2 "$(stage_pid attach)"
	await 'asked for by a signal' $turn
	tail -n 1 attach.log | grep -q 'nothing to write, nothing has passed since' &&
		"$vhu" dump well_*.pcapng | grep -v '(earlier)' | grep -c -- '-> SET_OWNER' | grep -q 2
}
[ "$(count well)" -eq 0 ] || fail "a file was written that nobody asked for"
turn=0
wait_for all_written
for part in well_*.pcapng; do
	healthy "$part"
done
stage_end attach INT || fail "vhu attach ended with status $?"
[ "$(count well)" -eq "$(grep -c 'records: asked for by a signal' attach.log)" ] ||
	fail "there are $(count well) files: $(cat attach.log)"
grep -q "; flight recorder: .*well_" attach.log || fail "the end does not name the files: $(cat attach.log)"

# A session that began before: its file says so.
attach --pid "$(stage_pid good)" -w old.pcapng --flight-recorder
stage_end before INT || :
ends() {
	kill -USR2 "$(stage_pid attach)"
	sleep 0.1
	part=$(newest old)
	[ -n "$part" ] && "$vhu" dump "$part" | grep -q 'session closed'
}
wait_for ends
"$vhu" dump --json "$(find . -name 'old_00001_*.pcapng')" |
	jq -se 'map(select(.type == "opened"))[0].marks | index("begun")' >/dev/null ||
	fail "the session does not say that it began before: $("$vhu" dump old_00001_*.pcapng | head -n 3)"
for part in old_*.pcapng; do
	healthy "$part" error
done
stage_end attach INT || fail "vhu attach ended with status $?"

# A back-end that closes in the middle: what led to that is written without being asked for.
attach --socket "$work/bad" --socket "$work/good" -w ill.pcapng --flight-recorder -b files:2
drive good --requests 5 || fail "the front-end failed"
for n in 1 2 3; do
	if drive bad --requests 5; then
		fail "a front-end did well without its back-end"
	fi
	await 'ended badly' $n
done
grep -q 'ill_00001_.*: [0-9]* records: session 2 ended badly: the back-end .*closed' attach.log ||
	fail "it does not say why: $(cat attach.log)"
stage_end attach INT || fail "vhu attach ended with status $?"
[ "$(count ill)" -eq 2 ] || fail "not 2 files stay: $(ls)"
"$vhu" check "$(newest ill)" >checked 2>&1 || :
grep -q 'likeliest cause: the back-end .*closed' checked || fail "the file does not say why: $(cat checked)"

# A session that goes on, whose kicks and calls are messages: the memory is passed over, and later files
# begin with what it has negotiated.
attach --socket "$work/good" -w on.pcapng --flight-recorder=1M
stage_start load "$front_end" --device blk --in-band --timeout 60s --duration 280s --rate 4000 "$work/good"
asked=0
until [ "$asked" -ge 2 ] && [ "$(sed -n 2p dump | grep -c '(earlier)')" -eq 1 ] &&
	[ "$(grep -c 'VRING_KICK' dump)" -gt 10 ]; do
	[ "$asked" -lt 100 ] || fail "later files have nothing of before: $(cat attach.log)"
	sleep 0.3
	asked=$((asked + 1))
	kill -USR2 "$(stage_pid attach)"
	await 'asked for by a signal' "$asked"
	"$vhu" dump "$(newest on)" >dump || fail "$(newest on) cannot be read"
done
head -n 1 dump | grep -q '(earlier) session opened, front-end ' || fail "$(head -n 3 dump)"
healthy "$(newest on)"
"$vhu" stats "$(newest on)" | grep -q 'device *BLOCK' || fail "the device is not known"
[ "$(find . -name 'on_*.pcapng' -size +2M | wc -l)" -eq 0 ] || fail "a file has more than the memory"
stage_end attach INT || fail "vhu attach ended with status $?"

# Files of so many records, the last three of which stay; a signal begins the next one.
attach --socket "$work/good" -w part.pcapng -b packets:1000 -b files:3
four() {
	[ -e "$(find . -name 'part_00004_*.pcapng')" ]
}
wait_for four
begun=$(newest part)
kill -USR2 "$(stage_pid attach)"
await 'was begun: asked for by a signal' 1
[ "$(newest part)" != "$begun" ] || fail "the signal began no file"
stage_end load INT || :
whole() {
	for part in $(find . -name 'part_*.pcapng' | sort | tail -n 2); do
		"$vhu" dump "$part"
	done | grep -q 'session closed: front-end closed'
}
wait_for whole
stage_end attach INT || fail "vhu attach ended with status $?"
[ "$(count part)" -eq 3 ] || fail "not 3 files stay: $(ls)"
for part in part_*.pcapng; do
	"$vhu" dump "$part" >dump || fail "$part cannot be read"
	head -n 1 dump | grep -q '(earlier) session opened, it began before the capture, ' || fail "$part: $(head -n 3 dump)"
	healthy "$part" error
done

# A file that cannot grow keeps what it has, and that is said. Nothing ends when nohup(1) has a hangup
# ignored.
rm attach.log
stage_start attach sh -c 'ulimit -f 8; trap "" HUP; exec "$@"' sh "$vhu" attach --socket "$work/good" -w small.pcapng
wait_for grep -q watching attach.log
kill -HUP "$(stage_pid attach)"
drive good --requests 5 || fail "the front-end failed"
wait_for grep -q 'small.pcapng: File too large: records are being lost; watching goes on' attach.log
status=0
stage_end attach INT || status=$?
[ "$status" = 1 ] || fail "records were lost: status $status"
"$vhu" dump small.pcapng >dump && grep -q SET_FEATURES dump || fail "small.pcapng is not whole"
echo "each file can be read alone"
