#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu check -f tells each finding when it is there to be found, and ends with the summary on Ctrl-C;
# from a pipe it reads on to the end that the same Ctrl-C makes the writer come to. A request that
# hangs is shown while it does.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Wait until the file $1 has the text $2; that it never has is what the test's time limit is for.
await_text()
{
	until grep -q -- "$2" "$1" 2>/dev/null; do
		kill -0 "$pid" 2>/dev/null || fail "it ended before \"$2\": $(cat out err)"
		sleep 0.05
	done
}

"$programs/scenario" "$here/forms.scn" whole
# A half that ends in the midst of a record, with one finding in it.
rest=450
head -c $(($(wc -c <whole) - rest)) whole >half
"$vhu" check half >out 2>err || true
[ "$(grep -c ": [a-z]* V" out)" = 1 ] && grep -q "cut short" err || fail "not half of it: $(cat out err)"

# A file that grows.
cp half growing
# In the background a shell has SIGINT ignored, and so has what it starts; SIGTERM does the same.
"$vhu" check -f -s info growing >out 2>err &
pid=$!
jobs=$pid
await_text out "warning V303"
tail -c $rest whole >>growing
await_text out "likeliest cause"
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[ "$got" = 1 ] || fail "ended by a signal: status $got: $(cat err)"
grep -q "^2 errors, .* in 1 session, 20 messages$" err || fail "no summary: $(cat err)"
"$vhu" check -s info whole 2>/dev/null | sed 's/^whole:/growing:/' | sort >expected
sort out | diff expected - || fail "followed (>) it finds other than in the whole (<)"

# A pipe: the first signal does not end the reading.
mkfifo pipe
"$vhu" check -s info - <pipe >out 2>err &
pid=$!
jobs=$pid
exec 3>pipe
cat half >&3
await_text out "warning V303"
kill -TERM "$pid"
tail -c $rest whole >&3
exec 3>&-
got=0
wait "$pid" || got=$?
[ "$got" = 1 ] || fail "a signal, then the end of the pipe: status $got: $(cat err)"
sed 's/^-:/growing:/' out | sort | diff expected - || fail "from a pipe (>) it finds other than in the whole (<)"
grep -q "^2 errors, .* in 1 session, 20 messages$" err || fail "no summary: $(cat err)"

# Let vhu proxy forward to a back-end with the fault $2, and vhu check, with the arguments $3..., read
# the capture: the file "live", or from the pipe that the proxy writes to if $1 is "pipe".
live()
{
	form=$1 fault=$2
	shift 2
	rm -f live front.sock back.sock proxy.out
	stage_start back-end "$build/bin/vhu-sample-backend" --fault "$fault" --socket-path=back.sock
	stage_listens back-end back.sock
	if [ "$form" = pipe ]; then
		stage_start_piped proxy "$vhu" proxy -w - front.sock back.sock
		"$vhu" check "$@" - <proxy.out >out 2>err &
	else
		stage_start proxy "$vhu" proxy -w live front.sock back.sock
		wait_for test -s live
		"$vhu" check -f "$@" live >out 2>err &
	fi
	pid=$!
	jobs=$pid
	stage_listens proxy front.sock
	stage_start front-end "$build/bin/vhu-sample-frontend" --device rng --timeout 60s --requests 1 front.sock
}

# End the check, which must have status $1.
check_ends()
{
	kill -TERM "$pid"
	got=0
	wait "$pid" || got=$?
	[ "$got" = "$1" ] || fail "status $got, not $1: $(cat out err)"
}

# End the programs that live started.
live_ends()
{
	for party in front-end proxy back-end; do
		[ -z "$(stage_pid "$party")" ] || stage_end "$party" TERM || :
	done
}

# Fail unless out has $1 lines with $2.
count()
{
	[ "$(grep -c -- "$2" out)" = "$1" ] || fail "not $1 times \"$2\": $(cat out)"
}

# A request that is never answered is shown while it waits, once, with the cause; the rest goes on.
live file drop-reply:GET_FEATURES
await_text out "likeliest cause"
# Long enough to show it again, if it were.
sleep 2.5
check_ends 1
count 1 "live:2: error V402 no-reply: GET_FEATURES, message 2, not answered for [0-9.]* s so far; "
count 1 V402
count 1 "live: session 1: likeliest cause: the back-end .* did not answer GET_FEATURES (2) for [0-9.]* s so far; "
count 1 "likeliest cause"
grep -q "^1 error; 1 session hangs, in 1 session, " err || fail "no summary: $(cat err)"
live_ends

# If the answer comes at last, the session goes on and ends well.
live file late-reply:GET_FEATURES:3s
await_text out V402
await_text out V404
stage_end front-end || fail "the front-end failed"
stage_settles live 1
check_ends 1
count 1 "V402 .* GET_FEATURES, .* so far"
count 1 V402
grep -q "^1 error, 1 warning in 1 session, " err || fail "not well: $(cat err)"
live_ends

# The same capture, read after the answer came: late, and not hung. A writer keeps it open.
exec 3>>live
"$vhu" check -f live >out 2>err &
pid=$!
jobs=$pid
await_text out V404
sleep 1
check_ends 1
count 0 V402

# A request that may take longer is not hung.
live file late-reply:GET_VRING_BASE:2500ms
stage_end front-end || fail "the front-end failed"
stage_settles live 1
check_ends 0
[ ! -s out ] || fail "a request that drains: $(cat out)"
live_ends

# Through a pipe a request that hangs is shown as well, and the check ends with the pipe.
live pipe drop-reply:GET_FEATURES
await_text out "likeliest cause: .* so far"
live_ends
got=0
wait "$pid" || got=$?
[ "$got" = 1 ] || fail "a pipe: status $got: $(cat out err)"
count 1 V402

# Old captures: the file has no writer, the pipe brings old records.
parts=$top/tests/rules/parts
cat >old.scn <<EOT
include $parts/start.inc
> SET_VRING_CALL vring=0 fd=eventfd:30
> GET_VRING_BASE vring=0
EOT
"$programs/scenario" old.scn old
"$vhu" check -f old >out 2>err &
pid=$!
jobs=$pid
await_text out V303
sleep 1
check_ends 1
count 0 "so far"
{
	cat old
	sleep 1.5
} | "$vhu" check - >out 2>err || :
count 1 V303
count 0 "so far"

# Each side waits for the other.
sed "/^close/d; s|^include .*/parts|include $parts|" "$here/cause/deadlock.scn" >both.scn
"$programs/scenario" both.scn both
exec 3>>both
"$vhu" check -f both >out 2>err &
pid=$!
jobs=$pid
await_text out "likeliest cause: each waits for the other: front-end for .*, back-end for the answer to .* so far"
check_ends 1
