#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what `vhu proxy` costs, beside a direct connection, a bare relay and strace: one session,
# many at once, and what an idle one takes.
#
#	proxy.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-m MESSAGES] [-s SESSIONS] [-u]
#
# All ways are measured in one run, one after another in every round, and the medians of the rounds
# are compared: only the ratios mean anything, as the times of a shared machine come and go. What
# is said of them is how far the middle half of the rounds lies apart.
# Everything runs on one processor, so that a round trip is the sum of the work done for it. With -u
# the scheduler places the processes, and which processor wakes which outweighs what is measured:
# two runs of the same relay then differ by half.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test rounds=15 trips=5000 messages=50000 loads="50 200" pinned=yes
while getopts b:r:n:m:s:u option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	m) messages=$OPTARG ;;
	s) loads=$OPTARG ;;
	u) pinned= ;;
	*) echo "usage: proxy.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-m MESSAGES]" \
		"[-s SESSIONS] [-u]" >&2
	   exit 2 ;;
	esac
done
bench=$build/tests/bin
vhu=$build/bin/vhu
bench_needs bin/vhu tests/bin/bench_peer tests/bin/bench_relay
[ -z "$pinned" ] || bench_pin
bench_open

# Start way $1, its socket being $work/$1, with a back-end at $work/$1.back that is of kind $2 (echo,
# serve); what follows is the command without its two endpoints.
way()
{
	name=$1 kind=$2
	shift 2
	bench_start "$work/$name.back" "$bench/bench_peer" "$kind" "$work/$name.back"
	bench_start "$work/$name" "$@" "$work/$name" "$work/$name.back"
}

# Print the median of a file of numbers, and how far the middle half of them lies apart, of that.
median()
{
	sort -n "$1" | awk '
		{ v[NR] = $1 }
		END {
			m = (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2
			print m, (v[int((3 * NR + 3) / 4)] - v[int((NR + 3) / 4)]) / m
		}'
}

# Rules for messages that do not pass here; and one that has to look at each and is for none.
for vring in 0 1 2 3 4 5 6 7 8 9; do
	echo "SET_VRING_KICK vring=$vring nth=3: delay 50ms"
	echo "back GET_CONFIG u8[$vring]=1 probability=1/1000: drop"
done >"$work/rules.txt"

# One session at a time.
ways="direct relay plain bare rules looks proxy files flight words"
bench_start "$work/direct" "$bench/bench_peer" echo "$work/direct"
way relay echo "$bench/bench_relay"
way plain echo "$vhu" proxy
way bare echo "$vhu" proxy --no-sandbox
way rules echo "$vhu" proxy -q --faults "$work/rules.txt"
way looks echo "$vhu" proxy -q --fault 'any u64[0]=1: drop'
way proxy echo "$vhu" proxy -w "$work/proxy.pcapng"
way files echo "$vhu" proxy -w "$work/files.pcapng" -b filesize:1000 -b files:5
way flight echo "$vhu" proxy -w "$work/flight.pcapng" --flight-recorder
# What it says goes to a file.
way words echo sh -c 'exec "$@" 2>"$0"' "$work/words.txt" "$vhu" proxy -v
# Without a client of the control socket, and with one follower.
if "$vhu" ctl --help >/dev/null 2>&1; then
	ways="$ways asked followed"
	way asked echo "$vhu" proxy -q --control "$work/asked.control"
	way followed echo "$vhu" proxy -q --control "$work/followed.control"
	"$vhu" ctl -s "$work/followed.control" --json follow >/dev/null 2>>"$work/stderr" &
	pids="$pids $!"
fi
if command -v strace >/dev/null; then
	ways="$ways strace"
	bench_start "$work/strace" strace -f -o "$work/trace" -e trace=sendmsg,recvmsg \
		"$bench/bench_peer" echo "$work/strace"
else
	echo "strace is not installed: left out"
fi

round=0
while [ $round -lt "$rounds" ]; do
	for way in $ways; do
		share=1
		# They are so slow that fewer do, and their logs would grow.
		case $way in words | followed | strace) share=10 ;; esac
		"$bench/bench_peer" rtt "$work/$way" $((trips / share + 1)) >>"$work/$way.rtt"
		"$bench/bench_peer" stream "$work/$way" $((messages / share + 1)) >>"$work/$way.stream"
		"$bench/bench_peer" fds "$work/$way" $((messages / share / 5 + 1)) >>"$work/$way.fds"
		: >"$work/words.txt"
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
	printf "%-24s%9s%9s%8s%9s%9s%8s%9s%9s%8s\n", a, b, c, d, e, f, g, h, i, j
}
BEGIN {
	name["direct"] = "direct"
	name["relay"] = "bare relay"
	name["plain"] = "vhu proxy"
	name["bare"] = "  --no-sandbox"
	name["rules"] = "  20 rules for others"
	name["looks"] = "  one that looks"
	name["proxy"] = "vhu proxy -w FILE"
	name["files"] = "  -b filesize:1000"
	name["flight"] = "  --flight-recorder"
	name["words"] = "vhu proxy -v"
	name["asked"] = "  --control"
	name["followed"] = "  vhu ctl follow"
	name["strace"] = "strace on the back-end"
	printf "medians of %d rounds of %d round trips and %d messages\n\n", rounds, trips, messages
	head("one session", "trip", "", "", "messages", "", "", "with an", "", "")
	head("", "us", "/ direct", "/ relay", "a second", "/ direct", "/ relay", "eventfd",
		"/ direct", "/ relay")
}
{
	rtt[$1] = $2
	rate[$1] = $4
	fds[$1] = $6
	printf "%-24s%9.1f%9.2f%8s%9d%9.2f%8s%9d%9.2f%8s\n", name[$1],
		$2 / 1000, $2 / rtt["direct"], against($2, rtt["relay"]),
		$4, $4 / rate["direct"], against($4, rate["relay"]),
		$6, $6 / fds["direct"], against($6, fds["relay"])
	for (i = 3; i <= 7; i += 2)
		if ($i > worst)
			worst = $i
}
END { printf "(the middle half of the rounds lies apart by up to %.0f %%)\n", 100 * worst }'

# Many at once: all ask, then all take their answers.
way relay.many serve "$bench/bench_relay"
way plain.many serve "$vhu" proxy
way proxy.many serve "$vhu" proxy -w "$work/many.pcapng"
round=0
while [ $round -lt "$rounds" ]; do
	for load in $loads; do
		for way in relay plain proxy; do
			"$bench/bench_peer" rtt "$work/$way.many" "$trips" "$load" \
				>>"$work/$way.$load.rtt"
			"$bench/bench_peer" stream "$work/$way.many" "$messages" "$load" \
				>>"$work/$way.$load.stream"
		done
	done
	round=$((round + 1))
done

echo
for load in $loads; do
	for way in relay plain proxy; do
		echo "$load $way $(median "$work/$way.$load.rtt")" \
			"$(median "$work/$way.$load.stream")"
	done
done | awk '
BEGIN {
	name["relay"] = "bare relay"
	name["plain"] = "vhu proxy"
	name["proxy"] = "vhu proxy -w FILE"
	printf "%-24s%9s%9s%11s%9s\n", "many sessions", "trip, us", "/ relay", "messages/s", "/ relay"
}
{
	if ($2 == "relay") {
		rtt = $3
		rate = $5
	}
	printf "%3d: %-19s%9.1f%9.2f%11d%9.2f\n", $1, name[$2], $3 / 1000, $3 / rtt, $5, $5 / rate
}'

# Print a number of process $1: its memory in KiB, its descriptors.
takes()
{
	awk '/^VmRSS/ { printf "%s ", $2 }' "/proc/$1/status"
	ls "/proc/$1/fd" | wc -l
}

# Print what each of $2 idle sessions of way $1 takes.
idle()
{
	pid=${pids##* }
	before=$(takes "$pid")
	mkfifo "$work/$1.hold"
	"$bench/bench_peer" hold "$work/$1" "$2" <"$work/$1.hold" >"$work/$1.ready" &
	exec 9>"$work/$1.hold"
	until grep -q ready "$work/$1.ready" 2>/dev/null; do
		sleep 0.02
	done
	echo "$1 $2 $before $(takes "$pid")"
	exec 9>&-
}

echo
way plain.idle serve "$vhu" proxy
idle plain.idle 200 >"$work/idle"
way proxy.idle serve "$vhu" proxy -w "$work/idle.pcapng"
idle proxy.idle 200 >>"$work/idle"
awk '
BEGIN {
	name["plain.idle"] = "idle: vhu proxy"
	name["proxy.idle"] = "idle: vhu proxy -w FILE"
	printf "%-24s%18s%14s%20s\n", "an idle session of 200", "KiB of memory", "descriptors",
		"KiB without any"
}
{ printf "%-24s%18.1f%14.1f%20d\n", name[$1], ($5 - $3) / $2, ($6 - $4) / $2, $3 }' "$work/idle"
