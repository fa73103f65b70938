#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what `vhu proxy --stall` costs: on the trip of a message, on a vring that is loaded, and on
# vrings that are idle, while it looks at them ten times a second.
#
#	stall.sh [-b BUILD] [-r ROUNDS] [-n TRIPS] [-d MS] [-q VRINGS] [-u]
#
# A proxy with and one without do the same by turns; the ratios are taken of each pair, and their
# median is printed, for times come and go on a shared machine. Everything runs on one processor, so
# that a trip is the sum of the work done for it; with -u the scheduler places the processes.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test rounds=15 trips=5000 time=500 vrings=16 pinned=yes
while getopts b:r:n:d:q:u option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	d) time=$OPTARG ;;
	q) vrings=$OPTARG ;;
	u) pinned= ;;
	*) echo "usage: stall.sh [-b BUILD] [-r ROUNDS] [-n TRIPS] [-d MS] [-q VRINGS] [-u]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu bin/vhu-sample-backend bin/vhu-sample-frontend tests/bin/bench_peer
[ -z "$pinned" ] || bench_pin
bench_open

# Print the processor time that the process $1 has had, in ns.
used()
{
	cut -d ' ' -f 1 "/proc/$1/schedstat"
}

for way in plain stall; do
	[ $way = plain ] && option= || option='--stall 400ms'
	for kind in echo disk; do
		if [ $kind = echo ]; then
			bench_start "$work/echo.$way.back" "$build/tests/bin/bench_peer" echo "$work/echo.$way.back"
		else
			bench_start "$work/disk.$way.back" "$build/bin/vhu-sample-backend" --device blk \
				--queues "$vrings" "--socket-path=$work/disk.$way.back"
		fi
		# shellcheck disable=SC2086 # words
		bench_start "$work/$kind.$way" "$build/bin/vhu" proxy -q $option -w "$work/$kind.$way.pcapng" \
			"$work/$kind.$way" "$work/$kind.$way.back"
		eval "proxy_${kind}_$way=\$!"
	done
done

# Do the work $1 by the way $2. Prints its measure (less is better) and the proxy's processor time for
# it.
work()
{
	case $1 in
	trip) proxy=$(eval "echo \$proxy_echo_$2") ;;
	*) proxy=$(eval "echo \$proxy_disk_$2") ;;
	esac
	before=$(used "$proxy")
	case $1 in
	trip) took=$("$build/tests/bin/bench_peer" rtt "$work/echo.$2" "$trips") ;;
	loaded) took=$("$build/bin/vhu-sample-frontend" --device blk --operation read --depth 4 \
			--duration "${time}ms" "$work/disk.$2" |
			sed -n 's/^\([0-9]*\) requests in .*/\1/p')
		took=$(awk "BEGIN { print $time * 1e6 / $took }") ;;
	idle) "$build/bin/vhu-sample-frontend" --device blk --operation read --rate 5 --queues "$vrings" \
			--duration "${time}ms" "$work/disk.$2" >/dev/null
		took=$time ;;
	esac
	echo "$took $(($(used "$proxy") - before))"
}

round=0
while [ $round -lt "$rounds" ]; do
	# Who is first has a turn each.
	[ $((round % 2)) = 0 ] && order='plain stall' || order='stall plain'
	for what in trip loaded idle; do
		for way in $order; do
			work $what $way >"$work/$what.$way"
		done
		echo "$what $(cat "$work/$what.plain") $(cat "$work/$what.stall")" >>"$work/pairs"
	done
	round=$((round + 1))
done
awk -v rounds="$rounds" -v vrings="$vrings" -v time="$time" '
# The median of the values in v[what].
function median(v, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2
}
{
	n = ++count[$1]
	wall[$1, n] = $4 / $2
	cpu[$1, n] = $5 / $3
	more[$1, n] = ($5 - $3) / 1000
}
function print_row(what, name,    i, w, c, m) {
	for (i = 1; i <= count[what]; i++) {
		w[i] = wall[what, i]; c[i] = cpu[what, i]; m[i] = more[what, i]
	}
	printf "%-36s%12.3f%16.3f%18.1f\n", name, median(w, count[what]), median(c, count[what]),
		median(m, count[what])
}
END {
	printf "medians of %d pairs: with --stall 400ms / without\n\n", rounds
	printf "%-36s%12s%16s%18s\n", "", "time", "time of proxy", "us of proxy more"
	print_row("trip", "trip of a message")
	print_row("loaded", "request on a loaded vring")
	print_row("idle", sprintf("%d idle vrings for %d ms", vrings, time))
}' "$work/pairs"
