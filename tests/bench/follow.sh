#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what clients of the control socket cost that follow all records and read none of them, as long as
# the proxy queues records for them.
#
#	follow.sh [-b BUILD] [-o OLD_VHU] [-r ROUNDS] [-n TRIPS] [-f FOLLOWERS]
#
# Turns without and with FOLLOWERS alternate, each with a proxy of its own, so that the queues are empty at
# first: with TRIPS of 1000 and more they fill up. With OLD_VHU, another vhu has turns of both kinds too.
# Prints the median of a trip in each kind of turn, and the medians of the ratios in each pair of turns, with
# the range of the middle half. Proxy and peers run on one processor.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test old='' rounds=21 trips=600 followers=30
while getopts b:o:r:n:f: option; do
	case $option in
	b) build=$OPTARG ;;
	o) old=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	f) followers=$OPTARG ;;
	*) echo "usage: follow.sh [-b BUILD] [-o OLD_VHU] [-r ROUNDS] [-n TRIPS] [-f FOLLOWERS]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu tests/bin/bench_peer
new=$build/bin/vhu peer=$build/tests/bin/bench_peer
bench_open
bench_pin
bench_start "$work/back" "$peer" echo "$work/back"
mkfifo "$work/hold"

# Print how long a trip takes by the vhu $1 with $2 followers, in ns.
turn()
{
	all=$pids
	bench_start "$work/front" "$1" proxy -q --control "$work/control" "$work/front" "$work/back"
	proxy=$! follow=
	until stage_has_listener 0 "$work/control"; do
		kill -0 "$proxy" 2>/dev/null || { cat "$work/stderr" >&2; exit 1; }
		sleep 0.02
	done
	if [ "$2" -gt 0 ]; then
		"$peer" follow "$work/control" "$2" <"$work/hold" >"$work/ready" 2>>"$work/stderr" &
		follow=$! pids="$pids $!"
		exec 3>"$work/hold"
		until [ -s "$work/ready" ]; do
			kill -0 "$follow" 2>/dev/null || { cat "$work/stderr" >&2; exit 1; }
			sleep 0.02
		done
	fi
	"$peer" rtt "$work/front" "$trips" >"$work/took"
	if [ -n "$follow" ]; then
		exec 3>&-
		wait "$follow"
		rm "$work/ready"
	fi
	kill "$proxy"
	wait "$proxy" || :
	pids=$all
	cat "$work/took" >>"$work/$3"
}
round=0
while [ $round -lt "$rounds" ]; do
	turn "$new" 0 alone
	turn "$new" "$followers" followed
	if [ -n "$old" ]; then
		turn "$old" 0 old.alone
		turn "$old" "$followers" old.followed
	fi
	round=$((round + 1))
done

# Print under the name $1 the medians of the turns $2 and $3, in us, and of the ratio of the pairs.
print()
{
	paste "$work/$2" "$work/$3" | awk -v name="$1" '
		function sorted(v, n,    i, j, t) {
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
					t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
				}
		}
		function middle(v, n) { return (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2 }
		{ a[NR] = $1 / 1000; b[NR] = $2 / 1000; r[NR] = $2 / $1 }
		END {
			sorted(a, NR); sorted(b, NR); sorted(r, NR)
			printf "%-12s%-10.1f%-10.1f%.2f (%.2f to %.2f)\n", name, middle(a, NR), middle(b, NR),
				middle(r, NR), r[int((NR + 3) / 4)], r[int((3 * NR + 3) / 4)]
		}'
}
printf "a trip in us, medians of %s pairs of turns\n%-12s%-10s%-10s%s\n" "$rounds" '' alone followed ratio
print this alone followed
[ -z "$old" ] || print old old.alone old.followed
