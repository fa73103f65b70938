#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows that what measures works: every row is there and holds numbers above 0, whatever they are;
# and the frames that Wireshark is measured on are dissected as what they claim to be.
#
#	smoke.sh proxy|frames|eventfd|stall|rings|metrics|follow|top|fleet|latency|start|attach BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each row of this run must be there, with $1 numbers above 0.
expect()
{
	numbers=$1
	shift
	for row in "$@"; do
		if ! grep -e "^$row" "$work/out" | awk -v n="$numbers" '
			{
				found = 0
				for (i = 1; i <= NF; i++)
					found += $i ~ /^[0-9.]+$/ && $i > 0
				good = found >= n
			}
			END { exit !good }'; then
			echo "no row \"$row\" with $numbers numbers:"
			cat "$work/out"
			exit 1
		fi
	done
}

case $1 in
proxy)
	sh "$here/proxy.sh" -b "$2" -r 2 -n 20 -m 50 -s "2 100" >"$work/out"
	expect 6 "direct"
	expect 9 "bare relay" "vhu proxy  " "  --no-sandbox" "vhu proxy -w" "vhu proxy -v"
	expect 4 "  2: bare relay" "  2: vhu proxy  " "100: vhu proxy -w"
	expect 3 "idle: vhu proxy  " "idle: vhu proxy -w"
	! command -v strace >/dev/null || expect 9 "strace"
	;;
eventfd)
	sh "$here/eventfd.sh" -b "$2" -r 2 -n 100 >"$work/out"
	expect 2 "direct" "vhu proxy  " "--interpose" "and rules" "and --record"
	;;
stall)
	sh "$here/stall.sh" -b "$2" -r 2 -n 100 -d 300 -q 2 >"$work/out"
	expect 2 "trip of a message" "request on a loaded vring" "2 idle vrings"
	;;
top)
	sh "$here/top.sh" -b "$2" -r 2 -n 100 -s 3 >"$work/out"
	expect 1 "trip with vhu top"
	expect 1 "processor share of vhu top"
	;;
fleet)
	sh "$here/fleet.sh" -b "$2" -m 2 -h "1 3" -s 1 -n 2 >"$work/out" || { status=$?; cat "$work/out"; exit $status; }
	expect 3 "a host with"
	expect 5 " *1 " " *3 "
	expect 1 "1,000 such hosts"
	;;
rings)
	sh "$here/rings.sh" -b "$2" -p 2 -q 2 -r 2 -l 1 >"$work/out"
	expect 3 "4 vrings, -r" "4 vrings, -s" "one healthy vring, -r" "one vring that hangs, -r" \
		"one vring that hangs, --wait"
	grep -q "^verdicts on 4 healthy vrings in 1 looks: 0" "$work/out"
	;;
metrics)
	sh "$here/metrics.sh" -b "$2" -o "$2/bin/vhu" -r 2 -n 100 -m 500 -p 2 >"$work/out"
	for row in counting scrapes findings same; do
		expect 2 "$row  *trip" "$row  *messages"
	done
	;;
follow)
	sh "$here/follow.sh" -b "$2" -o "$2/bin/vhu" -r 2 -n 20 -f 3 >"$work/out"
	expect 3 this old
	;;
latency)
	BENCH_COUNT=200 sh "$here/latency/latency.sh" -b "$2" -r 1 -w all-syscalls >"$work/out"
	expect 8 "| none |"
	# Where the probes can be had.
	if grep -q "^| all-syscalls" "$work/out"; then
		VHU=$2/bin/vhu "$2/tests/bin/bench_accuracy" 20 >>"$work/out"
		expect 8 "| all-syscalls |"
		expect 3 "| 0 us | kick to wake" "| 1000 us | kick to call"
	fi
	;;
start)
	"$2/bin/vhu" latency --json --eventfd kick=4294967295 2>&1 | grep -q 'not open in any process' || exit 77
	sh "$here/latency/start.sh" -b "$2" -r 2 >"$work/out"
	expect 3 "vhu latency --help" "vhu latency  "
	;;
attach)
	"$2/bin/vhu" attach --all --duration 1ms >"$work/out" 2>&1 || { cat "$work/out"; exit 77; }
	sh "$here/attach/attach.sh" -b "$2" -r 1 -n 20 -m 50 -f 1000 >"$work/out"
	expect 6 "watched" "bystander"
	expect 3 "flood of"
	expect 2 "from the command"
	;;
frames)
	command -v tshark >/dev/null || { echo "skipped: tshark is not installed"; exit 77; }
	for kind in dbus usb; do
		"$2/tests/bin/bench_frames" $kind 100 "$work/$kind"
		dissected=$(tshark -r "$work/$kind" -Y "$kind && !_ws.malformed && !_ws.expert" \
			2>"$work/stderr" | wc -l)
		echo "$kind: $dissected of 100 frames" >>"$work/out"
		[ "$dissected" = 100 ] || { cat "$work/out" "$work/stderr"; exit 1; }
	done
	;;
esac
cat "$work/out"
