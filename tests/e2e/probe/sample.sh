#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The sample back-end in its dialects: what it says of itself, each case of conformance, its faults, and
# all of it through the proxy, where vhu check finds nothing.
. "$(dirname "$0")/../../lib/common.sh"
. "$top/tests/lib/schemas.sh"
need jq
work_open
sample=$build/bin/vhu-sample-backend

# Probe with the options $1 the sample with the options $3 and following: status $2.
probe() {
	options=$1 wanted=$2
	shift 2
	status=0
	rm -f b.sock
	# shellcheck disable=SC2086 # options are several words
	timeout 120 "$vhu" probe --json $options b.sock -- "$sample" --socket-path b.sock "$@" \
		>out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || fail "probe $options of $*: status $status, not $wanted"
	schemas_keep out "probe $options of $*"
}

holds() {
	jq -e "$1" out >/dev/null || fail "does not hold: $1"
}

# What it is, in each dialect.
for dialect in standalone probe; do
	probe "--expect device-id=rng,config-size=0,vqs=1" 0 --device rng --dialect $dialect
	holds ".result == \"standalone\" and .dialect == \"$dialect\" and .specs.device_id_source == \"$dialect\""
	probe "--expect device-id=block,vqs=3" 0 --device blk --queues 3 --dialect $dialect
	holds ".result == \"standalone\" and .dialect == \"$dialect\" and .specs.device_id == 2"
	holds '.config.fields.num_queues == 3 and .config.size == .specs.config_size and .connections == 1'
	holds '[.findings[] | select(.severity != "info")] == []'
	probe "--expect device-id=block,vqs=4" 1 --device blk --queues 3 --dialect $dialect
	probe "--expect nothing --one-connection" 0 --device blk --dialect $dialect
done
probe "--expect nothing" 1 --device blk --dialect upstream
holds '.result == "traditional" and (.specs | has("min_vqs") | not)'
probe "--expect device-id=block,vqs=4" 0 --device blk --dialect upstream
holds '.specs.device_id == 2 and .specs.device_id_source == "looking" and .specs.device_id_how == "feature bits and configuration size"'

probe '' 1 --device blk --fault close-at:GET_BACKEND_SPECS
holds '.result == "unknown" and (.error | test("standalone and broken, or bit 18 is SHARED_OBJECT to it: try --dialect$"))'

# Features that it goes without.
probe '' 0 --device blk --without STATUS
holds '.dialect == "any"'
holds '.result == "traditional" and (.because | test("bit 18"))'
probe '' 0 --device blk --without CONFIG
holds '.result == "traditional" and (.because | test("bit 18"))'
probe '' 0 --device blk --without MQ
holds '.result == "standalone" and (has("queue_num") | not)'
probe '' 0 --device blk --without REPLY_ACK
holds '.acknowledges == false'

# A conversation that is cut off says nothing about what was not asked.
probe '' 1 --device blk --fault close-at:GET_PROTOCOL_FEATURES
holds '.result == "unknown" and .dialect == "unknown" and (.because | test("ended before"))'
rm -f b.sock
"$vhu" probe b.sock -- "$sample" --socket-path b.sock --fault close-at:GET_PROTOCOL_FEATURES \
	>out 2>err && fail "it ends with 0"
grep -q 'Queues .*not known: MQ may be offered' out || fail "what was not asked is said to be missing"
probe '' 1 --device blk --fault close-at:GET_QUEUE_NUM
holds '.result == "unknown" and (.because | test("ended before"))'

# A refusal that any front-end would meet is a finding, and an acknowledgement; so is a back-end that
# accepts size 0 for a vring. Refusing a size beyond its limit is no finding.
probe '' 1 --device blk --fault nack:SET_OWNER
holds '.acknowledges and any(.findings[]; .rule == "V412" and (.text | test("^SET_OWNER was refused")))'
for fault in nack close-at; do
	probe '' 1 --device blk --fault $fault:SET_VRING_NUM
	holds '(has("vring_size") | not) and [.vring_sizes_tried[].size] == [32768, 128, 8, 2]'
	holds '[.findings[] | select(.severity != "info")] | length == 1'
done

# STANDALONE without what it depends on is offered on request, and found.
for without in STATUS CONFIG; do
	probe '' 1 --device blk --without $without --offer STANDALONE
	holds '.result == "traditional" and .dialect == "standalone" and (.because | test("without '$without'"))'
	holds 'any(.findings[]; .rule == "'"$([ $without = STATUS ] && echo V701 || echo V702)"'")'
done
probe '' 0 --device rng --offer STANDALONE
holds '.result == "standalone"'
! "$build/bin/vhu-sample-backend" --offer NONSENSE --socket-path=x.sock 2>err && grep -q "NONSENSE: no such feature" err ||
	fail "an unknown feature can be offered"

# Faults show.
probe '--expect nothing' 1 --device blk --fault max-vqs-below-min
holds 'any(.findings[]; .rule == "V705") and .policy.goes_on == false'
probe '--timeout 1s' 1 --device blk --fault drop-reply:GET_CONFIG
holds '.error == "no answer to GET_CONFIG in 1000 ms"'
probe '' 1 --device blk --fault wrong-size:GET_QUEUE_NUM
holds '.error == "the answer to GET_QUEUE_NUM has 12 bytes, not 8"'
probe '' 1 --device blk --fault close-at:SET_OWNER
holds '.error | test("closed the connection instead of answering SET_OWNER")'
probe '--timeout 1s' 1 --device blk --fault late-reply:GET_FEATURES:2s
holds '.error == "no answer to GET_FEATURES in 1000 ms"'

# Every case of conformance; those that do not apply are named.
for device in rng blk; do
	for dialect in standalone probe upstream; do
		probe "--conformance $([ $device = rng ] && echo --device rng)" 0 --device $device --dialect $dialect
		holds '.failed == 0 and .not_run == 0 and .passed > 25'
		[ $device = rng ] || holds '[.cases[] | select(.result == "not applicable") | .name] == ["device-state"]'
	done
done
probe '--conformance --timeout 1s --case stop-and-go --case call-replaced --case poll-call' 1 --device blk \
	--fault lose-call
holds '[.cases[] | select(.result == "fail") | .name] | contains(["stop-and-go", "call-replaced"])'
holds 'any(.cases[]; .name == "stop-and-go" and (.text | test("there was no call in 1000 ms")))'
holds 'any(.cases[]; .name == "poll-call" and .result == "pass")'
probe '--conformance --timeout 1s --case stop-and-go --case poll-kick' 1 --device blk --fault lose-kick
holds 'any(.cases[]; .name == "stop-and-go" and .result == "fail" and (.text | test("did not come back")))'
holds 'any(.cases[]; .name == "poll-kick" and .result == "pass")'
# Kicks that are not read or not asked for, descriptors that stay: each in its case alone.
for fault in unread-kick:kick-read:unwritten stale-event:avail-event:violates leak-eventfd:descriptors:unwritten; do
	kind=${fault##*:}
	case=${fault#*:}
	probe '--conformance --timeout 1s --case kick-early --case kick-read --case avail-event --case descriptors' 1 \
		--device blk --fault "${fault%%:*}"
	holds '[.cases[] | select(.result == "fail") | [.name, .kind]] == [["'"${case%:*}"'", "'"$kind"'"]]'
	holds '.passed == 3'
done
probe '--conformance --timeout 1s --case stop-and-go' 1 --device blk --fault bad-id
holds '.cases[0].result == "fail" and (.cases[0].text | test("came back, 0 was sent"))'
probe '--conformance --case need-reply-get' 1 --device blk --fault extra-reply:GET_FEATURES ||
	true # the probe before the cases says so already
grep -q 'has a wrong id, that of GET_FEATURES' err || fail "an extra reply is not found"

# What is recorded is what was said.
probe '-w it.pcapng' 0 --device blk
"$vhu" dump it.pcapng >dump || fail "the capture cannot be read"
grep -q 'GET_BACKEND_SPECS reply device BLOCK' dump || fail "the capture lacks the specifications"
sed -n 1p dump | grep -q 'session opened, front-end vhu .*, back-end vhu-sample-back.* at b.sock' ||
	fail "the capture lacks who it was"
tail -n 1 dump | grep -q 'session closed: front-end closed' || fail "the capture lacks the end"
timeout 60 "$vhu" probe -w - b.sock -- "$sample" --socket-path b.sock 2>err | "$vhu" dump - >dump
grep -q 'GET_BACKEND_SPECS reply device RNG' dump || fail "standard output lacks the capture"
grep -q '^Verdict *standalone' err || fail "standard error lacks the verdict"

# Through the proxy all is the same, and what a probe says breaks no rule.
rm -f b.sock
"$sample" --device blk --socket-path b.sock 2>/dev/null &
jobs="$jobs $!"
stage_hears $! b.sock || fail "the back-end does not listen"

# Probe through the proxy with the options $2 and following; it records to $1.
through() {
	capture=$1
	shift
	"$vhu" proxy -q -w "$capture" f.sock b.sock 2>proxy.log &
	proxy=$!
	jobs="$jobs $proxy"
	stage_hears $proxy f.sock || fail "the proxy does not listen"
	"$vhu" probe --json "$@" f.sock >out 2>err || fail "probe $* through the proxy: status $?"
	stage_settles "$capture"
	kill "$proxy"
	wait "$proxy" || :
}
through through.pcapng --expect device-id=block,vqs=4 --one-connection
holds '.result == "standalone" and .policy.goes_on'
"$vhu" check through.pcapng >checked 2>err || fail "vhu check finds: $(cat checked)"
through conform.pcapng --conformance
holds '.failed == 0 and .not_run == 0'
echo "the sample is what it says, in all dialects"
