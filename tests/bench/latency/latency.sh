#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu latency costs whom: in each round everything is measured without probes, and right after it
# with them. Told are the least time, and the median of the rounds' ratios: a machine that others use
# too is now fast and now slow, for all that is measured within one moment.
#
#	sh latency.sh [-b BUILD] [-r ROUNDS] [-w "WAY ..."]
#
# A way is a set of hooks, bpftrace or strace. Needs root; bpftrace and strace are measured where they
# are installed, the former where tracefs is (mount -t tracefs tracefs /sys/kernel/tracing).
set -eu
build=build-test rounds=15 ways='fentry kprobe syscalls all-syscalls bpftrace strace'
while getopts b:r:w: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	w) ways=$OPTARG ;;
	*) exit 2 ;;
	esac
done
vhu=${VHU:-$build/bin/vhu} bench=${BENCH:-$build/tests/bin/bench_latency}
[ -x "$vhu" ] && [ -x "$bench" ] || { echo "$build: no build with vhu and bench_latency" >&2; exit 2; }
"$vhu" latency --help >/dev/null 2>&1 || { echo "lacks vhu latency: it was left out"; exit 77; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/bench-latency.XXXXXX")
. "$(dirname "$0")/common.sh"

# The same job as a script for bpftrace, which knows eventfds by process and descriptor.
cat >"$folder/kicks.bt" <<'END'
tracepoint:syscalls:sys_enter_write /(pid == PID || pid == OTHER) && args->count == 8/ {
	@kick[args->fd] = nsecs;
	@kicks = count();
}
tracepoint:syscalls:sys_enter_read /pid == PID || pid == OTHER/ { @fd[tid] = args->fd; }
tracepoint:syscalls:sys_exit_read /args->ret == 8 && (pid == PID || pid == OTHER)/ {
	@ns = hist(nsecs - @kick[@fd[tid]]);
}
END

# On one processor: then a trip is the sum of all work, and no waking of an idle processor.
pin=
! taskset -c 0 true 2>/dev/null || pin="taskset -c 0"
# shellcheck disable=SC2086 # two words and a number, or none
bench_start $pin

# Measure all there is, as way $1 of round $2; with $3 times as few rounds where that is slow.
measure() {
	for what in pair trip getppid null; do
		case $what in
		trip) count=2000 ;;
		*) count=${BENCH_COUNT:-100000} ;;
		esac
		echo "$1 $2 $what $(bench_ask "$what" $((count / $3)))" >>"$folder/all"
	done
}

# Start what watches in way $1. Returns 1 where that cannot be had.
start() {
	: >"$folder/log"
	case $1 in
	bpftrace)
		command -v bpftrace >/dev/null && [ -d /sys/kernel/tracing/events ] || return 1
		sed "s/PID/$own/; s/OTHER/$other/" "$folder/kicks.bt" >"$folder/script.bt"
		bpftrace "$folder/script.bt" >"$folder/log" 2>&1 &
		;;
	strace)
		command -v strace >/dev/null || return 1
		strace -f -e trace=read,write -o /dev/null -p "$own" -p "$other" 2>"$folder/log" &
		;;
	*)
		# shellcheck disable=SC2086 # several words
		"$vhu" latency --json --interval 50ms --hooks "$1" $rings >"$folder/log" 2>&1 &
		;;
	esac
	tracer=$!
	# Each says something when it has begun.
	until [ -s "$folder/log" ]; do
		kill -0 $tracer 2>/dev/null || break
		sleep 0.05
	done
	case $1 in
	bpftrace | strace) sleep 1 ;;
	*) ! grep -q '^vhu latency' "$folder/log" || return 1 ;;
	esac
	kill -0 $tracer 2>/dev/null
}

for round in $(seq "$rounds"); do
	for way in $ways; do
		slow=1
		case $way in
		strace) slow=20 ;;
		esac
		measure "none-$way" "$round" 1
		start "$way" || continue
		measure "$way" "$round" $slow
		stop $tracer
	done
done
exec 3>&- 4<&-
awk -v ways="$ways" '
	# Return the median of list[1..n], which it sorts.
	function median(list, n,   i, j, t) {
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
				t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
			}
		return list[int((n + 1) / 2)]
	}
	{
		ns[$1, $2, $3] = $4
		name = $1 ~ /^none-/ ? "none" : $1
		if (!((name, $3) in least) || $4 < least[name, $3])
			least[name, $3] = $4
		if ($2 > rounds)
			rounds = $2
	}
	END {
		count = split("none " ways, way)
		split("pair trip getppid null", what)
		print "| | pair, ns | / none | trip, ns | / none | getppid, ns | / none | /dev/null, ns | / none |"
		print "|---|---|---|---|---|---|---|---|---|"
		for (i = 1; i <= count; i++) {
			if (!((way[i], "pair") in least))
				continue
			printf "| %s |", way[i]
			for (j = 1; j <= 4; j++) {
				n = 0
				for (r = 1; r <= rounds; r++)
					if ((way[i], r, what[j]) in ns && way[i] != "none")
						ratio[++n] = ns[way[i], r, what[j]] / ns["none-" way[i], r, what[j]]
				printf " %.0f | %.2f |", least[way[i], what[j]], n ? median(ratio, n) : 1
			}
			print ""
		}
	}' "$folder/all"
