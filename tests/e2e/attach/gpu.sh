#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A GPU's channel of a session that began before is found among the sockets of its two processes, and told
# from the back-end's channel by its flags.
. "$(dirname "$0")/lib.sh"
need perl

# A front-end and a back-end that share memory, the socket between them, and a socket for the display.
cat >gpu.pl <<'END'
use Socket;
open(my $memory, "+>", $ARGV[1]) or die "$ARGV[1]: $!";
unlink $ARGV[1];
my ($front, $listener, $back, $shows, $draws, $got);
socket($listener, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, sockaddr_un($ARGV[0])) or die "$ARGV[0]: $!";
listen($listener, 1) or die "listen: $!";
socketpair($shows, $draws, AF_UNIX, SOCK_STREAM, 0) or die "socketpair: $!";
sub wait_for { select(undef, undef, undef, 0.05) until -e $_[0]; }
if (!fork) {
	accept($back, $listener) or die "accept: $!";
	close $listener;
	close $shows;
	recv($back, $got, 12, 0);
	wait_for("watched");
	# What the display has, and where the cursor is.
	send($draws, pack("LLL", 3, 0, 0), 0);
	recv($draws, $got, 420, MSG_WAITALL);
	send($draws, pack("LLLLLL", 4, 0, 12, 0, 7, 9), 0);
	recv($back, $got, 12, 0);
	send($back, pack("LLLQ", 1, 5, 8, 0x40000000), 0);
	sysread($back, $got, 1);
	exit 0;
}
socket($front, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($front, sockaddr_un($ARGV[0])) or die "connect: $!";
close $listener;
close $draws;
send($front, pack("LLL", 3, 1, 0), 0);
recv($shows, $got, 12, 0);
send($shows, pack("LLLx408", 3, 4, 408), 0);
recv($shows, $got, 24, MSG_WAITALL);
send($front, pack("LLL", 1, 1, 0), 0);
recv($front, $got, 20, MSG_WAITALL);
close $front;
wait;
END
memory=$(mktemp -u /dev/shm/vhu.XXXXXX)
stage_start gpu perl gpu.pl "$work/back" "$memory"
connected() {
	grep -q " 0001 03 [0-9]* $work/back\$" /proc/net/unix
}
wait_for connected
attach --pid "$(stage_pid gpu)" -w it.pcapng
: >watched
wait_for holds it.pcapng 'any(.type == "closed" and .channel == "front-end")'
detach
holds it.pcapng 'map(select(.type == "message") | [.channel, .from, .message, .reply]) | index([
	["gpu", "back-end", "GPU_GET_DISPLAY_INFO", false], ["gpu", "front-end", "GPU_GET_DISPLAY_INFO", true],
	["gpu", "back-end", "GPU_CURSOR_POS", false], ["front-end", "front-end", "GET_FEATURES", false]])' >/dev/null ||
	fail "the GPU's channel is not recorded: $("$vhu" dump --json it.pcapng | jq -c 'select(.number) | [.type, .channel, .from, .message, .reply]')"
