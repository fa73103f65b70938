#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The captures of the three dialects among the samples are read as what they are, and those of the sample
# back-end are what is recorded of it today.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
sample=$build/bin/vhu-sample-backend

# The message of id $2 in the capture $1 is read as $3, of dialect $4.
reads_as() {
	"$vhu" dump --json "$captures/$1.pcapng" >dump.json || fail "$1: vhu dump ended with status $?"
	jq -se --argjson id "$2" --arg name "$3" --arg dialect "$4" \
		'map(select(.request == $id)) | length >= 2 and all(.message == $name and .dialect == $dialect)' \
		dump.json >/dev/null || fail "$1: id $2 is not read as $3"
}

reads_as standalone 41 GET_BACKEND_SPECS standalone
reads_as probe 41 GET_DEVICE_ID probe
reads_as probe 42 GET_CONFIG_SIZE probe
reads_as probe 43 GET_MIN_VQ probe
reads_as upstream 42 SET_DEVICE_STATE_FD upstream
reads_as upstream 43 CHECK_DEVICE_STATE upstream
# Bit 18 has its name of the dialect.
for dialect in standalone probe; do
	name=$(echo $dialect | tr a-z A-Z)
	"$vhu" dump -v --message SET_PROTOCOL_FEATURES "$captures/$dialect.pcapng" | grep -q "Protocol features: .*$name" ||
		fail "$dialect: bit 18 is not $name"
done

# What a capture says, without what differs from day to day (times, process ids, eventfds) and how much
# room the sample makes for requests in flight.
says() {
	"$vhu" dump --json -x "$1" | jq -c 'select(.type == "message")
		| [.message, .reply, (if .message == "GET_INFLIGHT_FD" then .size else .bytes end), [.fds[]?.kind]]'
}
for dialect in standalone probe; do
	"$vhu" probe --one-connection -w again.pcapng disk.sock -- "$sample" --device blk \
		--socket-path disk.sock --dialect $dialect >out 2>&1 || fail "$dialect: $(cat out)"
	says "$captures/$dialect.pcapng" >sample
	says again.pcapng >now
	[ "$(wc -l <sample)" -gt 20 ] || fail "$dialect: few messages"
	diff sample now >difference || fail "$dialect: another session than the sample's (>): $(cat difference)"
	rm -f disk.sock
done
echo "three dialects"
