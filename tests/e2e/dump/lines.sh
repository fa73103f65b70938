#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu dump says in a message's line what became of it: whether an answer was asked for and came, how
# much of it was kept; and never shows key material.
. "$(dirname "$0")/../../lib/common.sh"
need jq editcap
work_open

# Make the capture $1 of the scenario on standard input.
scenario()
{
	cat >"$work/$1.scn"
	"$programs/scenario" "$work/$1.scn" "$work/$1"
}

# Expect that the last command wrote to out, once its times are taken off, what is on standard input.
expect()
{
	sed -E 's/^ *([0-9]+) [-0-9.]+ /\1 /' out | diff - /dev/fd/3 3<&0 >err || fail "$1: <: it says"
}

scenario waits <<'SCENARIO'
open front=vmm back=device
> GET_FEATURES
< GET_FEATURES features=VERSION_1|PROTOCOL_FEATURES
> GET_PROTOCOL_FEATURES
< GET_PROTOCOL_FEATURES protocol_features=MQ|REPLY_ACK
> SET_PROTOCOL_FEATURES protocol_features=MQ|REPLY_ACK
> SET_OWNER need_reply
< SET_OWNER ack=0
> SET_FEATURES features=VERSION_1|PROTOCOL_FEATURES need_reply
> GET_QUEUE_NUM
close front-end closed
session 2
open front=vmm back=device
> GET_FEATURES
SCENARIO

"$vhu" dump --session 1 waits | sed -n '7,11p' >out
expect "a file is read ahead" <<'LINES'
7 1 front-end -> SET_OWNER (NEED_REPLY)
8 1 front-end <- SET_OWNER reply success (after 100 us)
9 1 front-end -> SET_FEATURES 0x140000000 (NEED_REPLY, never answered)
10 1 front-end -> GET_QUEUE_NUM (never answered)
11 1 front-end -- session closed: front-end closed
LINES
"$vhu" dump --session 2 waits | tail -n 1 >out
expect "the capture ends before the session" <<'LINES'
13 2 front-end -> GET_FEATURES (not answered yet)
LINES
"$vhu" dump - <waits | sed -n '9,10p' >out
expect "a pipe cannot be read ahead" <<'LINES'
9 1 front-end -> SET_FEATURES 0x140000000 (NEED_REPLY)
10 1 front-end -> GET_QUEUE_NUM
LINES
[ "$("$vhu" dump --json waits | jq -r 'select(.unanswered) | "\(.number) \(.unanswered)"' | tr '\n' ' ')" = \
	"9 never 10 never 13 yet " ] || fail "JSON does not say what was not answered"

# Times are since the capture's first record, whatever is shown of it.
"$vhu" dump waits >all
"$vhu" dump --message GET_QUEUE_NUM waits >out
grep -qxF "$(cat out)" all || fail "--message shows other times"
"$vhu" dump --session 2 waits | tail -n 1 >out
grep -qxF "$(cat out)" all || fail "--session shows other times"

# A capture whose packets were cut.
editcap -s 110 "$captures/qemu-blk.pcapng" cut.pcapng
"$vhu" dump cut.pcapng 2>/dev/null >out
grep -q ', cut by the snap length to 16 of 20 bytes' out || fail "no message is said to be cut"
"$vhu" dump "$captures/qemu-blk.pcapng" >out
! grep -q 'cut by' out || fail "a whole message is said to be cut"

# Key material that a capture has is shown by nothing but -x; each padding has its own key.
key=$(printf 'aa%.0s' $(seq 64)) rest=$(printf 'bb%.0s' $(seq 944)) words=$(printf '01000000%.0s' $(seq 6))
scenario crypto <<SCENARIO
open front=vmm back=device
> CREATE_CRYPTO_SESSION bytes=0200000000000000${words}01010101cccccccc$(printf 'dd%.0s' $(seq 16))$key$rest$(printf '00%.0s' $(seq 8))
SCENARIO
"$vhu" dump --json crypto | tail -n 1 >out
! grep -q 'aaaa\|bbbb' out || fail "JSON shows key material"
jq -e '.payload | .padding == "cccccccc" and .pointers == "dd" * 16 and .key == "(key material, 64 bytes)"' \
	out >/dev/null || fail "a padding or a key is not what it should be"
[ "$(tr ',{' '\n\n' <out | grep -c '^"padding"')" = 1 ] || fail "two keys of one object are the same"
"$vhu" dump -v crypto >out
! grep -q 'aa aa\|aaaa' out || fail "-v shows key material"
"$vhu" dump -x crypto >out
grep -q 'aa aa aa' out || fail "-x does not show bytes"
