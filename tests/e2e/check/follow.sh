#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu check -f tells each finding when it is there to be found, and ends with the summary on Ctrl-C;
# from a pipe it reads on to the end that the same Ctrl-C makes the writer come to.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Wait until the file $1 has the text $2; that it never has is what the test's time limit is for.
await()
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
await out "warning V303"
tail -c $rest whole >>growing
await out "likeliest cause"
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
await out "warning V303"
kill -TERM "$pid"
tail -c $rest whole >&3
exec 3>&-
got=0
wait "$pid" || got=$?
[ "$got" = 1 ] || fail "a signal, then the end of the pipe: status $got: $(cat err)"
sed 's/^-:/growing:/' out | sort | diff expected - || fail "from a pipe (>) it finds other than in the whole (<)"
grep -q "^2 errors, .* in 1 session, 20 messages$" err || fail "no summary: $(cat err)"
