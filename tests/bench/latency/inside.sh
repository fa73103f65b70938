#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What probes in a back-end's own code cost it: a request that is taken and given back, without
# probes and right after it with them, by functions and by static probes. Told are medians of rounds.
#
#	sh inside.sh [-b BUILD] [-r ROUNDS]
set -eu
build=build-test rounds=7
while getopts b:r: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) exit 2 ;;
	esac
done
vhu=$build/bin/vhu bench=$build/tests/bin/bench_latency
[ -x "$vhu" ] && [ -x "$bench" ] || { echo "$build: no build with vhu and bench_latency" >&2; exit 2; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/bench-inside.XXXXXX")
. "$(dirname "$0")/common.sh"
bench_start

# Measure $1 with its pop and push at $2 and $3.
compare() {
	plain=$(bench_ask "$1" 20000)
	: >"$folder/log"
	# shellcheck disable=SC2086 # several words
	"$vhu" latency --json --interval 50ms $rings --pop "$bench:$2" --push "$bench:$3" \
		>"$folder/log" 2>&1 &
	tool=$!
	until [ -s "$folder/log" ]; do
		kill -0 $tool 2>/dev/null || break
		sleep 0.05
	done
	if grep '^vhu latency' "$folder/log"; then
		return
	fi
	# A thread is of a ring once it took a kick.
	bench_ask pair 10 >"$folder/log"
	echo "$1 $plain $(bench_ask "$1" 20000)" >>"$folder/all"
	stop $tool
}

for round in $(seq "$rounds"); do
	: "$round"
	compare queue bench_pop bench_push
	compare static vhu:queue_pop vhu:queue_push
done
exec 3>&- 4<&-
for what in queue static; do
	grep "^$what " "$folder/all" | sort -k 3,3n | awk -v what=$what '
		{ plain[NR] = $2; probed[NR] = $3 }
		END { if (NR) printf "| %s | %.1f | %.0f |\n", what, plain[int((NR + 1) / 2)],
			probed[int((NR + 1) / 2)] }'
done
