#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what `vhu top` costs while one proxy has many sessions: its own share of a processor, and the
# trip of a message through that proxy with and without it, by turns.
#
#	top.sh [-b BUILD] [-r ROUNDS] [-n TRIPS] [-s SESSIONS]
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test rounds=10 trips=5000 sessions=50
while getopts b:r:n:s: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	s) sessions=$OPTARG ;;
	*) echo "usage: top.sh [-b BUILD] [-r ROUNDS] [-n TRIPS] [-s SESSIONS]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu bin/vhu-sample-backend bin/vhu-sample-frontend tests/bin/bench_peer
bench_open

# Print the processor time that the process $1 has had, in ns.
used()
{
	cut -d ' ' -f 1 "/proc/$1/schedstat"
}

set -- --pair "$work/echo=$work/echo.back"
bench_start "$work/echo.back" "$build/tests/bin/bench_peer" echo "$work/echo.back"
i=0
while [ $i -lt "$sessions" ]; do
	bench_start "$work/$i.back" "$build/bin/vhu-sample-backend" --device blk "--socket-path=$work/$i.back"
	set -- "$@" --pair "$work/$i=$work/$i.back"
	i=$((i + 1))
done
bench_start "$work/control" "$build/bin/vhu" proxy -q --control "$work/control" --interpose-eventfds "$@"
proxy=$!
i=0
while [ $i -lt "$sessions" ]; do
	"$build/bin/vhu-sample-frontend" --device blk --rate 10 --duration 600s --timeout 600s "$work/$i" \
		>/dev/null 2>&1 &
	pids="$pids $!"
	i=$((i + 1))
done
sleep 3

round=0
while [ $round -lt "$rounds" ]; do
	[ $((round % 2)) = 0 ] && order='plain top' || order='top plain'
	for way in $order; do
		watcher=''
		if [ $way = top ]; then
			"$build/bin/vhu" top --json -s "$work/control" >/dev/null &
			watcher=$!
			sleep 1
			own=$(used $watcher)
		fi
		before=$(used "$proxy") began=$(date +%s%N)
		took=$("$build/tests/bin/bench_peer" rtt "$work/echo" "$trips")
		sleep 3
		time=$(($(date +%s%N) - began))
		echo "$way $took $(($(used "$proxy") - before)) $time ${watcher:+$(($(used $watcher) - own))}"
		[ -z "$watcher" ] || kill $watcher
		[ -z "$watcher" ] || wait $watcher 2>/dev/null || :
	done
	round=$((round + 1))
done >"$work/lines"
awk -v sessions="$sessions" '
function median(v, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2
}
{ took[$1, ++n[$1]] = $2; cpu[$1, n[$1]] = 100 * $3 / $4 }
$1 == "top" { own[n["top"]] = 100 * $5 / $4 }
END {
	for (i = 1; i <= n["top"]; i++) {
		trip[i] = took["top", i] / took["plain", i]
		more[i] = cpu["top", i] - cpu["plain", i]
	}
	printf "%d sessions, medians of %d pairs\n", sessions, n["top"]
	printf "trip with vhu top / without        %.3f\n", median(trip, n["top"])
	printf "processor share of vhu top         %.2f %%\n", median(own, n["top"])
	printf "processor share of the proxy more  %.2f %%\n", median(more, n["top"])
}' "$work/lines"
