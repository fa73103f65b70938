#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A flood that vhu attach does not take in time: what was lost is counted, and recorded where it happened;
# what follows in the same session is recorded whole.
. "$(dirname "$0")/lib.sh"
need perl
# More than the kernel keeps for one that does not take its events.
flood=20000

# A front-end and a back-end that reads all. The front-end asks a hundred times, floods, and asks again.
cat >speak.pl <<'END'
use Socket;
my ($path, $flood, $listener, $got) = @ARGV;
socket($listener, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, sockaddr_un($path)) or die "$path: $!";
listen($listener, 1) or die "listen: $!";
sub wait_for { select(undef, undef, undef, 0.05) until -e $_[0]; }
if (!fork) {
	my ($back, $got);
	accept($back, $listener) or die "accept: $!";
	1 while sysread($back, $got, 65536);
	exit 0;
}
my $front;
wait_for("watched");
socket($front, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($front, sockaddr_un($path)) or die "connect: $!";
send($front, pack("LLL", 1, 1, 0), 0) for 1 .. 100;
open(my $said, ">", "asked");
wait_for("stopped");
send($front, pack("LLLLx1996", 18, 1, 2000, 0), 0) for 1 .. $flood;
open($said, ">", "flooded");
wait_for("goes_on");
send($front, pack("LLL", 1, 1, 0), 0) for 1 .. 100;
close $front;
wait;
END
speak $flood
wait_for test -e asked
asked() {
	holds it.pcapng 'map(select(.message == "GET_FEATURES")) | length == 100'
}
wait_for asked
kill -STOP "$(stage_pid attach)"
: >stopped
wait_for test -e flooded
kill -CONT "$(stage_pid attach)"
lost() {
	"$vhu" dump it.pcapng | grep -q 'could not be captured'
}
wait_for lost
: >goes_on
wait "$speaks" || fail "the flood: $?"
closed() {
	holds it.pcapng 'any(.type == "closed" and .text == "front-end closed")'
}
wait_for closed
detach

"$vhu" dump --json it.pcapng >all.json
lost=$(sed -n 's/.* \([0-9]*\) events\{0,1\} lost (what was sent is missing in [1-9].*/\1/p' attach.log)
recorded=$(grep -c '"message":"SET_VRING_ENABLE"' all.json)
[ -n "$lost" ] || fail "what is missing is not said"
[ "$recorded" -lt $flood ] || fail "nothing was lost: this is no flood"
[ "$lost" -ge $((flood - recorded)) ] ||
	fail "$((flood - recorded)) messages are missing, and $lost events are said to be lost"
[ "$(grep -c '"message":"GET_FEATURES"' all.json)" -eq 200 ] ||
	fail "$(grep -c '"message":"GET_FEATURES"' all.json) of 200 messages before and after the flood"
grep '"type":"error"' all.json | grep -q '"lost"' || fail "no record says where something is missing"
echo "$recorded of $flood messages, $lost events lost"
