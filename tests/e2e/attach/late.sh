#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A front-end is connected for a while before it says anything, so that vhu attach finds its connection
# first: its session is whole, and not marked as one that began before.
. "$(dirname "$0")/lib.sh"
need perl

back "$back_end" --device blk --memory 8 --socket-path="$work/back"
attach --socket "$work/back" -w it.pcapng
# GET_FEATURES, two and a half seconds after it has connected: sockets are looked for every second.
perl -MSocket -e '
	socket(my $back, AF_UNIX, SOCK_STREAM, 0) or die "$!";
	connect($back, sockaddr_un($ARGV[0])) or die "$!";
	select(undef, undef, undef, 2.5);
	send($back, pack("LLL", 1, 1, 0), 0) == 12 or die "$!";
	recv($back, my $answer, 20, MSG_WAITALL);
	length($answer) == 20 or die "no answer";' "$work/back" || fail "the front-end: $?"
wait_for holds it.pcapng 'any(.type == "closed" and .channel == "front-end")'
detach
holds it.pcapng 'map(.type) == ["opened", "message", "message", "closed"]
	and (.[0] | has("marks") | not) and .[1].message == "GET_FEATURES"' >/dev/null ||
	fail "the session is not whole: $("$vhu" dump it.pcapng)"
