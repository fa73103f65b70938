#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu dump, check and stats take several captures: each stays one of its own.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
cp "$captures/qemu-blk.pcapng" a.pcapng
cp "$captures/dpdk-net-packed.pcapng" b.pcapng

# Each is shown below its name, with its own numbers and times.
{
	printf '==> a.pcapng <==\n' && "$vhu" dump a.pcapng
	printf '\n==> b.pcapng <==\n' && "$vhu" dump b.pcapng
} >expected
"$vhu" dump a.pcapng b.pcapng | diff expected - >err || fail "dump shows two captures otherwise"
# One alone, even twice behind each other's name, has no heading.
"$vhu" dump a.pcapng | grep '==>' >out && fail "one capture has a heading"
# JSON names the file.
"$vhu" dump --json a.pcapng b.pcapng | jq -r 'select(.number).file' | sort | uniq -c | sed 's/^ *//' >out
printf '%s a.pcapng\n%s b.pcapng\n' "$("$vhu" dump a.pcapng | wc -l)" "$("$vhu" dump b.pcapng | wc -l)" |
	diff out - >err || fail "JSON does not name the files"
"$vhu" dump --json a.pcapng | jq -e 'has("file") | not' >/dev/null || fail "JSON of one capture names it"
# Standard input is one of them.
sed 's/a.pcapng/-/' expected >expected.pipe
"$vhu" dump - b.pcapng <a.pcapng | diff expected.pipe - >err || fail "a pipe and a file are shown otherwise"

"$vhu" stats a.pcapng b.pcapng >out
grep -c '^==> [ab].pcapng <==$' out | grep -qx 2 || fail "stats does not name the captures"
sed -n '/^all 2 sessions/,$p' out | grep -q '^  GET_FEATURES ' || fail "stats has no sum of both"
"$vhu" stats --json a.pcapng b.pcapng | jq -r '.file // "sum"' | tr '\n' ' ' >out
[ "$(cat out)" = "a.pcapng b.pcapng sum " ] || fail "JSON of stats does not name the files"
"$vhu" stats --json --total a.pcapng b.pcapng | jq -e .session_count==2 >/dev/null || fail "the sum is not of two"

# Only one session, wherever it is: with its findings alone, and its times.
cat >two.scn <<'SCENARIO'
open front=vmm back=device
> GET_FEATURES
close back-end closed
session 2
open front=vmm back=device
> GET_FEATURES
< GET_FEATURES features=VERSION_1|PROTOCOL_FEATURES
> GET_STATUS
< GET_STATUS status=0
close front-end closed
SCENARIO
"$programs/scenario" two.scn two.pcapng
status=0
"$vhu" check -s info two.pcapng >both 2>err || status=$?
for session in 1 2; do
	"$vhu" check -s info --session $session two.pcapng >out 2>err || status=$?
	grep -e "(session ${session}[,)]" -e ": session $session:" both | diff - out >difference || fail "not the findings of session $session"
	grep -q "in 1 session, " err || fail "more than one session is counted: $(cat err)"
done
[ -s out ] && grep -q '(session 1' both || fail "there is nothing to find"
"$vhu" check --session 2 two.pcapng 2>&1 | grep 'session 1' && fail "the end of session 1 is shown"

# Files are followed only at their end: the last one.
cp a.pcapng grows.pcapng
stage_start follow sh -c "exec $vhu stats -f b.pcapng grows.pcapng >followed"
both_there() { grep -q '^==> grows.pcapng' followed; }
wait_for both_there
stage_end follow TERM || fail "vhu stats -f ended with status $?"
