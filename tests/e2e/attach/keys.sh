#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Key material is masked as the proxy masks it, and recorded with --with-keys. Two vhu attach watch the
# session at once.
. "$(dirname "$0")/lib.sh"
need perl

cat >back.pl <<'END'
use Socket;
socket(my $listener, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, sockaddr_un($ARGV[0])) or die "$ARGV[0]: $!";
listen($listener, 1) or die "listen: $!";
accept(my $back, $listener) or die "accept: $!";
1 while sysread($back, my $got, 10000);
END
cat >front.pl <<'END'
use Socket;
socket(my $front, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
connect($front, sockaddr_un($ARGV[0])) or die "connect: $!";
my $session = pack("H*", "0200000000000000" . "01000000" x 6 . "01010101cccccccc" . "dd" x 16) .
	"key!" x 16 . "more" x 236 . "\0" x 8;
send($front, pack("LLL", 1, 1, 0), 0);
send($front, pack("LLL", 26, 1, length $session) . $session, 0);
END
stage_start back perl back.pl "$work/back"
stage_listens back "$work/back"
"$vhu" attach --socket "$work/back" -w keys.pcapng --with-keys 2>keys.log &
keys=$!
jobs="$jobs $keys"
attach --socket "$work/back" -w it.pcapng
wait_for grep -q watching keys.log
stage_start proxy "$vhu" proxy -w proxy.pcapng front back
stage_listens proxy front
perl front.pl front || fail "the front-end: $?"
for capture in it keys proxy; do
	wait_for holds $capture.pcapng 'any(.type == "closed")'
done
detach
kill -INT "$keys"
wait "$keys" || fail "the one that records keys: $?"

for capture in it proxy; do
	! grep -a -q 'key!\|more' $capture.pcapng || fail "$capture.pcapng has key material"
	lines $capture.pcapng
done
cmp proxy.pcapng.lines it.pcapng.lines || fail "the proxy masks otherwise: $(diff proxy.pcapng.lines it.pcapng.lines | cut -c 1-300)"
holds it.pcapng 'any(.message == "CREATE_CRYPTO_SESSION" and (.marks | index("redacted")))' >/dev/null ||
	fail "what is masked is not marked: $("$vhu" dump --json it.pcapng)"
grep -a -q 'key!key!' keys.pcapng || fail "--with-keys masks keys"
