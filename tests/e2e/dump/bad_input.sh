#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu dump says in one line what is wrong with its input, and shows what can be shown.
. "$(dirname "$0")/../../lib/common.sh"
work_open
capture=$captures/qemu-blk.pcapng

status=0

# Expect exit status $2 and one line on stderr that has $3 in it, from vhu dump $4...
expect()
{
	name=$1 code=$2 text=$3
	shift 3
	got=0
	"$vhu" dump "$@" >"$work/out" 2>"$work/err" || got=$?
	if [ "$got" != "$code" ] || [ "$(wc -l <"$work/err")" != 1 ] || ! grep -q -- "$text" "$work/err"; then
		echo "$name: status $got, not $code; or not one line with \"$text\":"
		cat "$work/err"
		status=1
	fi
}

: >"$work/empty"
echo "no capture" >"$work/text"
head -c 3000 "$capture" >"$work/cut"
expect missing 1 "No such file" "$work/missing"
expect folder 1 "directory" "$work"
expect empty 1 "empty" "$work/empty"
expect text 1 "not a capture" "$work/text"
expect cut 1 "cut short" "$work/cut"
[ "$(wc -l <"$work/out")" -gt 10 ] || { echo "cut: what there is was not shown"; status=1; }
expect option 2 "no such option" --nonsense "$capture"
expect message 2 "no such message" --message NONSENSE "$capture"
expect session 2 "no such session" --session 0 "$capture"
expect none 2 "which capture"
expect two 2 "one capture at a time" "$capture" "$capture"

# A full disk is no success.
if "$vhu" dump "$capture" >/dev/full 2>"$work/err" || ! grep -q "No space left" "$work/err"; then
	echo "full disk: not told"
	status=1
fi
# The lines are the same whether the capture is a file or comes through a pipe.
"$vhu" dump "$capture" >"$work/file"
"$vhu" dump - <"$capture" >"$work/pipe"
cmp "$work/file" "$work/pipe" || status=1
exit $status
