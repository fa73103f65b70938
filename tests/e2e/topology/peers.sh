#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every way to meet a side, with real peers: QEMU as client and as server, with a
# qemu-storage-daemon that listens or is brought by something that connects, by inherited descriptors;
# DPDK with both sides turned round; virtiofsd with a descriptor. The same is said in each.
. "$(dirname "$0")/../../lib/common.sh"
need qemu-system-x86_64 qemu-storage-daemon jq
work_open
session=$programs/qemu_session

. "$top/tests/lib/peers.sh"

# Let a QEMU go through a session with its disk at f.sock; it is a client or a server.
qemu() {
	words=--reconnect
	[ "$1" = client ] || words=--chardev=server=on,wait=off
	"$session" --front "$stage/f.sock" "$words" >session.log 2>&1 ||
		fail "$name: QEMU's session ended with status $?"
}

# What was said on the main socket in each session of the capture $1, as often as it was.
said() {
	"$vhu" dump --json "$1" | jq -r 'select(.type == "message" and .channel == "front-end") |
		"\(.session) \(.from) \(.message) \(.reply)"' | sort | uniq -c
}

# Let $2 sessions pass, QEMU being $3 and the storage daemon's side $4 (listens, connects, started),
# through the proxy that the rest of the arguments start.
row() {
	name=$1 sessions=$2 qemu=$3 disk=$4
	shift 4
	stage_start proxy "$@"
	if [ "$qemu" = client ]; then
		stage_listens proxy "$front"
	fi
	if [ "$disk" = connects ]; then
		stage_start client "$vhu" proxy -q --retry "connect:$back" connect:disk.sock
	fi
	for turn in $(seq "$sessions"); do
		qemu "$qemu"
	done
	# Once it has seen the last one's end it may go.
	await '[ "$("$vhu" dump "$name.pcapng" 2>/dev/null | grep -c " front-end closed")" -ge $sessions ]' \
		"$name: the capture holds $sessions sessions"
	status=0
	stage_end proxy TERM || status=$?
	[ "$status" -eq "$ends" ] || fail "$name: the proxy ended with status $status"
	if [ "$disk" = connects ]; then
		stage_end client TERM || fail "$name: what connects ended with status $?"
	fi
	[ "$disk" != started ] || return 0
	said "$name.pcapng" | grep -v ' [2-9] [bf]' | sed 's/ 1 / /' >"$name.said"
	[ "$(wc -l <"$name.said")" -ge 20 ] || fail "$name: little was said"
	diff listen-connect.said "$name.said" >difference ||
		fail "$name: other things are said: $(cat difference)"
}

qemu-img create -f raw disk.img 16M >img.log 2>&1 || truncate -s 16M disk.img
stage_start disk qemu-storage-daemon --blockdev driver=file,node-name=d,locking=off,filename=disk.img \
	--export type=vhost-user-blk,id=e,node-name=d,writable=on,num-queues=2,addr.type=unix,addr.path=disk.sock
stage_listens disk disk.sock
back=b.sock front=f.sock ends=0
proxy() {
	row "$1" "$2" "$3" "$4" "$vhu" proxy -w "$1.pcapng" --retry "$5" "$6"
}
proxy listen-connect 2 client listens f.sock disk.sock
proxy connect-connect 2 server listens connect:f.sock disk.sock
proxy listen-listen 2 client connects f.sock listen:b.sock
proxy connect-listen 2 server connects connect:f.sock listen:b.sock

# Descriptors: listening and connected ones from systemd, connected ones to a back-end.
blk="$build/bin/vhu-sample-backend --device blk --memory 16 --queues 2"
# shellcheck disable=SC2086 # several words
begun() {
	row "$1" 1 "$2" started "$vhu" proxy -w "$1.pcapng" --retry "$3" -- $blk --fd="$4"
}
begun listen-fd client f.sock '{fd}'
begun connect-fd server connect:f.sock '{fd}'
begun connect-listening server connect:f.sock '{listen-fd}'
if command -v systemd-socket-activate >/dev/null; then
	front=$stage/f.sock
	activated() {
		name=$1 front_end=$2 back_end=$3 disk=$4
		shift 4
		row "$name" 1 client "$disk" systemd-socket-activate "$@" \
			"$vhu" proxy -w "$name.pcapng" "$front_end" "$back_end"
		rm -f f.sock b.sock
	}
	activated listening-connect activation disk.sock listens -l "$front"
	activated listening-listen activation listen:b.sock connects -l "$front"
	back=$stage/b.sock
	activated listening-listening fd:3 fd:4 connects -l "$front" -l "$back"
	back=b.sock
	# One process a connection, which ends with it; what starts them dies of the signal.
	ends=143
	one_connection() {
		row "$1" 1 client "$2" systemd-socket-activate --accept -l "$front" \
			"$vhu" proxy -w "$1.pcapng" fd:3 "$3"
		rm -f f.sock
	}
	one_connection connected-connect listens disk.sock
	one_connection connected-listen connects listen:b.sock
else
	echo "without systemd-socket-activate: descriptors of front-ends are left out"
fi
stage_end disk TERM || fail "the storage daemon ended with status $?"

# virtiofsd serves one client and ends; the proxy ends with it. Started by us, and by somebody who
# passes it a socket and takes samples/virtiofsd.sh for it.
fs_served() {
	"$vhu" probe fs.sock >probe.log 2>&1 || [ $? -eq 1 ] || fail "virtiofsd was not met"
	stage_end fs || fail "the proxy of virtiofsd ended with status $?"
	# shellcheck disable=SC2086 # a pattern
	"$vhu" dump $1 | grep -q 'GET_PROTOCOL_FEATURES reply' ||
		fail "nothing was asked of virtiofsd"
}
# shellcheck disable=SC2086 # options are several words
if vhu_virtiofsd "$stage/share"; then
	mkdir share captures
	stage_start fs "$vhu" proxy -q -w fs.pcapng fs.sock -- \
		"$virtiofsd" --fd='{listen-fd}' $virtiofsd_options
	stage_listens fs fs.sock
	fs_served fs.pcapng
	export VHU="$vhu" VHU_VIRTIOFSD="$virtiofsd" VHU_CAPTURES="$stage/captures"
	stage_start fs sh "$top/samples/virtiofsd.sh" --socket-path=fs.sock \
		$virtiofsd_options
	stage_listens fs fs.sock
	fs_served 'captures/*.pcapng'
	if command -v systemd-socket-activate >/dev/null; then
		rm -f fs.sock captures/*
		stage_start fs systemd-socket-activate -E VHU -E VHU_VIRTIOFSD -E VHU_CAPTURES \
			-l "$stage/fs.sock" sh "$top/samples/virtiofsd.sh" --fd=3 \
			$virtiofsd_options
		stage_listens fs "$stage/fs.sock"
		fs_served 'captures/*.pcapng'
	fi
	sh "$top/samples/virtiofsd.sh" --version 2>&1 | grep -qi virtiofsd ||
		fail "the version of virtiofsd is not told"
fi

# DPDK the other way round on both sides: the front-end listens, the back-end connects.
if command -v dpdk-testpmd >/dev/null && [ "$(nproc)" -ge 2 ]; then
	pmd() {
		name=$1
		shift
		stage_start "$name" dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry \
			--file-prefix="topology$$$name" "$@" --total-num-mbufs=2048 --stats-period=1
	}
	stage_start net "$vhu" proxy -q --retry -w net.pcapng connect:net-f.sock listen:net-b.sock
	stage_listens net net-b.sock
	pmd user --vdev net_virtio_user0,path=net-f.sock,queues=1,server=1 -- --auto-start --tx-first
	pmd vhost --vdev net_vhost0,iface=net-b.sock,queues=1,client=1 -- --auto-start \
		--forward-mode=icmpecho
	await '[ "$("$vhu" dump net.pcapng 2>/dev/null | grep -c "SET_VRING_KICK")" -ge 2 ]' \
		"DPDK's vrings are set up"
	for party in user vhost; do
		stage_end "$party" INT || :
	done
	stage_end net TERM || fail "the proxy between DPDKs ended with status $?"
else
	echo "without dpdk-testpmd on two processors: its client mode is left out"
fi
echo "all topologies serve real peers"
