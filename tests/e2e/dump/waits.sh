#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A program that waits for a pipe says so. One signal ends a reader whose pipe has no writer. A proxy
# whose pipe has no reader takes no connection before a reader comes.
. "$(dirname "$0")/../../lib/common.sh"
work_open
mkfifo pipe

for signal in INT TERM; do
	for command in dump 'dump -f' check 'check -f' stats rings; do
		# One that reads by -r.
		[ "$command" = rings ] && file='-r pipe' || file=pipe
		# A shell has its background processes ignore SIGINT.
		# shellcheck disable=SC2086 # they are several words
		stage_start reader env --default-signal=INT "$vhu" $command $file
		# A writer opens the pipe, and writes nothing.
		exec 9>pipe
		stage_end reader "$signal" || :
		exec 9>&-
	done
done

stage_start proxy "$vhu" proxy -w pipe front.sock back.sock
await 'grep -q "^vhu proxy: pipe: waits for somebody to read it$" proxy.log' "the proxy says so"
[ ! -e front.sock ] || fail "the proxy listens before its capture is read"
cat pipe >read.pcapng &
jobs=$!
stage_listens proxy front.sock
stage_end proxy TERM || fail "the proxy ended with status $?"
wait "$jobs"
"$vhu" dump read.pcapng >out 2>err || fail "what was read is no capture"

# Ended while it waits.
stage_start proxy "$vhu" proxy -w pipe front.sock back.sock
await 'grep -q "^vhu proxy: pipe: waits for somebody to read it$" proxy.log' "the proxy says so"
stage_end proxy TERM && fail "the proxy ended well though nothing was read"
[ ! -e front.sock ] || fail "the proxy has left a socket"
