#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the sets of hooks cost, and how far their times are from the truth, where all of them can be
# had: in an emulated guest. Only ratios mean anything there.
#
#	sh guest.sh [-b BUILD] [-r ROUNDS]
set -eu
build=build-test rounds=5
while getopts b:r: option; do
	case $option in
	b) build=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) exit 2 ;;
	esac
done
build=$(cd "$build" && pwd)
top=$(cd "$(dirname "$0")/../../.." && pwd)
. "$top/tests/bpf/boot.sh"
vhu_boot_lacks "$top" && exit 77
folder=$(mktemp -d "${TMPDIR:-/tmp}/bench-guest.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$folder"
cat >script <<END
mkdir -p /tmp
mount -t tracefs tracefs /sys/kernel/tracing
export VHU=/vhu/vhu BENCH=/vhu/bench_latency BENCH_COUNT=5000 COUNTS_ONLY=1
echo "guest: cost"
sh /vhu/latency.sh -r $rounds -w 'fentry kprobe syscalls all-syscalls'
for hooks in fentry kprobe syscalls all-syscalls; do
	echo "guest: accuracy \$hooks"
	HOOKS=\$hooks /vhu/bench_accuracy 500 2>/dev/null
done
END
# The guest's clock counts instructions, whatever else this machine does meanwhile.
vhu_boot_options='-icount shift=0,sleep=off'
vhu_boot "$top" script "$build/bin/vhu" "$build/tests/bin/bench_latency" \
	"$build/tests/bin/bench_accuracy" "$top/tests/bench/latency/latency.sh" \
	"$top/tests/bench/latency/common.sh"
grep -e '^|' -e '^guest: [ac]' lines || { tail -n 30 lines; exit 1; }
