#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu attach --list names devices as the command lines of VMMs do, and no device that it does not know.
. "$(dirname "$0")/lib.sh"
need perl
[ -d /dev/shm ] || { echo "lacks /dev/shm" && exit 77; }
"$vhu" attach --list >out 2>err || no_probes "$(cat err)"

# Two processes that share memory, as far as can be seen, and are connected by a socket.
cat >pair.pl <<'END'
use Socket;
my ($side, $path) = @ARGV;
open(my $memory, "<", "memory") or die "memory: $!";
socket(our $socket, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
if ($side eq "back") {
	bind($socket, sockaddr_un($path)) or die "bind: $!";
	listen($socket, 1) or die "listen: $!";
	my $listener = $socket;
	undef $socket;
	accept($socket, $listener) or die "accept: $!";
} else {
	connect($socket, sockaddr_un($path)) or die "connect: $!";
}
sleep 600;
END
memory=$(mktemp /dev/shm/vhu.XXXXXX)
ln -s "$memory" memory
trap 'rm -f "$memory"; work_close' EXIT

# Start a pair with the socket $1, whose device is $2 ("" not known) if the front-end's command line has
# the words after it.
: >expected
pair() {
	path=$1
	echo "$path $2" >>expected
	shift 2
	stage_start "back.$path" perl pair.pl back "$path"
	stage_listens "back.$path" "$path"
	stage_start "front.$path" perl pair.pl front "$path" "$@"
}
pair a fs -chardev "socket,id=c0,path=a" -device vhost-user-fs-pci,chardev=c0,tag=share
pair b gpu -chardev "socket,path=$work/b,id=c0" -device virtio-blk,drive=d -device vhost-user-gpu,chardev=c0
pair c net -chardev "socket,id=c1,path=elsewhere" -chardev "socket,id=c0,path=c" \
	-netdev vhost-user,id=n1,chardev=c1 -netdev type=vhost-user,id=n0,chardev=c0 -device virtio-net-pci,netdev=n0
pair d block --vhost-user "type=block,socket=$work/d"
pair e disk --disk "vhost_user=true,socket=$work/e"
pair f vsock --device vsock
pair g '' -chardev "socket,id=c0,path=elsewhere" -device vhost-user-fs-pci,chardev=c0
pair h 'no: -mon' -chardev "socket,id=c0,path=h" -mon c0
pair i '' -chardev path=
pair j 'no: -qmp' -qmp unix:j,server=on
pair k 'no: -qtest' -chardev socket,id=c0,path=k -qtest chardev:c0
pair l 'no: -mon' -chardev socket,path=l,id=c0 -mon chardev=c0,mode=control
pair m '' -qmp unix:elsewhere
memories="$(stage_pid front.a) $(stage_pid front.m)"
listed() {
	"$vhu" attach --list --json >all.json
	for listed_pid in $memories; do
		grep -q "\"front_end\":{\"pid\":$listed_pid," all.json || return 1
	done
}
wait_for listed
for path in a b c d e f g h i j k l m; do
	jq -r --argjson pid "$(stage_pid front.$path)" 'select(.front_end.pid == $pid and
		.age_at_most_ns > 1e6 and .age_at_most_ns < 600e9) | .socket + " " + (.device // (if .other_use then "no: " + .other_use else "" end))' all.json
done >found
cmp expected found || fail "other devices (>) than expected (<): $(diff expected found)"
"$vhu" attach --list >out
grep -q "perl ($(stage_pid front.a)) .* fs  *[0-9]* s  *a$" out || fail "the table lacks a connection"
grep -q "perl ($(stage_pid front.j)) .* no: -qmp  *[0-9]* s  *j$" out || fail "the table does not say what is not vhost-user"
grep -q "perl ($(stage_pid front.i)) .* not known  *[0-9]* s  *i$" out || fail "the table lacks a device that is not known"
