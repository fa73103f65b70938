#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Messages with as many descriptors as the kernel takes, and of more than 64 KiB, sent at once and in two
# parts, are recorded whole, and so are those around them.
. "$(dirname "$0")/lib.sh"
need perl
case $(uname -m) in
x86_64) sendmsg=46 ;;
aarch64) sendmsg=211 ;;
*) echo "lacks the number of sendmsg(2) here" && exit 77 ;;
esac

cat >speak.pl <<'END'
use Socket;
my ($path, $sendmsg, $listener) = @ARGV;
socket($listener, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, sockaddr_un($path)) or die "$path: $!";
listen($listener, 1) or die "listen: $!";
if (!fork) {
	my ($back, $got);
	accept($back, $listener) or die "accept: $!";
	1 while sysread($back, $got, 10000);
	exit 0;
}
select(undef, undef, undef, 0.05) until -e "watched";
my $front;
socket($front, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($front, sockaddr_un($path)) or die "connect: $!";
sub message { my ($id, $bytes) = @_; return pack("LLL", $id, 1, length $bytes) . $bytes; }
sub say_all { my $bytes = shift; while (length $bytes) { my $n = send($front, $bytes, 0) or die "send: $!"; substr($bytes, 0, $n) = ""; } }
# A message and descriptors that go with it.
sub with { my ($bytes, @fd) = @_;
	my $part = pack("PQ", $bytes, length $bytes);
	my $control = pack("QLLL*", 16 + 4 * @fd, SOL_SOCKET, 1, @fd) . ("\0" x (4 * (@fd % 2)));
	my $header = pack("QLx4PQPQLx4", 0, 0, $part, 1, $control, length $control, 0);
	syscall($sendmsg + 0, fileno $front, $header, 0) == length $bytes or die "sendmsg: $!"; }
open(my $null, "<", "/dev/null") or die "/dev/null: $!";
say_all(message(1, ""));
with(message(13, pack("Q", 0)), (fileno $null) x 253);
say_all(message(24, "x" x 99990 . "large ends"));
my $parted = message(24, "y" x 149989 . "parted ends");
say_all(substr($parted, 0, 70000));
with(substr($parted, 70000), fileno $null);
with(message(13, pack("Q", 1)), fileno $null);
say_all(message(1, ""));
close $front;
wait;
END
speak $sendmsg
wait "$speaks" || fail "the sockets: $?"
wait_for holds it.pcapng 'any(.type == "closed")'
detach
grep -q '1 session, 6 messages, 255 descriptors, 0 events lost,' attach.log || fail "not all is there"
! grep -q 'missing in' attach.log || fail "something is missing"
holds it.pcapng 'map(select(.type == "message")) | map([.size, (.fds // [] | length)]) ==
	[[0, 0], [8, 253], [100000, 0], [150000, 1], [8, 1], [0, 0]]' >/dev/null ||
	fail "other messages: $("$vhu" dump it.pcapng)"
holds it.pcapng 'all(.[].fds[]?; .kind != "unknown" and .name == "null")' >/dev/null ||
	fail "descriptors are not described: $("$vhu" dump --json it.pcapng | grep -o '"fds":\[{[^}]*}' | head -n 2)"
for end in 'large ends' 'parted ends'; do
	[ "$(grep -a -c "$end" it.pcapng)" -eq 1 ] || fail "no message that ends with \"$end\""
done
