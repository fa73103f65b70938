#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every pair of real peers that there is says the same through the proxy as directly: the same
# messages in the same order from each side, with the same kinds of descriptors. What is said directly
# is what strace sees of the front-end's sockets; what is said through the proxy is what is captured, with
# kicks and calls past the proxy and by it.
#
#	matrix.sh quick|slow
. "$(dirname "$0")/../../lib/common.sh"
need strace tcpdump
work_open
session=$programs/qemu_session which=$1

. "$top/tests/lib/peers.sh"
calls=socket,connect,accept,accept4,socketpair,sendmsg,recvmsg,sendto,recvfrom,read,write
calls=trace=$calls,readv,writev,recvmmsg,sendmmsg,close,dup,dup2,dup3

# Make a list of messages as both readers print it comparable: what is in them differs from run to
# run, and which side is first does not matter. A line is: sender, number, flags, size, descriptors.
normal() {
	awk '
		function number(at,    i, out)
		{
			out = 0
			for (i = 3; i >= 0; i--)
				out = 256 * out + 16 * (index("0123456789abcdef", substr($3, 2 * (at + i) + 1, 1)) - 1) + \
					index("0123456789abcdef", substr($3, 2 * (at + i) + 2, 1)) - 1
			return out
		}
		$1 == "front-end" {
			gsub(/socket:\[[0-9]*\]/, "socket")
			gsub(/\/memfd:[^,]*/, "memfd")
			gsub(/anon_inode:\[eventfd\]/, "eventfd")
			gsub(/\/[^,]*/, "file")
			print $2, number(0), number(4), number(8), $4
		}' | sort -s -k 1,1
}

# The back-ends, each started at $back as the party `back`, and the front-ends, each run on $socket.
sample_starts() {
	# shellcheck disable=SC2086 # a device's options are several words
	stage_start back "$build/bin/vhu-sample-backend" --socket-path="$back" $1
	stage_listens back "$back"
}
daemon_starts() {
	truncate -s 16M disk.img
	stage_start back qemu-storage-daemon \
		--blockdev driver=file,node-name=d,locking=off,filename=disk.img \
		--export "type=vhost-user-blk,id=e,node-name=d,writable=on,num-queues=2,addr.type=unix,addr.path=$back"
	stage_listens back "$back"
}
virtiofsd_starts() {
	mkdir -p share
	# shellcheck disable=SC2086 # options are several words
	stage_start back "$virtiofsd" "--socket-path=$back" $virtiofsd_options
	stage_listens back "$back"
}
testpmd_starts() {
	stage_start back dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry \
		--file-prefix="matrix$$back" --vdev "net_vhost0,iface=$back,queues=1" -- \
		--auto-start --forward-mode=icmpecho --total-num-mbufs=2048 --stats-period=1
	stage_listens back "$back"
}
qemu_talks() {
	set -- "$session" --front "$socket" --rounds 2 "$@"
	[ -z "$trace" ] || set -- "$@" --strace "$trace"
	status=0
	"$@" >front.log 2>&1 || status=$?
	[ "$status" -ne 77 ] || { cat front.log; exit 77; }
}
# With strace -D what is started is what is signalled.
# The search for leaks of a build with sanitizers cannot be done under strace.
sample_talks() {
	set -- "$build/bin/vhu-sample-frontend" "$socket" --requests 20 "$@"
	[ -z "$trace" ] || set -- strace -D -f -q -y -xx -s 1048576 -e "$calls" -o "$trace" \
		-E ASAN_OPTIONS=detect_leaks=0 "$@"
	status=0
	"$@" >front.log 2>&1 </dev/null || status=$?
}
# Packets go to and fro until the back-end has some.
testpmd_talks() {
	set -- dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry \
		--file-prefix="matrix$$f$name" --vdev "net_virtio_user0,path=$socket,queues=1" -- \
		--auto-start --tx-first --total-num-mbufs=2048 --stats-period=1
	[ -z "$trace" ] || set -- strace -D -f -q -y -xx -s 1048576 -e "$calls" -o "$trace" "$@"
	stage_start front "$@"
	turn=0
	until grep -q 'RX-packets: *[1-9]' back.log; do
		turn=$((turn + 1))
		[ "$turn" -lt 1200 ] || fail "$name, $way: no packet came"
		sleep 0.05
	done
	status=0
	stage_end front INT || status=$?
}
# Compare what is said with the back-end that $2 starts and the front-end that $3 runs, both with
# their words; $4 ends the back-end, a signal or nothing where it ends by itself. $5: which ways, the
# first being direct.
pair() {
	name=$1 starts=$2 talks=$3 ends=$4 ways=$5
	for way in $ways; do
		back=$stage/$name.back socket=$stage/$name.back trace=''
		[ "$way" != direct ] || trace=$stage/$name.trace
		rm -f back.log
		$starts
		if [ "$way" != direct ]; then
			socket=$stage/$name.front
			[ "$way" = past ] && option=-q || option=--interpose-eventfds
			stage_start "$name.$way" "$vhu" proxy "$option" -w "$name.$way.pcapng" \
				"$socket" "$back"
			stage_listens "$name.$way" "$socket"
		fi
		$talks
		[ "$status" -eq 0 ] || fail "$name, $way: the front-end ended with status $status"
		if [ "$way" != direct ]; then
			stage_settles "$name.$way.pcapng"
			stage_end "$name.$way" TERM || fail "$name, $way: the proxy ended with status $?"
		fi
		# shellcheck disable=SC2086 # it is to vanish where it is empty
		stage_end back $ends || [ -z "$ends" ] ||
			fail "$name, $way: the back-end ended with status $?"
		rm -f "$back"
	done
	compare
}

# Compare what was said in each way.
compare() {
	awk -f "$top/tests/e2e/peers/strace.awk" -v "path=$back" "$name.trace" >seen ||
		fail "$name: the trace cannot be read: $(tail -n 1 seen)"
	normal <seen >"$name.direct"
	[ "$(wc -l <"$name.direct")" -ge 15 ] || fail "$name: little was said directly"
	for way in ${ways#direct}; do
		tcpdump -r "$name.$way.pcapng" -n -t 2>tcpdump.log |
			awk -f "$top/tests/e2e/peers/capture.awk" | normal >"$name.said"
		diff "$name.direct" "$name.said" >difference ||
			fail "$name, $way: other messages than directly: $(head -n 20 difference)"
	done
	echo "$name: the same $(wc -l <"$name.direct") messages directly and through the proxy"
}

if [ "$which" = quick ]; then
	ways="direct past by"
	pair sample-sample "sample_starts --queues=1" sample_talks TERM "$ways"
	pair qemu-sample "sample_starts --device=blk" qemu_talks TERM "$ways"
	pair qemu-sample-rng "sample_starts --queues=1" "qemu_talks --device rng" TERM "$ways"
	if command -v qemu-storage-daemon >/dev/null; then
		pair sample-daemon daemon_starts "sample_talks --device blk" TERM "$ways"
		pair qemu-daemon daemon_starts qemu_talks TERM "$ways"
	else
		echo "without qemu-storage-daemon: it is left out"
	fi
	if vhu_virtiofsd "$stage/share"; then
		pair qemu-virtiofsd virtiofsd_starts "qemu_talks --device fs" "" "$ways"
	else
		echo "without virtiofsd as root: it is left out"
	fi
	exit 0
fi

# These take some time.
if command -v dpdk-testpmd >/dev/null && [ "$(nproc)" -ge 2 ]; then
	pair qemu-testpmd testpmd_starts "qemu_talks --device net" INT "direct by"
	pair testpmd-testpmd testpmd_starts testpmd_talks INT "direct by"
else
	echo "without dpdk-testpmd on two processors: it is left out"
fi
