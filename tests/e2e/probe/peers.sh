#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU's storage daemon, virtiofsd and DPDK say of themselves what they do, and pass the cases that
# docs/standalone.md says they pass. Cases that they fail are theirs to mend, and not held here.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open

. "$top/tests/lib/peers.sh"
lacking='' tried=0

holds() {
	jq -e "$1" out >/dev/null || fail "does not hold: $1"
}

# Probe $1, which the command $2 and following starts on b.sock: what it says is in out, how it fares in
# each case in cases.
probe() {
	name=$1
	shift
	rm -f b.sock
	timeout 120 "$vhu" probe --json --timeout 10s b.sock -- "$@" >out 2>err ||
		fail "vhu probe of $name: status $?"
	schemas_fit out >fit || fail "vhu probe of $name: $(cat fit)"
	holds '.result == "traditional" and (.because | test("does not offer bit 18"))'
	holds '[.findings[] | select(.severity != "info")] == []'
	rm -f b.sock
	# Its status tells whether all passed.
	timeout 280 "$vhu" probe --conformance --json --timeout 3s $device b.sock -- "$@" >cases 2>err || :
	schemas_fit cases >fit || fail "cases of $name: $(cat fit)"
	jq -e '.not_run == 0' cases >/dev/null || fail "cases of $name were not run"
	echo "$name: $(jq -r '"\(.passed) passed, \(.failed) failed (\([.cases[] | select(.result == "fail") | .name] | join(" "))), \(.not_applicable) not applicable"' cases)"
	tried=$((tried + 1))
}

# These cases $* were passed.
passes() {
	for name in "$@"; do
		jq -e --arg name "$name" 'any(.cases[]; .name == $name and .result == "pass")' cases >/dev/null || {
			jq -c --arg name "$name" '.cases[] | select(.name == $name)' cases
			echo "$name was not passed"
			exit 1
		}
	done
}

everybody="get-early pipelined header-apart need-reply-get need-reply-set without-ack enable-order
	features-again features-log reconnect abrupt-close half-header size-huge size-short unknown-id"
device=

if command -v qemu-storage-daemon >/dev/null; then
	truncate -s 8M disk.img
	probe "qemu-storage-daemon" qemu-storage-daemon \
		--blockdev driver=file,node-name=f0,filename=disk.img,locking=off --export \
		type=vhost-user-blk,id=e0,node-name=f0,writable=on,addr.type=unix,addr.path=b.sock,num-queues=2
	holds '.specs | .device_id == 2 and .device_id_source == "looking" and .max_vqs == 2'
	holds '.config.fields | .capacity == 16384 and .num_queues == 2'
	holds '.config.size == .specs.config_size and .mem_slots > 8'
	holds 'any(.answers[]; .message == "SET_LOG_BASE" and .size == 8)'
	# shellcheck disable=SC2086 # a list of cases is several words
	passes $everybody base-unused base-kept base-twice stop-and-go poll-call call-replaced set-config-part
else
	lacking="$lacking qemu-system-common"
fi

if vhu_virtiofsd "$work/share"; then
	mkdir share
	device="--device fs"
	# shellcheck disable=SC2086 # options are several words
	probe "virtiofsd" "$virtiofsd" --socket-path=b.sock $virtiofsd_options
	device=
	holds '.queue_num == 2 and (.specs | has("config_size") | not)'
	# The one in Rust closes a connection that is made before it listens again.
	these=$everybody
	[ "$virtiofsd" = /usr/lib/qemu/virtiofsd ] || these=$(echo "$these" | sed 's/ reconnect / /')
	# shellcheck disable=SC2086 # a list of cases is several words
	passes $these stop-and-go call-replaced
else
	lacking="$lacking virtiofsd (and to be root)"
fi

if command -v dpdk-testpmd >/dev/null && [ "$(nproc)" -ge 2 ]; then
	probe "dpdk-testpmd" dpdk-testpmd -l 0-1 --no-pci --no-huge -m 64 --no-telemetry \
		--file-prefix="probe$$" --vdev net_vhost0,iface=b.sock,queues=1 -- --auto-start \
		--forward-mode=icmpecho --total-num-mbufs=2048 --stats-period=1
	holds '.specs.device_id == 1 and .specs.device_id_source == "looking" and .specs.device_id_how == "feature bits" and .status == 0'
	holds 'any(.answers[]; .message == "SET_LOG_BASE" and .size == 0)'
	# shellcheck disable=SC2086 # a list of cases is several words
	passes $everybody base-unused base-kept base-twice stop-and-go poll-kick poll-call call-replaced \
		status-reset index-far regions-many ring-unmapped
else
	lacking="$lacking dpdk-dev (and a second processor)"
fi

if [ -n "$lacking" ]; then
	echo "lacks:$lacking"
	exit 77
fi
echo "$tried back-ends"
