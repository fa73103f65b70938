#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu attach says to a command line that makes no sense, and what it lacks: one line.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Fail unless vhu attach with the options after $1 and $2 ends with status $1, says one line that has
# $2, and writes nothing else.
says() {
	status=0 expected=$1 text=$2
	shift 2
	"$vhu" attach "$@" >out 2>err || status=$?
	[ "$status" -eq "$expected" ] || fail "vhu attach $*: status $status, not $expected"
	grep -q -F -- "$text" err || fail "vhu attach $*: does not say: $text"
	[ "$(grep -cv '^Try ' err)" -le 2 ] || fail "vhu attach $*: says more than a line"
	[ ! -s out ] || fail "vhu attach $*: writes to standard output"
}

says 2 'which sessions?'
says 2 'x: not a process id' --pid x
says 2 '0: not a process id' --pid 0
says 2 'leave out' --all --socket a
says 2 'not a time' --all --duration x
says 2 'records nothing' --list -w a.pcapng
says 2 'records nothing' --list --latency
says 2 'neither filesize' --all -w a.pcapng -b size:1
says 2 'name them by -w' --all -b filesize:1
says 2 'not a snap length' --all -s 0
says 2 'name its monitor by --qmp' --all --refresh
says 2 'records nothing' --list --qmp a
says 2 'sessions are named by' --all back
says 2 'wants the path' --socket ''
says 2 'goes with --list' --all --json -w a.pcapng
says 2 'stall wants --latency' --all --stall 5s
says 2 'on-stall wants --stall' --all --latency --on-stall true
says 2 '10ms: too short for a stall' --all --latency --stall 10ms
says 2 'x: not a time' --all --latency --stall x
says 1 'no such process' --pid 2147483647
says 1 '/etc: not a socket' --socket /etc
says 1 'cannot write a capture' --all -w nowhere/a.pcapng

# Without rights.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	status=0
	setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$vhu" attach --all >out 2>err || status=$?
	[ "$status" -eq 1 ] || fail "without rights: status $status"
	grep -q 'CAP_BPF and CAP_PERFMON are missing' err || fail "without rights: $(cat err)"
fi
