#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two vhu attach watch one session at once: one writes to a pipe that vhu check follows, one writes files
# that go on in one another. Both have all of it, and each file is whole.
. "$(dirname "$0")/lib.sh"

back "$back_end" --device blk --memory 8 --socket-path="$work/back"
mkfifo pipe
tee pipe.pcapng <pipe | "$vhu" check -f - >check.log 2>&1 &
jobs="$jobs $!"
"$vhu" attach --socket "$work/back" -w - >pipe 2>pipe.log &
piped=$!
jobs="$jobs $piped"
wait_for grep -q watching pipe.log
attach --socket "$work/back" -w it.pcapng -b packets:20
"$front_end" --device blk --requests 20 back >front.log 2>&1 || fail "the front-end: $?"
wait_for holds pipe.pcapng 'any(.type == "closed" and .channel == "front-end")'
ended() {
	"$vhu" dump --json ./it_*.pcapng | jq -se 'any(.type == "closed" and .channel == "front-end")'
}
wait_for ended
detach
kill -INT "$piped"
wait "$piped" || fail "vhu attach to a pipe ended with status $?"
wait_for grep -q 'in 1 session' check.log
set -- ./it_*.pcapng
[ $# -ge 2 ] || fail "only one file: $*"
messages() {
	"$vhu" dump --json "$@" | jq -c 'select(.type == "message" and (.marks // [] | index("earlier") | not)) | [.message, .from, .payload]'
}
messages pipe.pcapng >pipe.lines
messages ./it_*.pcapng >it.lines
[ "$(wc -l <pipe.lines)" -ge 30 ] || fail "only $(wc -l <pipe.lines) messages"
cmp pipe.lines it.lines || fail "the two captures differ"
echo "$(wc -l <pipe.lines) messages twice"

# Without a reader of its pipe vhu attach says so, and a signal ends it.
mkfifo unread
"$vhu" attach --socket "$work/back" -w unread >unread.log 2>&1 &
unread=$!
jobs="$jobs $unread"
wait_for grep -q 'unread: waits for somebody to read it$' unread.log
kill -TERM "$unread"
wait "$unread" && fail "vhu attach ended well though nothing was read"
[ ! -s unread ] || fail "something was written"
