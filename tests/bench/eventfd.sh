#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what kicks and calls through `vhu proxy` cost, beside those that go past it.
#
#	eventfd.sh [-b BUILD] [-r ROUNDS] [-n TRIPS] [-u]
#
# A trip is a kick that is answered by a call. All ways are measured in one run, one after another in
# every round, and the medians of the rounds are compared: only the ratios mean anything. Everything
# runs on one processor, so that a trip is the sum of the work done for it; with -u the scheduler
# places the processes.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test rounds=15 trips=20000 pinned=yes
while getopts b:r:n:u option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	u) pinned= ;;
	*) echo "usage: eventfd.sh [-b BUILD] [-r ROUNDS] [-n TRIPS] [-u]" >&2
	   exit 2 ;;
	esac
done
bench=$build/tests/bin/bench_eventfd
bench_needs bin/vhu tests/bin/bench_eventfd
[ -z "$pinned" ] || bench_pin
bench_open

# Start the proxy for the way $1, with the options that follow, and wait until it listens.
start()
{
	way=$1
	shift
	bench_start "$work/$way" "$build/bin/vhu" proxy -q "$@" "$work/$way" "$work/$way.back"
}

start past
start counted --interpose-eventfds
start ruled --fault 'kick vring=1: lose' --fault 'call vring=1: lose'
start recorded --interpose-eventfds --record-kicks -w "$work/capture.pcapng"
ways="direct past counted ruled recorded"
ln -s direct.back "$work/direct"
round=0
while [ $round -lt "$rounds" ]; do
	for way in $ways; do
		"$bench" "$work/$way.back" "$work/$way" "$trips" >>"$work/$way.ns"
	done
	round=$((round + 1))
done
for way in $ways; do
	echo "$way $(sort -n "$work/$way.ns" | awk '
		{ v[NR] = $1 }
		END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }')"
done | awk -v rounds="$rounds" -v trips="$trips" '
BEGIN {
	name["direct"] = "direct"
	name["past"] = "vhu proxy"
	name["counted"] = "--interpose-eventfds"
	name["ruled"] = "and rules of other rings"
	name["recorded"] = "and --record-kicks -w FILE"
	printf "medians of %d rounds of %d kicks and calls\n\n", rounds, trips
	printf "%-28s%10s%10s\n", "", "trip, us", "/ direct"
}
{
	ns[$1] = $2
	printf "%-28s%10.2f%10.2f\n", name[$1], $2 / 1000, $2 / ns["direct"]
}'
