#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu check and vhu stats say in one line what is wrong with their input or their command line; a
# capture that is broken does not keep the others from being read.
. "$(dirname "$0")/../../lib/common.sh"
work_open
capture=$captures/qemu-blk.pcapng

status=0

# Expect exit status $2 of vhu $4..., and one line on stderr that begins with the command, with $3
# in it; of usage errors nothing else.
expect()
{
	name=$1 code=$2 text=$3
	shift 3
	got=0
	"$vhu" "$@" >"$work/out" 2>"$work/err" || got=$?
	if [ "$got" != "$code" ] || [ "$(grep -c "^vhu " "$work/err")" != 1 ] ||
		! grep -q -- "^vhu $1: .*$text" "$work/err" ||
		{ [ "$code" = 2 ] && [ "$(wc -l <"$work/err")" != 1 ]; }; then
		echo "vhu $1, $name: status $got, not $code; or not one line with \"$text\":"
		cat "$work/err"
		status=1
	fi
}

: >"$work/empty"
echo "no capture" >"$work/text"
head -c 3000 "$capture" >"$work/cut"
for command in check stats; do
	expect missing 1 "No such file" $command "$work/missing"
	expect folder 1 "directory" $command "$work"
	expect empty 1 "empty" $command "$work/empty"
	expect text 1 "not a capture" $command "$work/text"
	expect cut 1 "cut short" $command "$work/cut"
	expect option 2 "no such option" $command --nonsense "$capture"
	expect dialect 2 "no such dialect" $command --dialect unknown "$capture"
	expect device 2 "no such virtio device" $command --device 0 "$capture"
	expect none 2 "which capture" $command
	expect "no argument" 2 "wants an argument" $command --dialect
done

# A full disk is no success.
for arguments in "stats" "stats --json" "check --sarif" "check --junit"; do
	# shellcheck disable=SC2086 # they are several words
	if "$vhu" $arguments "$capture" >/dev/full 2>"$work/err" ||
		! grep -q "^vhu [a-z]*: standard output: No space left" "$work/err"; then
		echo "vhu $arguments, full disk: not told: $(cat "$work/err")"
		status=1
	fi
done
for arguments in "check --list" "help" "--version" "dump --help" "probe --list" "complete dump --json"; do
	# shellcheck disable=SC2086 # they are several words
	if "$vhu" $arguments >/dev/full 2>"$work/err" ||
		! grep -q "^vhu.*: standard output: No space left" "$work/err"; then
		echo "vhu $arguments, full disk: not told: $(cat "$work/err")"
		status=1
	fi
done

expect rule 2 "nonsense: no such rule" check --rule nonsense "$capture"
expect "rule's number" 2 "V999: no such rule" check --ignore V999 "$capture"
expect "no rule" 2 "no such rule" check --rule "" "$capture"
expect explain 2 "no such rule" check --explain nonsense
expect severity 2 "fatal: no such severity" check --severity fatal "$capture"
expect time 2 "5m: not a time" check --late-after 5m "$capture"
expect "no time" 2 "0s: not a time" check --late-after 0s "$capture"
expect forms 2 "one of --json, --sarif and --junit" check --json --sarif "$capture"
expect "forms again" 2 "one of --json, --sarif and --junit" check --junit --json "$capture"
expect compare 2 "two captures" check --compare "$capture"
expect "compare three" 2 "two captures" check --compare "$capture" "$capture" "$capture"
expect pipes 2 "standard input" check - -
expect list 2 "without a capture" check --list "$capture"
expect markdown 2 "goes with --list" check --markdown "$capture"
expect "list and explain" 2 "one of --list and --explain" check --list --explain V303
for command in dump check stats; do
	expect session 2 "0: not a session number" $command --session 0 "$capture"
	expect session 2 "x: not a session number" $command --session x "$capture"
	expect session 1 "no such session: 9$" $command --session 9 "$capture"
	expect session 1 "no such session: 9$" $command --session 9 - <"$capture"
	expect session 1 "no such session: 9 is in none of the 2 files" $command --session 9 "$capture" "$capture"
	expect pipes 2 "standard input can be read only once" $command - "$capture" -
done
expect "compare and session" 2 "one of --compare and --session" \
	check --compare --session 1 "$capture" "$capture"
expect total 2 "one of --session and --total" stats --session 1 --total "$capture"
expect "session that is not there" 1 "no such session" stats --session 99 "$capture"

# What there is of a capture that is cut is shown, and the captures around a broken one are read.
"$vhu" stats "$work/cut" 2>/dev/null | grep -q "^  messages .* from the front-end" ||
	{ echo "cut: nothing shown"; status=1; }
got=0
"$vhu" check -s info "$work/missing" "$capture" "$work/text" >"$work/out" 2>"$work/err" || got=$?
"$vhu" check -s info "$capture" >"$work/alone" 2>/dev/null || true
if [ "$got" != 1 ] || [ "$(grep -c "^vhu check: " "$work/err")" != 2 ] ||
	! cmp -s "$work/alone" "$work/out"; then
	echo "broken captures keep a good one from being read"
	status=1
fi
# That alone is a reason to fail.
"$vhu" check --rule V101 "$capture" 2>/dev/null || { echo "V101 in a good capture"; status=1; }
if "$vhu" check --rule V101 "$capture" "$work/text" 2>/dev/null; then
	echo "a broken capture, and status 0"
	status=1
fi
exit $status
