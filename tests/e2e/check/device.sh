#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Which virtio device a session is about is known by what only one device has, by its features, or by
# the session before on the same socket; until then the names that a feature may have are shown.
. "$(dirname "$0")/../../lib/common.sh"
work_open

# Expect that the scenario on standard input is about the devices $2, one for each session.
expect()
{
	cat >case.scn
	"$programs/scenario" case.scn case.pcapng
	"$vhu" stats case.pcapng >out
	sed -n 's/^  device  *\([^,]*\),.*/\1/p' out | tr '\n' ' ' >devices
	[ "$(cat devices)" = "$2 " ] || fail "$1: not $2 but $(cat devices)"
}

expect "no device alone has this" "not known" <<'SCENARIO'
open
> GET_FEATURES
< GET_FEATURES features=0x140008000
> SET_FEATURES features=0x140000000
SCENARIO
"$vhu" dump -v case.pcapng >out
grep -q 'bit 15 (NET MRG_RXBUF' out || fail "the names that bit 15 may have are not shown"
"$vhu" dump --device net -v case.pcapng >out
grep -q '(MRG_RXBUF, ' out || fail "the name of bit 15 is not shown of a known device"

expect "GPU_SET_SOCKET" GPU <<'SCENARIO'
open
> GPU_SET_SOCKET fd=socket
SCENARIO
expect "SEND_RARP" NET <<'SCENARIO'
open
> SEND_RARP
SCENARIO
expect "NET_SET_MTU" NET <<'SCENARIO'
open
> NET_SET_MTU mtu=1400
SCENARIO
expect "MTU is offered with a feature of NET's" NET <<'SCENARIO'
open
> GET_FEATURES
< GET_FEATURES features=0x140008000
> GET_PROTOCOL_FEATURES
< GET_PROTOCOL_FEATURES protocol_features=MTU|REPLY_ACK
SCENARIO
expect "MTU is offered with a feature that NET has not" "not known" <<'SCENARIO'
open
> GET_FEATURES
< GET_FEATURES features=0x140000010
> GET_PROTOCOL_FEATURES
< GET_PROTOCOL_FEATURES protocol_features=MTU|REPLY_ACK
SCENARIO
expect "RARP does not stand against the features of a disk" BLOCK <<'SCENARIO'
open
> GET_FEATURES
< GET_FEATURES features=0x140006e44
> GET_CONFIG offset=0 size=60
> SEND_RARP
SCENARIO
expect "what the back-end says stands" "BLOCK" <<'SCENARIO'
let features VERSION_1|PROTOCOL_FEATURES
let protocol STATUS|PROBE
open
> SEND_RARP
> GET_PROTOCOL_FEATURES
< GET_PROTOCOL_FEATURES protocol_features=$protocol
> SET_PROTOCOL_FEATURES protocol_features=$protocol
> GET_DEVICE_ID
< GET_DEVICE_ID device_id=BLOCK
SCENARIO

# A session is about the device of the one before on its socket, another socket's need not be (that of
# session 3 has the same place in the table of sockets); what a session says itself stands.
expect "sessions of the same socket" "NET NET not known BLOCK" <<'SCENARIO'
open back=one socket=/run/one
> SEND_RARP
close front-end closed
session 2
open back=one socket=/run/one
> GET_FEATURES
< GET_FEATURES features=0x140008000
close front-end closed
session 3
open back=two socket=/run/176
> GET_FEATURES
close front-end closed
session 4
open back=one socket=/run/one
> GET_FEATURES
< GET_FEATURES features=0x140006e44
> GET_CONFIG offset=0 size=60
SCENARIO
"$vhu" dump -v case.pcapng >out
grep -q '(MRG_RXBUF, ' out || fail "the name of bit 15 is not shown in the second session"
