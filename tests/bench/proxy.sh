#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what `vhu proxy` costs, beside a direct connection, a bare relay and strace.
#
#	proxy.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-m MESSAGES] [-u]
#
# All ways are measured in one run, one after another in every round, and the medians of the rounds
# are compared: only the ratios mean anything, as the times of a shared machine come and go.
# Everything runs on one processor, so that a round trip is the sum of the work done for it. With -u
# the scheduler places the processes, and which processor wakes which outweighs what is measured:
# two runs of the same relay then differ by half.
set -eu

build=build rounds=15 trips=5000 messages=50000 pinned=yes
while getopts b:r:n:m:u option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	m) messages=$OPTARG ;;
	u) pinned= ;;
	*) echo "usage: proxy.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-m MESSAGES] [-u]" >&2
	   exit 2 ;;
	esac
done
bench=$build/tests/bench
for program in bin/vhu tests/bench/bench_peer tests/bench/bench_relay; do
	if ! [ -x "$build/$program" ]; then
		echo "proxy.sh: $build/$program: not there; build first, or name the folder by -b" >&2
		exit 2
	fi
done

# The last processor that this process may use; the first gets most of the interrupts.
[ -z "$pinned" ] ||
	taskset -pc "$(taskset -pc $$ | sed 's/.*[^0-9]//')" $$ >/dev/null

work=$(mktemp -d)
pids=
# End what was started here, and only that.
cleanup()
{
	for pid in $pids; do
		# strace keeps off signals until its child ends.
		# shellcheck disable=SC2046
		kill $(cat "/proc/$pid/task/$pid/children" 2>/dev/null) "$pid" 2>/dev/null || :
	done
	wait 2>/dev/null || :
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# Start a command in the background.
start()
{
	"$@" 2>>"$work/stderr" >/dev/null &
	pids="$pids $!"
}

# Wait until a socket file is there.
await()
{
	tries=0
	until [ -S "$1" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 500 ]; then
			echo "proxy.sh: $1 did not appear:" >&2
			cat "$work/stderr" >&2
			exit 1
		fi
		sleep 0.02
	done
}

# Print the median of a file of numbers.
median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# Rules for messages that do not pass here; and one that has to look at each and is for none.
for vring in 0 1 2 3 4 5 6 7 8 9; do
	echo "SET_VRING_KICK vring=$vring nth=3: delay 50ms"
	echo "back GET_CONFIG u8[$vring]=1 probability=1/1000: drop"
done >"$work/rules.txt"

ways="direct relay plain rules looks proxy"
start "$bench/bench_peer" echo "$work/direct"
for way in relay plain rules looks proxy; do
	start "$bench/bench_peer" echo "$work/$way.back"
	await "$work/$way.back"
done
start "$bench/bench_relay" "$work/relay" "$work/relay.back"
start "$build/bin/vhu" proxy "$work/plain" "$work/plain.back"
start "$build/bin/vhu" proxy -q --rules "$work/rules.txt" "$work/rules" "$work/rules.back"
start "$build/bin/vhu" proxy -q --rule 'any u64[0]=1: drop' "$work/looks" "$work/looks.back"
start "$build/bin/vhu" proxy -w "$work/capture.pcapng" "$work/proxy" "$work/proxy.back"
if command -v strace >/dev/null; then
	ways="$ways strace"
	start strace -f -o "$work/trace" -e trace=sendmsg,recvmsg "$bench/bench_peer" echo "$work/strace"
else
	echo "strace is not installed: left out"
fi
for way in $ways; do
	await "$work/$way"
done

round=0
while [ $round -lt "$rounds" ]; do
	for way in $ways; do
		share=1
		# strace is so slow that fewer do, and its log would grow.
		[ "$way" = strace ] && share=10
		"$bench/bench_peer" rtt "$work/$way" $((trips / share + 1)) >>"$work/$way.rtt"
		"$bench/bench_peer" stream "$work/$way" $((messages / share + 1)) >>"$work/$way.stream"
		"$bench/bench_peer" fds "$work/$way" $((messages / share / 5 + 1)) >>"$work/$way.fds"
	done
	round=$((round + 1))
done

for way in $ways; do
	echo "$way $(median "$work/$way.rtt") $(median "$work/$way.stream") $(median "$work/$way.fds")"
done | awk -v rounds="$rounds" -v trips="$trips" -v messages="$messages" '
function against(value, relay)
{
	return relay ? sprintf("%.2f", value / relay) : "-"
}
function head(a, b, c, d, e, f, g, h, i, j)
{
	printf "%-22s%9s%9s%8s%9s%9s%8s%9s%9s%8s\n", a, b, c, d, e, f, g, h, i, j
}
BEGIN {
	name["direct"] = "direct"
	name["relay"] = "bare relay"
	name["plain"] = "vhu proxy"
	name["rules"] = "  20 rules for others"
	name["looks"] = "  one that looks"
	name["proxy"] = "vhu proxy -w FILE"
	name["strace"] = "strace on the back-end"
	printf "medians of %d rounds of %d round trips and %d messages\n\n", rounds, trips, messages
	head("", "trip", "", "", "messages", "", "", "with an", "", "")
	head("", "us", "/ direct", "/ relay", "a second", "/ direct", "/ relay", "eventfd",
		"/ direct", "/ relay")
}
{
	rtt[$1] = $2
	rate[$1] = $3
	fds[$1] = $4
	printf "%-22s%9.1f%9.2f%8s%9d%9.2f%8s%9d%9.2f%8s\n", name[$1],
		$2 / 1000, $2 / rtt["direct"], against($2, rtt["relay"]),
		$3, $3 / rate["direct"], against($3, rate["relay"]),
		$4, $4 / fds["direct"], against($4, fds["relay"])
}'
