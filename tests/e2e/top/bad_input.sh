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

# What is not there and never was: one line, whether or not others are there.
back --device blk
proxy p
for also in '' '-s p.ctl'; do
	# shellcheck disable=SC2086 # no option is no word
	says 1 'nosuch.ctl: No such file or directory: start a vhu proxy with --control' --json --count 1 -s nosuch.ctl $also
	# shellcheck disable=SC2086
	says 1 'pid 2147483647: no such process' --json --count 1 -p 2147483647 $also
done
touch file.ctl
says 1 'file.ctl: Connection refused' --json --count 1 -s file.ctl
# What answers is no proxy: a listener that answers something else, and one that hangs up.
other() {
	stage_start "$1" perl -MIO::Socket::UNIX -e 'my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5);
		while (my $c = $l->accept) { my $line = $ARGV[2] || <$c>; print $c $ARGV[1]; close $c }' \
		"$1.ctl" "$2" "${3-}"
	stage_listens "$1" "$1.ctl"
}
other nonsense '{"what":1}
'
says 1 "nonsense.ctl: what answers is not a vhu proxy's control socket" --json --count 1 -s nonsense.ctl
other closes ''
says 1 "closes.ctl: closed the connection: is this a vhu proxy's control socket?" --json --count 1 -s closes.ctl
# The other sockets of a proxy are left alone: no session begins.
for socket in back.sock p.sock; do
	says 1 "vhu top: $socket: not a control socket: vhu proxy (pid $(stage_pid proxy_p)) uses it for its sessions: its control socket is $work/p.ctl" \
		--json --count 1 -s $socket
	! "$vhu" ctl -s "$socket" sessions >out 2>err || fail "vhu ctl -s $socket is done"
	grep -q "^vhu ctl: $socket: not a control socket: vhu proxy (pid $(stage_pid proxy_p))" err || fail "vhu ctl -s $socket: $(cat err)"
done
"$vhu" ctl -s p.ctl metrics | grep -qx 'vhu_sessions_opened_total{pair="p.sock"} 0' || fail 'vhu was taken for a front-end'
# A proxy that serves no more clients says so before it is asked, and closes.
other full '{"ok":false,"error":"too many clients"}
' unasked
for _ in 1 2; do
	says 1 "full.ctl: too many clients" --json --count 1 --delay 200ms -s full.ctl
	"$vhu" ctl -s full.ctl version 2>err && fail 'vhu ctl: no client is served'
	grep -qx 'vhu ctl: too many clients' err || fail "vhu ctl does not say why: $(cat err)"
	"$vhu" rings -s full.ctl 2>err && fail 'vhu rings: no client is served'
	grep -qx 'vhu rings: full.ctl: too many clients' err || fail "vhu rings does not say why: $(cat err)"
done
# An empty folder.
mkdir empty
"$vhu" top --json --count 1 --delay 200ms -s empty >out 2>err || fail "an empty folder: status $?"
jq -e '.source == "empty" and (.note | test("^empty: no control socket is there yet .*: waiting for one$"))' out >told ||
	fail "an empty folder: $(cat out err)"
# A proxy that hangs does not answer, but it is there.
kill -STOP "$(stage_pid proxy_p)"
"$vhu" top --json --count 1 --delay 200ms -s p.ctl >out 2>err || fail "status $?"
jq -e --argjson pid "$(stage_pid proxy_p)" '.source == "p.ctl" and (.note |
	test("^p.ctl: not reached for [0-9.]+m?s: it does not answer: process \($pid) is stopped by a signal \\(T\\): let it continue"))' out >told ||
	fail "a proxy that hangs is not shown: $(cat out)"
kill -CONT "$(stage_pid proxy_p)"
