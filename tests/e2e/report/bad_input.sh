#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu report says in one line what is wrong with its input or its command line, and makes no page then;
# of a capture that is cut there is a page that says so.
. "$(dirname "$0")/../../lib/common.sh"
work_open
capture=$captures/qemu-blk.pcapng

# Expect exit status $1 of vhu report $3..., one line on stderr with $2 in it, and no page.
expect()
{
	code=$1 text=$2
	shift 2
	got=0
	"$vhu" report "$@" >out 2>err || got=$?
	[ "$got" = "$code" ] || fail "vhu report $*: status $got, not $code"
	[ "$(wc -l <err)" = 1 ] && grep -q -- "^vhu report: .*$text" err ||
		fail "vhu report $*: not one line with \"$text\""
	[ ! -s out ] && [ ! -e page.html ] || fail "vhu report $*: a page all the same"
}

: >empty
echo "no capture" >text
head -c 3000 "$capture" >cut.pcapng
expect 1 "No such file" -o page.html missing
expect 1 "directory" -o page.html .
expect 1 "empty" -o page.html empty
expect 1 "not a capture" -o page.html text
expect 2 "no such option" --nonsense "$capture"
expect 2 "which capture" -o page.html
expect 2 "wants an argument" "$capture" -o
expect 2 "where to" "$capture" "$capture"
expect 2 "where to" -
expect 2 "not a session number" --session 0 "$capture"
expect 1 "no such session: 9" -o page.html --session 9 "$capture"
expect 2 "no such number of messages" --messages 0 "$capture"
expect 2 "not a time" --late-after 5m "$capture"
expect 2 "no such dialect" --dialect unknown "$capture"
expect 2 "no such virtio device" --device 0 "$capture"
expect 2 "standard input can be read only once" -o page.html - -
# A capture is not written over, whatever it is called.
cp "$capture" kept.pcapng
ln -s kept.pcapng kept.html
expect 2 "cannot be read and written at once" -o ./kept.pcapng kept.pcapng
expect 2 "cannot be read and written at once" --trace kept.pcapng kept.pcapng
expect 2 "cannot be read and written at once" kept.pcapng
cmp -s "$capture" kept.pcapng || fail "a capture was written over"
# The page stays where the trace is the same file by another name.
"$vhu" report -o both.html --trace ./both.html kept.pcapng >out 2>err && fail "the page and the trace are one"
head -n 1 both.html | grep -qi '<!doctype html>' || fail "the page was written over by the trace"
rm kept.html
expect 1 "no/such/folder/page.html: No such file" -o no/such/folder/page.html "$capture"
"$vhu" report -o - "$capture" >/dev/full 2>err && fail "a full disk is no failure"
grep -q "^vhu report: standard output: No space left" err || fail "a full disk is not named"

# The page of a capture that is cut has what could be read, and says that it is not all.
got=0
"$vhu" report -o page.html cut.pcapng 2>err || got=$?
[ "$got" = 1 ] || fail "a capture that is cut: status $got"
grep -q 'role="alert">The capture is not whole: cut.pcapng: .*cut short' page.html || fail "the page does not mention the cut"
grep -q 'GET_PROTOCOL_FEATURES' page.html || fail "the page has not what could be read"
