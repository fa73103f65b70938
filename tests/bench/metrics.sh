#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what the counts of `vhu proxy` cost, in pairs that take turns: counting itself, against a
# build from before it; ten scrapes a second; and --findings.
#
#	metrics.sh [-b BUILD] [-o OLD_VHU] [-c COUNTING_VHU] [-r ROUNDS] [-n TRIPS] [-m MESSAGES] [-p PAIRS]
#
# OLD_VHU is a vhu that does not count; without it that is left out. It is compared to COUNTING_VHU, else
# to that of BUILD. What is scraped is a proxy of PAIRS
# pairs that have each had a session. The ratios of the time and of the proxy's processor time are taken
# in each pair of turns, and the medians of these are printed, with the range of the middle half. Proxy and peers run on one processor, the
# scraper on the first, so that a trip is the sum of the work done for it.
set -eu
. "$(dirname "$0")/../../samples/stage.sh"
. "$(dirname "$0")/common.sh"

build=build-test old='' counting='' rounds=21 trips=5000 messages=50000 pairs=300
while getopts b:o:c:r:n:m:p: option; do
	case $option in
	b) build=$OPTARG ;;
	o) old=$OPTARG ;;
	c) counting=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	m) messages=$OPTARG ;;
	p) pairs=$OPTARG ;;
	*) echo "usage: metrics.sh [-b BUILD] [-o OLD_VHU] [-c COUNTING_VHU] [-r ROUNDS] [-n TRIPS] [-m MESSAGES] [-p PAIRS]" >&2
	   exit 2 ;;
	esac
done
bench_needs bin/vhu bin/vhu-sample-backend bin/vhu-sample-frontend tests/bin/bench_peer
vhu=$build/bin/vhu peer=$build/tests/bin/bench_peer
bench_open

# Scrape while the file "scrape" is there, ten times a second.
scrape()
{
	while :; do
		if [ -e "$work/scrape" ]; then
			"$vhu" ctl -s "$work/many.control" metrics >"$work/scraped" 2>>"$work/stderr" &&
				echo >>"$work/scrapes"
		fi
		sleep 0.1
	done
}
scrape &
pids="$pids $!"
taskset -pc 0 $! >/dev/null
bench_pin

# Start way $1: a proxy before an echo, the command being the rest.
way()
{
	name=$1
	shift
	bench_start "$work/$name.back" "$peer" echo "$work/$name.back"
	bench_start "$work/$name" "$@" "$work/$name" "$work/$name.back"
	echo $! >"$work/$name.pid"
}
# Print the processor time that the proxy of way $1 has had, in ns.
used()
{
	cut -d ' ' -f 1 "/proc/$(cat "$work/${1%.*}.pid")/schedstat"
}
way counts "${counting:-$vhu}" proxy -q
[ -z "$old" ] || way before "$old" proxy -q
way control "$vhu" proxy -q --control "$work/control.control"
way findings "$vhu" proxy -q --control "$work/findings.control" --findings
bench_start "$work/disk.back" "$build/bin/vhu-sample-backend" --device blk --memory 1 "--socket-path=$work/disk.back"
n=0
while [ $n -lt "$pairs" ]; do
	echo "pair $work/many.$n $work/disk.back"
	n=$((n + 1))
done >"$work/many.conf"
way many "$vhu" proxy -q --control "$work/many.control" --config "$work/many.conf"
n=0
while [ $n -lt "$pairs" ]; do
	"$build/bin/vhu-sample-frontend" --requests 1 "$work/many.$n" >/dev/null 2>>"$work/stderr"
	n=$((n + 1))
done

"$vhu" ctl -s "$work/many.control" metrics >"$work/scraped"
: >"$work/scrapes"

# Measure what takes turns: what the line is called, the way $2 and the way $3, and whether the way $3
# is scraped.
turns()
{
	for what in rtt stream; do
		[ $what = rtt ] && count=$trips || count=$messages
		for way in $4; do
			before=$(used "$way")
			[ "$way" = "$3" ] && [ "$5" = scraped ] && : >"$work/scrape"
			"$peer" $what "$work/${way%.*}" "$count" >"$work/took.$way"
			rm -f "$work/scrape"
			echo $(($(used "$way") - before)) >"$work/used.$way"
		done
		echo "$1 $what $(cat "$work/took.$2") $(cat "$work/took.$3")" \
			"$(cat "$work/used.$2") $(cat "$work/used.$3")" >>"$work/pairs"
	done
}
round=0
while [ $round -lt "$rounds" ]; do
	# Who is first has a turn each.
	if [ $((round % 2)) = 0 ]; then
		order() { echo "$1 $2"; }
	else
		order() { echo "$2 $1"; }
	fi
	[ -z "$old" ] || turns counting before counts "$(order before counts)" -
	turns scrapes many many.scraped "$(order many many.scraped)" scraped
	turns findings control findings "$(order control findings)" -
	# The same twice shows what of the rest is chance.
	turns same control control.again "$(order control control.again)" -
	round=$((round + 1))
done
echo "medians of $rounds pairs of turns; a scrape of $(wc -c <"$work/scraped") bytes," \
	"$(wc -l <"$work/scrapes") of them"
awk '
function sorted(v, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
}
{ key = $1 " " $2; if (!(key in count)) order[++keys] = key
  # rtt is a time, stream messages a second: more time than before is above 1 in both.
  ratio[key, ++count[key]] = $2 == "rtt" ? $4 / $3 : $3 / $4
  ratio["cpu " key, count[key]] = $6 / $5 }
function middle(key, n,    i, v) {
	for (i = 1; i <= n; i++)
		v[i] = ratio[key, i]
	sorted(v, n)
	return sprintf("%.3f (%.3f to %.3f)", (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2,
		v[int((n + 3) / 4)], v[int((3 * n + 3) / 4)])
}
END {
	printf "%-21s%-26s%s\n", "", "time", "processor time of the proxy"
	for (k = 1; k <= keys; k++) {
		n = count[order[k]]
		split(order[k], word, " ")
		printf "%-10s %-10s%-26s%s\n", word[1], word[2] == "rtt" ? "trip" : "messages",
			middle(order[k], n), middle("cpu " order[k], n)
	}
}' "$work/pairs"
