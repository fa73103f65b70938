#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What it costs until vhu latency watches its first vring: the time, and the processor time of the whole
# run. In each round `vhu latency --help` runs right before it, which loads nothing: a machine that
# others use too is now fast and now slow, for both. Printed are medians.
#
#	sh start.sh [-b BUILD] [-r ROUNDS] [-o OLDER]
#
# OLDER is another vhu to compare with. Needs root.
set -eu
build=build-test rounds=15 older=
while getopts b:r:o: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	o) older=$OPTARG ;;
	*) exit 2 ;;
	esac
done
vhu=$build/bin/vhu bench=$build/tests/bin/bench_latency spent=$build/tests/bin/bench_spent
[ -x "$vhu" ] && [ -x "$bench" ] && [ -x "$spent" ] ||
	{ echo "$build: no build with vhu, bench_latency and bench_spent" >&2; exit 2; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/bench-start.XXXXXX")
. "$(dirname "$0")/common.sh"
bench_start

# Add what the command $2 and so on spends to the file of row $1.
measure() {
	row=$1
	shift
	"$spent" "$@" >>"$folder/$row" || { echo "$*: failed" >&2; "$@" >&2; exit 1; }
}
for round in $(seq "$rounds"); do
	measure help "$vhu" latency --help
	# shellcheck disable=SC2086 # several words
	measure start "$vhu" latency --json --interval 0 --duration 1ms $rings
	# shellcheck disable=SC2086
	[ -z "$older" ] || measure older "$older" latency --json --interval 0 --duration 1ms $rings
done
# Print the median of column $2 of row $1.
median() {
	sort -n -k "$2,$2" "$folder/$1" | awk -v n=$(((rounds + 1) / 2)) -v column="$2" 'NR == n { print $column }'
}
echo "medians of $rounds rounds"
echo
printf '%-28s%22s%12s%22s\n' '' 'processor time, ms' '/ --help' 'until watching, ms'
for row in help start older; do
	[ -s "$folder/$row" ] || continue
	case $row in
	help) name='vhu latency --help' ;;
	start) name='vhu latency' ;;
	older) name='the older vhu' ;;
	esac
	awk -v name="$name" -v cpu="$(median $row 1)" -v help="$(median help 1)" -v first="$(median $row 2)" \
		'BEGIN { printf "%-28s%22.1f%12.1f%22.1f\n", name, cpu / 1e3, cpu / help, first / 1e3 }'
done
