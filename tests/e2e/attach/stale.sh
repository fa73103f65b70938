#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing of other sockets is recorded when the kernel uses the addresses again of sockets that were
# watched, not even what is read after its sender has closed.
. "$(dirname "$0")/lib.sh"
need perl
sessions=150

cat >speak.pl <<'END'
use Socket;
my ($path, $sessions, $listener, $got) = @ARGV;
socket($listener, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, sockaddr_un($path)) or die "$path: $!";
listen($listener, 1) or die "listen: $!";
select(undef, undef, undef, 0.05) until -e "watched";
for (1 .. $sessions) {
	my ($front, $back);
	socket($front, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
	connect($front, sockaddr_un($path)) or die "connect: $!";
	accept($back, $listener) or die "accept: $!";
	send($front, pack("LLL", 1, 1, 0), 0);
	recv($back, $got, 12, 0);
	close $front;
	close $back;
	for (1 .. 20) {
		my ($one, $other);
		socketpair($one, $other, AF_UNIX, SOCK_STREAM, 0) or die "socketpair: $!";
		send($_ % 2 ? $one : $other, "private data of others. ", 0);
		close($_ % 2 ? $one : $other);
		recv($_ % 2 ? $other : $one, $got, 24, 0);
	}
}
END
speak $sessions
wait "$speaks" || fail "the sockets: $?"
closed() {
	holds it.pcapng "map(select(.type == \"closed\")) | length == $sessions"
}
wait_for closed
detach
! grep -a -q "private data" it.pcapng || fail "another conversation was recorded"
holds it.pcapng "map(select(.type == \"message\")) | length == $sessions and all(.message == \"GET_FEATURES\")" >/dev/null ||
	fail "not one message of each session: $("$vhu" dump it.pcapng | grep -v ' -- ' | cut -d ' ' -f 6- | sort | uniq -c | head)"
