#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What vhu latency costs whom: the least of rounds in which every way is measured, one after another,
# for whatever else the machine does only adds.
#
#	sh latency.sh [-b BUILD] [-r ROUNDS]
#
# Needs root. bpftrace and strace are measured where they are installed.
set -eu
build=build/release rounds=7
while getopts b:r: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) exit 2 ;;
	esac
done
vhu=$build/bin/vhu bench=$build/tests/bench/bench_latency
[ -x "$vhu" ] && [ -x "$bench" ] || { echo "$build: no build with vhu and bench_latency" >&2; exit 2; }
"$vhu" latency --help >/dev/null 2>&1 || { echo "lacks vhu latency: it was left out"; exit 77; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/bench-latency.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The same job as a script for bpftrace, which knows eventfds by process and descriptor. It needs
# tracefs: mount -t tracefs tracefs /sys/kernel/tracing
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

# Measure $2 (rounds $3) in way $1. Prints nanoseconds, nothing where the way cannot be had.
measure() {
	rm -f "$folder/go" "$folder/out"
	# On one processor: then a trip is the sum of all work, and no waking of an idle processor.
	taskset -c 0 "$bench" "$2" "$3" "$folder/go" >"$folder/out" &
	bench_pid=$!
	until [ -s "$folder/out" ]; do sleep 0.02; done
	tracer=
	case $1 in
	none) ;;
	bpftrace)
		other=$(pgrep -P $bench_pid)
		sed "s/PID/$bench_pid/; s/OTHER/$other/" "$folder/kicks.bt" >"$folder/script.bt"
		bpftrace "$folder/script.bt" >"$folder/log" 2>&1 &
		tracer=$!
		sleep 3
		;;
	strace)
		strace -f -e trace=read,write -o /dev/null -p $bench_pid \
			-p "$(pgrep -P $bench_pid)" 2>"$folder/log" &
		tracer=$!
		sleep 0.5
		;;
	*)
		"$vhu" latency --json --interval 0s --hooks "$1" --eventfd "$(head -n 1 "$folder/out")" \
			>"$folder/log" 2>&1 &
		tracer=$!
		sleep 0.7
		;;
	esac
	if [ -n "$tracer" ] && ! kill -0 $tracer 2>/dev/null; then
		kill $bench_pid
		wait $bench_pid 2>/dev/null || :
		return 0
	fi
	: >"$folder/go"
	wait $bench_pid || :
	if [ -n "$tracer" ]; then
		kill -INT $tracer 2>/dev/null || :
		wait $tracer 2>/dev/null || :
	fi
	tail -n 1 "$folder/out"
}

for round in $(seq "$rounds"); do
	for what in pair trip getppid null; do
		for way in none fentry kprobe syscalls bpftrace strace; do
			case $way in
			bpftrace)
				command -v bpftrace >/dev/null || continue
				[ -d /sys/kernel/tracing/events ] || continue
				;;
			strace) command -v strace >/dev/null || continue ;;
			esac
			case $what-$way in
			trip-*) count=20000 ;;
			*-strace) count=10000 ;;
			*) count=500000 ;;
			esac
			echo "$what $way $(measure $way $what $count)" >>"$folder/all"
		done
	done
done
awk '
	NF == 3 && (!(($1, $2) in least) || $3 < least[$1, $2]) { least[$1, $2] = $3 }
	END {
		split("none fentry kprobe syscalls bpftrace strace", ways)
		split("pair trip getppid null", whats)
		print "| | pair, ns | / none | trip, ns | / none | getppid, ns | / none | /dev/null, ns | / none |"
		print "|---|---|---|---|---|---|---|---|---|"
		for (i = 1; i <= 6; i++) {
			if (!(("pair", ways[i]) in least))
				continue
			printf "| %s |", ways[i]
			for (j = 1; j <= 4; j++)
				printf " %.0f | %.2f |", least[whats[j], ways[i]],
					least[whats[j], ways[i]] / least[whats[j], "none"]
			print ""
		}
	}' "$folder/all"
