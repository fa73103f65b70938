#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# If KVM reads the calls (irqfd), their counter is always 0 and no process polls them. vhu rings does not take
# that for calls that the front-end does not read (D6), and finds what hangs as with any other vring.
#
# The KVM is that of an emulated guest, as many machines have none. All parties run in the guest.
. "$(dirname "$0")/../../lib/common.sh"
need jq
work_open
. "$top/tests/lib/schemas.sh"
. "$top/tests/bpf/boot.sh"
vhu_boot_lacks "$top" && exit 77

cat >script <<'END'
mkdir -p /tmp && cd /tmp
# Wait until $* holds. It does not go on for ever: the guest has to end.
until_is() {
	turn=0
	until "$@"; do
		turn=$((turn + 1))
		[ $turn -lt 150 ] || { echo "guest: not within its time: $*"; return 1; }
		sleep 0.2
	done
}
look() { /vhu/vhu rings --json --vring 0 -r vm.pcapng >out 2>err; }
is_there() { look; [ -s out ]; }
is_used() { look; grep -q '"used":[1-9]' out; }
is_verdict() { look; grep -q "\"verdict\":{\"id\":\"$1\"" out; }

# A case: $1 is its name, $2 the back-end's options, $3 who is stopped or "", $4 the verdict.
case_is() {
	rm -f ./*.sock vm.pcapng out
	/vhu/vhu-sample-backend --socket-path=back.sock --device blk $2 >back.log 2>&1 & back=$!
	until_is test -S back.sock
	/vhu/vhu proxy -q -w vm.pcapng front.sock back.sock >proxy.log 2>&1 & proxy=$!
	until_is test -S front.sock
	LD_PRELOAD=/vhu/librings_irqfd.so /vhu/vhu-sample-frontend --timeout 500s --device blk --operation read \
		--requests 1000000 --rate 1000 --depth 4 --event-idx front.sock >front.log 2>&1 & front=$!
	until_is is_there
	[ -z "$3" ] || until_is is_used
	# A back-end is stopped while it has nothing to do: else it may have read a kick already.
	[ -z "$3" ] || kill -STOP $front
	[ "$3" != back ] || { sleep 1; kill -STOP $back; kill -CONT $front; }
	until_is is_verdict $4 || head -n 5 out err ./*.log
	echo "result $1"
	echo "vring $(cat out)"
	kill -KILL $front $proxy $back
}
case_is busy '' '' moving
case_is back-end-stopped '' back D3
case_is front-end-stopped '--delay 300ms' front D13
case_is slow '--delay 99s' '' D4
END
vhu_boot "$top" script "$vhu" "$build/bin/vhu-sample-backend" "$build/bin/vhu-sample-frontend" \
	"$programs/librings_irqfd.so"

# See that case $1 has the verdict $2, with its alternatives: "D1,D4".
verdict_is() {
	sed -n "/^result $1\$/,/^vring /{s/^vring //p}" lines >out
	[ "$(jq -r '[.verdict.id] + .verdict.alternatives | join(",")' out)" = "$2" ] ||
		fail "$1: not $2: $(cat out; tail -n 40 lines)"
	schemas_fit out >fit || fail "$1: $(cat fit)"
	# A call that nobody reads would count up.
	jq -e '.call.count == 0 and .call.poller != "level"' out >/dev/null ||
		fail "$1: KVM does not read the call: $(cat out)"
}
verdict_is busy moving
verdict_is back-end-stopped D3
verdict_is front-end-stopped D13,D5,D8
verdict_is slow D4
