#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings reads vrings behind a virtual IOMMU: addresses of the rings and of the buffers are IOVAs, which
# the front-end's IOTLB updates translate. Verdicts are those of any vring, from a capture and from the proxy's
# control socket. If no update was seen, vhu rings says so.
. "$(dirname "$0")/lib.sh"
need editcap

# Return whether requests of vring 0 have been done.
is_used() {
	rings -r vm.pcapng
	[ "$(jq '.used > 0 or .used_wrap == false' out)" = true ]
}

# See that the header of the first request that waits can be read from the source $*, and that its address is
# none of the guest's.
is_translated() {
	rings -v "$@"
	schemas_fit out >fit || fail "$case_name: $(cat fit)"
	# IOVAs of buffers begin at 512 MiB, guest addresses of buffers at 4 GiB.
	jq -e '.requests[0] | .header_fields.type_name == "IN" and .buffers[0].address < 4294967296' \
		out >/dev/null || fail "$case_name: no header behind an IOVA: $(cat out err)"
}

for packed in '' --packed; do
	load="--device blk --operation read --requests 1000000 --rate 5000 --depth 4 --iommu $packed"

	case_name="back-end stopped $packed"
	back --device blk --offer ACCESS_PLATFORM
	proxy
	# shellcheck disable=SC2086 # options are several words
	front $load
	wait_for is_used
	# The back-end is stopped while it has nothing to do: else it may have read a kick already.
	kill -STOP "$(stage_pid front)"
	sleep 0.3
	kill -STOP "$(stage_pid back)"
	kill -CONT "$(stage_pid front)"
	expect D3
	jq -e '.waiting > 0 and .mapping.private == false' out >/dev/null || fail "$case_name: $(cat out)"
	is_translated -r vm.pcapng
	is_translated -s ctl.sock

	# The same vring without the updates of the IOTLB.
	# shellcheck disable=SC2046 # numbers of records
	editcap vm.pcapng none.pcapng $("$vhu" dump vm.pcapng | awk '/ IOTLB_MSG / { print $1 }')
	rings -r none.pcapng
	[ "$status" -eq 1 ] || fail "$case_name: status $status without updates"
	jq -e '.verdict.id == "unread" and (.verdict.text | contains("no update of the IOTLB")) and
		(.verdict.advice | contains("watched from its start")) and
		.kick.count > 0' out >/dev/null || fail "$case_name, without updates: $(cat out err)"
	"$vhu" rings -r none.pcapng >text && fail "$case_name: status 0 without updates"
	grep -q 'no update of the IOTLB that covers them is in force' text ||
		fail "$case_name, without updates: $(cat text)"
	all_out

	case_name="slow $packed"
	back --device blk --offer ACCESS_PLATFORM --delay 99s
	proxy
	# shellcheck disable=SC2086
	front $load --event-idx
	wait_for is_there
	expect D4
	is_translated -r vm.pcapng
	is_translated -s ctl.sock
	all_out
done

# All that a session says follows the rules.
back --device blk --offer ACCESS_PLATFORM
proxy
"$front_end" --device blk --iommu --queues 2 --depth 4 --indirect front.sock >front.out 2>&1 ||
	fail "the load failed: $(cat front.out)"
stage_end proxy TERM || fail "vhu proxy: status $?"
stage_end back TERM || :
"$vhu" check vm.pcapng >check.out 2>&1 || fail "vhu check: $(cat check.out)"
