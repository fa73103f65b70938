#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Captures of several files: names, when the next is begun, which are deleted; each of them read alone
# says what the whole says, and followed from the first they are the whole.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open

. "$top/tests/e2e/proxy/capture_parts.sh"

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

# Drive the disk behind the socket $1, and wait until all of that has passed.
drive() {
	drives=$((drives + 1))
	"$build/bin/vhu-sample-frontend" --timeout 60s --requests 20 --json "$1" >driven 2>front.log ||
		fail "the front-end failed: $(cat front.log)"
	stage_settles whole.pcapng $drives
}

# Wait until the series $1 has begun: a proxy listens a little earlier.
written() {
	wait_for begun "$1"
}
begun() {
	[ -s "$(ls "$1"_00001_*.pcapng 2>/dev/null | head -n 1)" ]
}

# Print how many files have names that begin with $1, as a series has them.
count() {
	find . -maxdepth 1 -regextype posix-extended -regex "\./$1_[0-9]{5}_[0-9]{14}\.pcapng" | wc -l
}

refused 2 'neither filesize:KB' -w a.pcapng -b size:3
refused 2 'neither filesize:KB' -w a.pcapng -b filesize
refused 2 'filesize:0: not a number' -w a.pcapng -b filesize:0
refused 2 'packets:x: not a number' -w a.pcapng -b packets:x
refused 2 'files:100001: not a number' -w a.pcapng -b packets:1 -b files:100001
refused 2 'filesize:99999999999999999999: not a number' -w a.pcapng -b filesize:99999999999999999999
refused 2 'duration:soon: not a time' -w a.pcapng -b duration:soon
refused 2 'interval:0: not a time' -w a.pcapng -b interval:0
refused 2 'name them by -w' -b filesize:1
refused 2 'name them by -w' -w - -b filesize:1
refused 2 'when is the next file to begin' -w a.pcapng -b files:3
refused 2 'max-disk writes files: name them by -w' --max-disk 16M
refused 2 '10M: not a size from 16M on' -w a.pcapng --max-disk 10M
refused 2 'less than two files' -w a.pcapng --max-disk 16M -b filesize:9000
refused 2 'less than two times' -w a.pcapng --max-disk 16M --flight-recorder
refused 1 'none/a.pcapng: cannot write a capture: No such file' -w none/a.pcapng -b filesize:1
[ "$(count a)" -eq 0 ] || fail "files were left by a proxy that did not start"
"$vhu" proxy --check-config -w a.pcapng --max-disk 16M a.sock b.sock >said 2>&1 || fail "--check-config"
[ "$(cat said)" = '1 pair: nothing is wrong' ] && [ ! -e a.sock ] || fail "--check-config: $(cat said)"
refused 2 'neither filesize:KB' --check-config -w a.pcapng -b size:3

# All files together have no more than 16 MiB while three times as much passes; the latest are there.
stage_start echo "$programs/bench_peer" serve many.back
stage_listens echo many.back
stage_start disk "$vhu" proxy -q -w disk.pcapng --max-disk 16M many.sock many.back
stage_listens disk many.sock
for turn in 1 2 3 4 5 6; do
	"$programs/bench_peer" stream many.sock 65000 >said 2>&1 || fail "bench_peer: $(cat said)"
	size=$(cat disk_*.pcapng | wc -c)
	[ "$size" -le $((16 << 20)) ] || fail "turn $turn: $size bytes"
done
stage_end disk TERM || fail "the proxy ended with status $?"
stage_end echo TERM || :
[ "$size" -gt $((8 << 20)) ] || fail "only $size bytes are kept"
[ -e "$(ls disk_00001_* 2>/dev/null)" ] && fail "the first file is still there"
for file in disk_*.pcapng; do
	"$vhu" stats --total "$file" >said 2>&1 || fail "$file: $(cat said)"
	break
done

stage_start back "$build/bin/vhu-sample-backend" --device blk --memory 1 --queues 2 \
	"--socket-path=$stage/back.sock"
stage_listens back "$stage/back.sock"

# What passes is recorded twice: in one file, and in files of seven records each.
stage_start whole "$vhu" proxy -w whole.pcapng "$stage/middle.sock" "$stage/back.sock"
stage_listens whole "$stage/middle.sock"
drives=0
touch part_00002_20000101000000.pcapng
stage_start part "$vhu" proxy -w part.pcapng -b packets:7 "$stage/front.sock" "$stage/middle.sock"
stage_listens part "$stage/front.sock"
written part
first=$(ls part_00001_*.pcapng)
stage_start follow sh -c "exec $vhu dump -f --dialect standalone $first >followed"
for _ in 1 2 3; do
	drive "$stage/front.sock"
done

"$vhu" dump --dialect standalone whole.pcapng >whole.dump || fail "vhu dump ended with status $?"
parts_messages <whole.dump >followed.whole
[ "$(wc -l <followed.whole)" -gt 60 ] || fail "hardly anything passed"
caught_up() {
	[ "$(parts_messages <followed | wc -l)" -eq "$(wc -l <followed.whole)" ]
}
wait_for caught_up
parts_messages <followed | diff followed.whole - >difference ||
	fail "followed from file to file it is another: $(head -n 5 difference)"
if grep -q earlier followed; then
	fail "a followed record is repeated"
fi
stage_end follow TERM || fail "vhu dump -f ended with status $?"
stage_end part TERM || fail "the proxy ended with status $?"
last=$(ls part_*.pcapng | tail -n 1)
grep -q "0 lost; capture: [0-9]* files: $first to $last$" part.log ||
	fail "the summary does not name the files: $(cat part.log)"
[ ! -s part_00002_20000101000000.pcapng ] || fail "a file that was there was written to"
rm part_00002_20000101000000.pcapng

parts_compare whole.pcapng part_*.pcapng
[ "$parts_number" -gt 9 ] || fail "there are only $parts_number files"

# Given all at once they are the whole, too; repeated records are not counted twice.
"$vhu" dump --dialect standalone part_*.pcapng | parts_messages | diff followed.whole - >difference ||
	fail "dumped as a series it is another: $(head -n 5 difference)"
"$vhu" stats --json --total whole.pcapng | jq -c '.messages, .by_message' | sed 's/"delay":{[^}]*}//g' >whole.stats
"$vhu" stats --json --total part_*.pcapng | jq -c '.messages, .by_message' | sed 's/"delay":{[^}]*}//g' |
	diff whole.stats - >difference || fail "counted as a series it is another: $(cat difference)"
"$vhu" check -s info whole.pcapng 2>whole.said | sed 's/^[^:]*:[0-9]*//; s/, see [0-9 ,]*//' >whole.check
"$vhu" check -s info part_*.pcapng 2>part.said | sed 's/^[^:]*:[0-9]*//; s/, see [0-9 ,]*//' |
	diff whole.check - >difference || fail "checked as a series it is another: $(cat difference)"
grep -q "in [0-9]* files, 3 sessions, " part.said || fail "not three sessions: $(cat part.said)"
# In another order, or with one missing, they are captures of their own.
set -- part_*.pcapng
"$vhu" dump "$1" "$3" | grep -c '^==> part' | grep -qx 2 || fail "two captures are shown as one"
rm part_*.pcapng

# Of so many files the latest stay, and others than its own always.
stage_start some "$vhu" proxy -w some.pcapng -b packets:5 -b files:3 "$stage/some.sock" \
	"$stage/middle.sock"
stage_listens some "$stage/some.sock"
written some
touch some_00001_20000101000000.pcapng some.pcapng
oldest=$(find . -name 'some_00001_*' ! -empty)
mv "$oldest" kept.pcapng
echo foreign >"$oldest"
drive "$stage/some.sock"
stage_end some TERM || fail "the proxy ended with status $?"
[ "$(cat "$oldest")" = foreign ] || fail "a file of somebody else's was deleted"
[ -e some_00001_20000101000000.pcapng ] && [ -e some.pcapng ] && [ -s kept.pcapng ] ||
	fail "a file of somebody else's was deleted"
rm some_00001_20000101000000.pcapng "$oldest"
[ "$(count some)" -eq 3 ] || fail "not 3 files stay: $(ls)"
grep -q "files, the oldest [0-9]* deleted: $(ls some_*_*.pcapng | head -n 1) to " some.log ||
	fail "the summary is wrong: $(cat some.log)"

# By time, and by a signal. A file that is due is begun with the next record.
stage_start time "$vhu" proxy -w time.pcapng -b duration:0.2 "$stage/time.sock" \
	"$stage/middle.sock"
stage_listens time "$stage/time.sock"
drive "$stage/time.sock"
time_ended() {
	for file in time_*.pcapng; do
		"$vhu" dump "$file"
	done | grep -q '[0-9] front-end .* session closed'
}
wait_for time_ended
before=$(count time)
sleep 0.3
[ "$(count time)" -eq "$before" ] || fail "a file was begun though nothing passed"
drive "$stage/time.sock"
[ "$(count time)" -gt "$before" ] || fail "no file was begun after the time"
stage_end time TERM || fail "the proxy ended with status $?"
stage_start interval "$vhu" proxy -w interval.pcapng -b interval:1 -b files:9 \
	"$stage/interval.sock" "$stage/middle.sock"
stage_listens interval "$stage/interval.sock"
drive "$stage/interval.sock"
before=$(count interval)
sleep 1.1
drive "$stage/interval.sock"
[ "$(count interval)" -gt "$before" ] || fail "no file was begun after the interval"
before=$(count interval)
kill -USR2 "$(stage_pid interval)"
began() {
	grep -q 'was begun: asked for by a signal' interval.log
}
wait_for began
[ "$(count interval)" -gt "$before" ] || fail "no file was begun by the signal"
stage_end interval TERM || fail "the proxy ended with status $?"

# A folder that goes while it is written to: the file at hand goes on, then it is tried again.
mkdir gone
stage_start gone "$vhu" proxy --no-sandbox -w gone/vm.pcapng -b packets:20 "$stage/gone.sock" \
	"$stage/middle.sock"
stage_listens gone "$stage/gone.sock"
written gone/vm
rm -r gone
drive "$stage/gone.sock"
grep -q 'gone/vm_00001_[0-9]*.pcapng: the next file cannot be begun: No such file' gone.log ||
	fail "nothing is said: $(cat gone.log)"
mkdir gone
again() {
	drive "$stage/gone.sock"
	ls gone/vm_00002_*.pcapng >/dev/null 2>&1
}
wait_for again
stage_end gone TERM || fail "the proxy ended with status $?"
grep -q ', 0 lost; ' gone.log || fail "records were lost: $(cat gone.log)"
echo "$parts_number files are the whole, and each can be read alone"
