#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A process ends, and another one gets its id. With --pid vhu attach says that the process has ended, and
# does not record the other one; it ends when none is left. With --socket each session has its own
# processes, though their ids are the same.
. "$(dirname "$0")/lib.sh"
need perl

# Run the command after the number with this number as its process id, which clone3(2) gives it. Wait for
# the command, and end as it ends. SIGTERM is passed on.
cat >as.pl <<'END_OF_PERL'
my $id = shift;
my $wanted = pack("i", $id);
my $arguments = pack("Q11", 0, 0, 0, 0, 17, 0, 0, 0, unpack("Q", pack("P", $wanted)), 1, 0);
my $child = syscall(435, $arguments, length $arguments);
die "clone3: $!\n" if $child < 0;
if (!$child) {
	exec @ARGV or die "$ARGV[0]: $!\n";
}
$SIG{TERM} = sub { kill TERM => $child };
1 while waitpid($child, 0) < 0 && $!{EINTR};
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
END_OF_PERL

# An id that is free, and will be for long: it was just used.
sh -c 'echo $$' >id
read -r id <id
perl as.pl "$id" true 2>err || {
	echo "lacks the right to choose process ids: $(cat err)"
	exit 77
}

# Start the party $1 as process $id: the command that follows.
start_as() {
	name=$1
	shift
	stage_start "$name" perl as.pl "$id" "$@"
}
# End process $id, the party $1: then its id is free.
end_as() {
	kill -TERM "$id"
	stage_end "$1" || :
}
disk() {
	rm -f "$work/$2"
	start_as "$1" "$back_end" --device blk --memory 1 --socket-path="$work/$2"
	stage_listens "$1" "$work/$2"
}
drive() {
	"$front_end" --device blk --requests 5 "$1" >front.log 2>&1 || fail "the front-end failed"
}

# Process $id listens, ends, and another one with this id listens at another path. A third process is
# watched all the time.
disk first one
stage_start other "$back_end" --device blk --memory 1 --socket-path="$work/other"
stage_listens other "$work/other"
attach --pid "$id" --pid "$(stage_pid other)" -w it.pcapng
drive one
end_as first
wait_for grep -q "pid $id has ended" attach.log
disk second two
drive two
end_as second
# A front-end that is the process of that id.
start_as third "$front_end" --device blk --requests 5 other
stage_end third || fail "the front-end failed"
wait_for holds it.pcapng 'map(select(.type == "closed" and .channel == "front-end")) | length == 2'
detach
holds it.pcapng "map(select(.type == \"opened\" and .channel == \"front-end\") | [.back_end.pid, .front_end.pid == $id]) ==
	[[$id, false], [$(stage_pid other), true]]" >/dev/null ||
	fail "the sessions are not those of the processes asked for: $("$vhu" dump --json it.pcapng | jq -c 'select(.type == "opened") | [.front_end, .back_end]')"

# No process is left.
disk last two
attach --pid "$id" -w left.pcapng
drive two
end_as last
stage_end attach || fail "vhu attach ended with status $?"
tail -n 2 attach.log | head -n 1 | grep -q "pid $id has ended" || fail "it does not say why it ends"
holds left.pcapng 'map(select(.type == "closed" and .channel == "front-end")) | length == 1' >/dev/null ||
	fail "the last session is not whole: $("$vhu" dump left.pcapng)"

# By the path: the back-end of one session has the id of the front-end of the next, and of the back-end
# of the one after that.
disk fourth back
attach --socket "$work/back" -w path.pcapng
drive back
end_as fourth
rm -f back
stage_start fifth "$back_end" --device blk --memory 1 --socket-path="$work/back"
stage_listens fifth "$work/back"
wait_for grep -q "pid $(stage_pid fifth)) listens there now" attach.log
start_as sixth "$front_end" --device blk --requests 5 back
stage_end sixth || fail "the front-end failed"
stage_end fifth TERM || :
disk seventh back
wait_for grep -q "pid $id) listens there now" attach.log
drive back
wait_for holds path.pcapng 'map(select(.type == "closed" and .channel == "front-end")) | length == 3'
detach
end_as seventh
holds path.pcapng "map(select(.type == \"opened\" and .channel == \"front-end\") | [.front_end, .back_end] |
	map([.pid == $id, .comm])) ==
	[[[false, \"vhu-sample-fron\"], [true, \"vhu-sample-back\"]],
	 [[true, \"vhu-sample-fron\"], [false, \"vhu-sample-back\"]],
	 [[false, \"vhu-sample-fron\"], [true, \"vhu-sample-back\"]]]" >/dev/null ||
	fail "not each session has its own processes: $("$vhu" dump path.pcapng | grep opened)"
! "$vhu" dump path.pcapng | grep 'could not be captured' || fail "something is missing"
