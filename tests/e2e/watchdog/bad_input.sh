#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What makes no sense is refused with a line.
. "$(dirname "$0")/lib.sh"

# $1 is a part of what is said, the rest options of the proxy's.
refused() {
	refused_says=$1
	shift
	status=0
	"$vhu" proxy "$@" front.sock back.sock >out 2>err || status=$?
	[ "$status" = 2 ] || fail "$*: status $status"
	grep -q -- "$refused_says" err || fail "$*: not said: $refused_says"
}

refused 'x: not a time' --stall x
refused '0: too short for a stall' --stall 0
refused '199ms: too short for a stall' --stall 199ms
refused '99999999999999999999: not a time' --stall 99999999999999999999
refused 'on-stall wants --stall' --on-stall true
refused 'snapshot-at-end wants -w' --snapshot-at-end
refused 'record-kicks wants -w, or --control' --interpose-eventfds --record-kicks

back --device blk
proxy --control ctl.sock
for time in '' x 199ms -1 0; do
	"$vhu" ctl -s ctl.sock stall "$time" >out 2>err && fail "ctl stall '$time' is done"
	[ "$(wc -l <err)" = 1 ] || fail "ctl stall '$time': $(cat err)"
done
