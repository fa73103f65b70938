#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What each set of hooks of vhu attach costs those whom it watches and those whom it does not, where all
# sets can be had: in an emulated guest. Its clock counts instructions, whatever else this machine does
# meanwhile, so the numbers are the same each time, and only ratios mean anything.
#
#	guest.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-h 'SET ...']
#
# Front-end and back-end share the guest's one processor. vhu attach is stopped while they are measured:
# elsewhere it has another processor. In each round every way is measured right after the pair alone;
# the medians of the rounds are printed.
set -eu
build=build-test rounds=5 trips=2000
sets='tracepoint+fentry fentry tracepoint+kprobe kprobe tracepoint taken'
while getopts b:r:n:h: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	n) trips=$OPTARG ;;
	h) sets=$OPTARG ;;
	*) echo "usage: guest.sh [-b BUILD] [-r ROUNDS] [-n ROUND_TRIPS] [-h 'SET ...']" >&2
	   exit 2 ;;
	esac
done
top=$(cd "$(dirname "$0")/../../.." && pwd)
. "$top/tests/bench/common.sh"
bench_needs bin/vhu tests/bin/bench_peer
build=$(cd "$build" && pwd)
. "$top/tests/bpf/boot.sh"
vhu_boot_lacks "$top" && exit 77
folder=$(mktemp -d "${TMPDIR:-/tmp}/bench-guest.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$folder"
cat >script <<END
mkdir -p /tmp && cd /tmp
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
echo "kernel \$(uname -r)"
for name in back other; do
	/vhu/chrt -f 1 /vhu/bench_peer echo /tmp/\$name &
	other=\$!
	until grep -q " 00010000 .* /tmp/\$name\\$" /proc/net/unix; do
		usleep 10000
	done
done
trip() {
	/vhu/chrt -f 1 /vhu/bench_peer rtt /tmp/back $trips
}
# Measure the way \$2 by the hooks \$1, with the option \$3 of vhu attach.
measure() {
	alone=\$(trip)
	: >attach.log
	/vhu/vhu attach --hooks \$1 \$3 -w attach.pcapng 2>attach.log &
	until grep -q . attach.log; do
		usleep 10000
	done
	grep -q watching attach.log || { echo "refused \$1 \$(cat attach.log)"; wait \$!; return 1; }
	# For a second it looks at the names of sockets, too.
	sleep 2
	kill -STOP \$!
	echo "trip \$1 \$2 \$alone \$(trip)"
	kill -CONT \$!
	kill -INT \$!
	wait \$!
	grep -q ' 0 events lost' attach.log || echo "lost \$1 \$2 \$(cat attach.log)"
}
for hooks in $sets; do
	for round in \$(seq $rounds); do
		measure \$hooks watched --socket=/tmp/back &&
			measure \$hooks bystander --socket=/tmp/other &&
			measure \$hooks pid --pid=\$other || break
	done
done
END
vhu_boot_options='-icount shift=0,sleep=off'
vhu_boot "$top" script "$build/bin/vhu" "$build/tests/bin/bench_peer" "$(command -v chrt)"
grep -q '^guest: done 0' lines || {
	tail -n 30 lines
	echo "guest.sh: the guest did not finish: ask for fewer rounds or sets on a busy machine" >&2
	exit 1
}
sed -n 's/.*kernel \([0-9]\)/Linux \1/p' lines
sed -n 's/^refused \([^ ]*\) /\1: /p; s/^lost /lost: /p' lines

# Print the median of the column $3 of the rounds of way $2 by hooks $1.
median() {
	awk -v hooks="$1" -v way="$2" -v column="$3" '
		$1 == "trip" && $2 == hooks && $3 ~ way { print $column }' lines | sort -n |
		awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
echo "medians of $rounds rounds of $trips round trips, in instructions"
printf '%-18s%9s%9s%9s%11s%9s%9s%9s\n' '' alone watched '/ alone' bystander '/ alone' '--pid' '/ alone'
for hooks in $sets; do
	grep -q "^trip $hooks " lines || continue
	echo "$hooks $(median $hooks '[a-z]*' 4) $(median $hooks watched 5) $(median $hooks bystander 5)" \
		"$(median $hooks pid 5)" |
		awk '{ printf "%-18s%9d%9d%9.3f%11d%9.3f%9d%9.3f\n", $1, $2, $3, $3 / $2, $4, $4 / $2, $5, $5 / $2 }'
done
