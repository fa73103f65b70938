#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Watch two DPDKs exchange packets: virtio-user, vhu proxy, vhost; packed vrings, two queue pairs.
#
#   sh samples/dpdk.sh [--capture FILE] [--built FOLDER]
#
# Installs the Debian packages that are missing (or says which), builds vhu, lets two testpmd send
# packets to and fro, and shows what the two sides said to each other. The capture stays in FILE,
# else in build/dpdk.pcapng. With --built, FOLDER holds a build to use as it is. Root, huge pages or
# a network card are not needed.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/samples/packages.sh"
. "$top/samples/stage.sh"

# Print how many packets testpmd $1 had received when it last said so.
received() {
	sed -n 's/.*RX-packets: *\([0-9]*\).*/\1/p' "$stage/$1.log" | tail -n 1
}

# Start a testpmd as party $1 with the device $2; its own options follow.
start_testpmd() {
	party=$1 device=$2
	shift 2
	stage_start "$party" dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry \
		"--file-prefix=vhu-$$-$party" --vdev "$device" -- --auto-start --rxq=2 --txq=2 \
		--total-num-mbufs=4096 --stats-period=1 "$@"
}

stage_options "$@"
# shellcheck disable=SC2046 # a list of packages is several words
vhu_need $(vhu_packages build dpdk) || exit 1
[ "$(nproc)" -ge 2 ] || { echo "dpdk.sh: testpmd wants two processor cores" >&2; exit 1; }
stage_open

stage_build

step "Starting the back-end: DPDK's vhost device in a testpmd, which sends packets back"
start_testpmd back-end "net_vhost0,iface=$stage/back.sock,queues=2" --forward-mode=mac
stage_listens back-end "$stage/back.sock"
say "it listens on back.sock"

step "Starting the proxy"
say "vhu proxy -w ${capture##*/} listen:front.sock connect:back.sock"
stage_start proxy "$vhu" proxy -w "$capture" "listen:$stage/front.sock" "connect:$stage/back.sock"
stage_listens proxy "$stage/front.sock"

step "Starting the front-end: DPDK's virtio-user device in another testpmd"
start_testpmd front-end "net_virtio_user0,path=$stage/front.sock,queues=2,packed_vq=1" --tx-first
turn=0
until [ "$(received back-end || :)" -gt 0 ] 2>/dev/null; do
	[ "$turn" -lt 400 ] || stage_fail "no packet reached the back-end"
	kill -0 "$(stage_pid front-end)" 2>/dev/null || stage_fail "front-end ended too early"
	turn=$((turn + 1))
	sleep 0.05
done
say "packets come and go: the back-end has received $(received back-end)"
stage_end front-end INT || stage_fail "the front-end ended with status $?"
stage_end proxy TERM || stage_fail "vhu proxy ended with status $?"
stage_end back-end INT || stage_fail "the back-end ended with status $?"
show <"$stage/proxy.log"

stage_tell SET_MEM_TABLE
