#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures `vhu rings`: the time from its start to its end on many vrings of many processes, by a capture
# and by the control socket, and its memory; and on one vring that hangs, in pairs with
# --wait; and how many verdicts it gives on healthy vrings: zero.
#
#	rings.sh [-b BUILD] [-p PROCESSES] [-q VRINGS] [-r ROUNDS] [-l LOOKS]
#
# PROCESSES back-ends (64) with VRINGS vrings each (16), as many front-ends, one proxy. The machine's load
# is printed with the times, which depend on it.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test processes=64 vrings=16 rounds=7 looks=0
while getopts b:p:q:r:l: option; do
	case $option in
	b) build=$OPTARG ;;
	p) processes=$OPTARG ;;
	q) vrings=$OPTARG ;;
	r) rounds=$OPTARG ;;
	l) looks=$OPTARG ;;
	*) echo "usage: rings.sh [-b BUILD] [-p PROCESSES] [-q VRINGS] [-r ROUNDS] [-l LOOKS]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu bin/vhu-sample-backend bin/vhu-sample-frontend tests/bin/bench_maxrss
bench_open
vhu=$build/bin/vhu

pairs=''
for number in $(seq "$processes"); do
	bench_start "$work/back$number" "$build/bin/vhu-sample-backend" --device blk --queues "$vrings" \
		--memory 1 "--socket-path=$work/back$number"
	pairs="$pairs --pair $work/front$number=$work/back$number"
done
# shellcheck disable=SC2086 # words
bench_start "$work/front$processes" "$vhu" proxy -q -w "$work/vm.pcapng" --control "$work/ctl" $pairs
for number in $(seq "$processes"); do
	# Each third is busy.
	rate=$([ $((number % 3)) -eq 0 ] && echo 300 || echo 1)
	"$build/bin/vhu-sample-frontend" --device blk --operation read --queues "$vrings" --rate "$rate" \
		--duration 3600s --timeout 600s "$work/front$number" >/dev/null 2>&1 &
	pids="$pids $!"
	last=$!
done
until [ "$("$vhu" rings --json -r "$work/vm.pcapng" 2>/dev/null | wc -l)" -eq $((processes * vrings)) ]; do
	sleep 0.2
done

# Print the wall time of the command $2..., and the most memory that it had, behind $1.
measure()
{
	name=$1
	shift
	: >"$work/times"
	for _ in $(seq "$rounds"); do
		begin=$(date +%s%N)
		"$build/tests/bin/bench_maxrss" "$work/maxrss" "$@" >"$work/out" 2>&1 || :
		echo $((($(date +%s%N) - begin) / 1000)) >>"$work/times"
	done
	sort -n "$work/times" | awk -v name="$name" -v rounds="$rounds" -v memory="$(cat "$work/maxrss")" '
		{ time[NR] = $1 / 1000 }
		END { printf "%-36s %6.0f ms (%.0f to %.0f in %d), %.1f MB\n", name,
		      time[int((NR + 1) / 2)], time[1], time[NR], rounds, memory / 1024 }'
}

cut -d ' ' -f 1 /proc/loadavg | sed 's/^/load /'
measure "$((processes * vrings)) vrings, -r" "$vhu" rings --json -r "$work/vm.pcapng"
measure "$((processes * vrings)) vrings, -s" "$vhu" rings --json -s "$work/ctl"
measure 'one healthy vring, -r' "$vhu" rings --session 1 --vring 0 -r "$work/vm.pcapng"

bad=0
for _ in $(seq "$looks"); do
	bad=$((bad + $("$vhu" rings --json -r "$work/vm.pcapng" |
		grep -cv '"verdict":{"id":"\(D13\|moving\)"') )) || :
done
[ "$looks" -eq 0 ] || echo "verdicts on $((processes * vrings)) healthy vrings in $looks looks: $bad"

# The last back-end loses a kick: the vring that its front-end then waits for hangs.
kill "$last"
bench_start "$work/deaf" "$build/bin/vhu-sample-backend" --device blk --fault lose-kick "--socket-path=$work/deaf"
bench_start "$work/deaf.front" "$vhu" proxy -q -w "$work/deaf.pcapng" "$work/deaf.front" "$work/deaf"
"$build/bin/vhu-sample-frontend" --device blk --operation read --timeout 3600s "$work/deaf.front" >/dev/null 2>&1 &
pids="$pids $!"
until "$vhu" rings -r "$work/deaf.pcapng" 2>/dev/null | grep -q '(D1)'; do sleep 0.1; done
measure 'one vring that hangs, -r' "$vhu" rings -r "$work/deaf.pcapng"
measure 'one vring that hangs, --wait' "$vhu" rings --wait 10s -r "$work/deaf.pcapng"
