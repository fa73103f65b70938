#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every capture among the samples can be read to its last byte, and samples/README.md tells of it.
#
#   sh captures.sh VHU
set -eu

vhu=$1
top=$(cd "$(dirname "$0")/../../.." && pwd)
if ! command -v jq >/dev/null; then
	echo "lacks jq: install the package jq"
	exit 77
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/captures.XXXXXX")
trap 'rm -rf "$folder"' EXIT

fail() {
	echo "$*"
	exit 1
}

for capture in "$top"/samples/captures/*.pcapng; do
	name=${capture##*/}
	grep -qx "### captures/$name" "$top/samples/README.md" || fail "$name: not in samples/README.md"
	"$vhu" dump --json "$capture" >"$folder/json" 2>"$folder/errors" ||
		fail "$name: vhu dump ended with status $?"
	[ ! -s "$folder/errors" ] || fail "$name: $(cat "$folder/errors")"
	jq -se 'any(.type == "message")' "$folder/json" >/dev/null || fail "$name: holds no message"
	# What is not understood shows as bytes that a payload lacks, or has too many of.
	jq -c 'select([.. | objects | has("missing", "left_over", "cut", "payload_bytes")] | any)' \
		"$folder/json" >"$folder/odd"
	[ ! -s "$folder/odd" ] || fail "$name: not understood: $(head -n 3 "$folder/odd")"
	# A session that was recorded to its end closes.
	jq -se '([.[] | select(.type == "opened")] | length) == ([.[] | select(.type == "closed")] | length)' \
		"$folder/json" >/dev/null || fail "$name: a session does not close"
done
