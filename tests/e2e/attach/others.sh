#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is said on sockets that were not asked for is not recorded, though the kernel uses the address of a
# name again: a back-end stops listening, others listen elsewhere at once and speak vhost-user.
. "$(dirname "$0")/lib.sh"
need perl

attach --socket "$work/back" -w it.pcapng
cat >speak.pl <<'END'
use Socket;
# Listen at a path, connect to it, and ask for features from there, with an answer.
sub at {
	my ($path, $wait, $listener, $front, $back, $got) = @_;
	socket($listener, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
	bind($listener, sockaddr_un($path)) or die "$path: $!";
	listen($listener, 1) or die "listen: $!";
	select(undef, undef, undef, 0.05) while $wait && !-e "watched";
	socket($front, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
	connect($front, sockaddr_un($path)) or die "connect: $!";
	accept($back, $listener) or die "accept: $!";
	send($front, pack("LLL", 1, 1, 0), 0);
	recv($back, $got, 12, 0);
	send($back, pack("LLLQ", 1, 5, 8, 4), 0);
	recv($front, $got, 20, 0);
}
at("$ARGV[0]/back", 1);
for my $i (10 .. 49) {
	at("$ARGV[0]/no$i", 0);
}
END
perl speak.pl "$work" &
jobs="$jobs $!"
speaks=$!
wait_for grep -q 'listens there now' attach.log
: >watched
wait "$speaks" || fail "the other sockets: $?"
wait_for holds it.pcapng 'any(.type == "closed")'
detach
holds it.pcapng 'map(select(.type == "opened")) | length == 1' >/dev/null ||
	fail "others' sessions are recorded: $("$vhu" dump it.pcapng)"
holds it.pcapng 'map(select(.type == "message")) | length == 2' >/dev/null ||
	fail "not the two messages of the session: $("$vhu" dump it.pcapng)"

# The same by an abstract name, under which somebody listens already.
rm watched
sed 's/^at(.*, 1);/at("\\0$ARGV[0]\/name", 1);/; s/"\$ARGV\[0\]\/no/"\\0$ARGV[0]\/no/' speak.pl >abstract.pl
perl abstract.pl "$work" &
jobs="$jobs $!"
speaks=$!
wait_for grep -q "@$work/name" /proc/net/unix
attach --socket "@$work/name" -w name.pcapng
: >watched
wait "$speaks" || fail "the other abstract sockets: $?"
wait_for holds name.pcapng 'any(.type == "closed")'
detach
holds name.pcapng '(map(select(.type == "opened")) | length == 1) and (map(select(.type == "message")) | length == 2)' >/dev/null ||
	fail "not the two messages of the session by an abstract name: $("$vhu" dump name.pcapng)"
