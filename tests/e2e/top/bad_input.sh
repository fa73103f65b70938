#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu top says in a line what is wrong with what it is asked for, or with what answers.
. "$(dirname "$0")/lib.sh"

# See that vhu top with the options $3... ends with status $1 and says $2 in one line.
says() {
	wanted=$1 text=$2 status=0
	shift 2
	"$vhu" top "$@" >out 2>err </dev/null || status=$?
	[ "$status" = "$wanted" ] || fail "$*: status $status"
	[ "$(wc -l <err)" = 1 ] || fail "$*: not one line"
	grep -qF -- "$text" err || fail "$*: does not say: $text"
	[ ! -s out ] || fail "$*: something on standard output"
}
says 1 'vhu top: there is no terminal: use --json'
says 2 'nosuch: no such column' --json --sort nosuch
says 2 '0: not a number from 1 on' --json --count 0
says 2 '--count goes with --json' --count 1
says 2 '1ms: not a time from 100ms to 60s' --json --delay 1ms
says 2 'soon: not a time' --json --stall soon
says 2 'pid0: not a process id' --json -p pid0
says 2 'not the path of a socket' --json --socket ''
says 2 'unexpected argument' --json word
says 2 'a filter has at most 31 characters' --json --filter 01234567890123456789012345678901
says 2 'not the path of a socket' --json -s "$(printf '%300s' x)"

# What answers is no proxy: a back-end, which is sent a line, and something that is no socket.
back --device blk
"$vhu" top --json --count 1 --delay 200ms -s back.sock >out 2>err || fail "status $?"
jq -e '.source == "back.sock" and .note != null' out >told || fail 'a back-end is taken for a proxy'
touch file.ctl
"$vhu" top --json --count 1 --delay 200ms -s file.ctl >out 2>err || fail "status $?"
jq -e '.note | test("refused|not a socket|Connection")' out >told || fail 'a file is taken for a proxy'
