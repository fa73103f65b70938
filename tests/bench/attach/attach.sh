#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what `vhu attach` costs those whom it watches, and those whom it does not, beside strace on
# the back-end; what a flood loses; and how long it takes from the command to the first record.
#
#	attach.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-m MESSAGES] [-f FLOOD]
#
# In each round every way is measured right after the same pair alone, and the medians of the rounds'
# ratios are printed. Front-end and back-end share one processor, so that a round trip is the sum of the
# work done for it; vhu attach runs where the scheduler places it. Needs root, as vhu attach does.
set -eu
. "$(dirname "$0")/../../../samples/stage.sh"
. "$(dirname "$0")/../common.sh"

build=build-test rounds=15 trips=5000 messages=20000 flood=1000000
while getopts b:r:n:m:f: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	m) messages=$OPTARG ;;
	f) flood=$OPTARG ;;
	*) echo "usage: attach.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-m MESSAGES] [-f FLOOD]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu tests/bin/bench_peer
build=$(cd "$build" && pwd)
vhu=$build/bin/vhu
stage_open
cd "$stage"

# Run bench_peer with the arguments $* on the processor that the pair shares.
processor=$(taskset -pc $$ | sed 's/.*[^0-9]//')
peer() {
	taskset -c "$processor" "$build/tests/bin/bench_peer" "$@"
}

# Start vhu attach with the options $*, and wait until it watches.
attach() {
	: >attach.log
	stage_start attach "$vhu" attach "$@"
	until grep -q . attach.log; do
		:
	done
	grep -q watching attach.log || stage_fail "vhu attach does not watch"
}
detach() {
	stage_end attach INT
	grep lost attach.log >>losses
}

for name in back other; do
	stage_start $name taskset -c "$processor" "$build/tests/bin/bench_peer" echo "$stage/$name"
	stage_listens $name "$stage/$name"
done
ways="watched bystander"
if command -v strace >/dev/null; then
	ways="$ways strace"
	# By its number: strace would leave a child of its own behind.
	stage_start straced taskset -c "$processor" "$build/tests/bin/bench_peer" echo "$stage/straced"
	stage_listens straced "$stage/straced"
	stage_start strace taskset -c "$processor" strace -f -o /dev/null -xx -s 4096 \
		-e trace=sendmsg,recvmsg,read,write,recvfrom,sendto -p "$(stage_pid straced)"
	until grep -q '^TracerPid:.*[1-9]' "/proc/$(stage_pid straced)/status"; do
		sleep 0.02
	done
else
	echo "strace is not installed: left out"
fi

# Measure way $1 once, and the pair alone right before.
measure() {
	at=back
	trip=$(peer rtt back "$trips") rate=$(peer stream back "$messages") fds=$(peer fds back $((messages / 5)))
	case $1 in
	watched) attach --socket "$stage/back" -w watched.pcapng ;;
	bystander) attach --socket "$stage/other" -w bystander.pcapng ;;
	strace) at=straced ;;
	esac
	echo "$trip $(peer rtt $at "$trips") $rate $(peer stream $at "$messages") $fds $(peer fds $at $((messages / 5)))" >>"$1.rounds"
	[ "$1" = strace ] || detach
}
round=0
while [ $round -lt "$rounds" ]; do
	for way in $ways; do
		measure "$way"
	done
	round=$((round + 1))
done

# Print the median of what the awk expression $2 makes of each line of the file $1.
median() {
	awk "{ print $2 }" "$1" | sort -n |
		awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
echo "medians of $rounds rounds of $trips round trips, $messages messages, $((messages / 5)) messages with an eventfd"
printf '%-12s%10s%10s%12s%10s%12s%10s\n' '' 'trip, us' '/ alone' 'messages/s' '/ alone' 'with fd/s' '/ alone'
for way in $ways; do
	printf '%-12s%10.1f%10.2f%12d%10.2f%12d%10.2f\n' "$way" "$(median $way.rounds '$2 / 1000')" \
		"$(median $way.rounds '$2 / $1')" "$(median $way.rounds 'int($4)')" "$(median $way.rounds '$4 / $3')" \
		"$(median $way.rounds 'int($6)')" "$(median $way.rounds '$6 / $5')"
done
echo
echo "of $((2 * rounds)) captures $(grep -c ' 0 events lost' losses || :) lost nothing"

# A flood, which nothing waits for.
attach --socket "$stage/back" -w flood.pcapng
alone=$(peer stream other "$flood")
rate=$(peer stream back "$flood")
detach
printf 'flood of %d messages: %d a second, %.2f of alone; ' "$flood" "${rate%.*}" "$(echo "$rate $alone" | awk '{ print $1 / $2 }')"
tail -n 1 attach.log | sed 's/^vhu attach: //; s/; capture.*//'

# From the command to the first record, of a session that begins as soon as vhu attach watches.
round=0
while [ $round -lt "$rounds" ]; do
	rm -f first.pcapng
	begun=$(date +%s%N)
	attach --socket "$stage/back" -w first.pcapng
	watching=$(date +%s%N)
	peer rtt back 1 >/dev/null
	until "$vhu" dump first.pcapng 2>/dev/null | grep -q GET_FEATURES; do
		:
	done
	echo "$((watching - begun)) $(($(date +%s%N) - watching))" >>first
	detach
	round=$((round + 1))
done
printf 'from the command until it watches: %.3f s; from then to a message in the file: %.3f s\n' \
	"$(median first '$1 / 1e9')" "$(median first '$2 / 1e9')"
