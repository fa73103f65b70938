#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every capture among the samples can be read to its last byte, and samples/README.md lists it.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open

for capture in "$top"/samples/captures/*.pcapng; do
	name=${capture##*/}
	grep -qx "### captures/$name" "$top/samples/README.md" || fail "$name: not in samples/README.md"
	"$vhu" dump --json "$capture" >"$work/json" 2>"$work/errors" ||
		fail "$name: vhu dump ended with status $?"
	[ ! -s "$work/errors" ] || fail "$name: $(cat "$work/errors")"
	jq -se 'any(.type == "message")' "$work/json" >/dev/null || fail "$name: holds no message"
	# What is not understood shows as bytes that a payload lacks, or has too many of.
	jq -c 'select([.. | objects | has("missing", "left_over", "cut", "payload_bytes")] | any)' \
		"$work/json" >"$work/odd"
	[ ! -s "$work/odd" ] || fail "$name: not understood: $(head -n 3 "$work/odd")"
	# A session that was recorded to its end closes.
	jq -se '([.[] | select(.type == "opened")] | length) == ([.[] | select(.type == "closed")] | length)' \
		"$work/json" >/dev/null || fail "$name: a session does not close"
done
