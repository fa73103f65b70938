#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vhu rings reads the memory of QEMU's vrings wherever it is: in huge pages, in the second of two regions
# with the buffers in the first; and survives that its file is cut short.
. "$(dirname "$0")/lib.sh"
need qemu-system-x86_64
. "$here/qemu_lib.sh"

# Return whether vhu rings said what the expression $1 is true of.
is_said() {
	jq -e "$1" out >/dev/null
}

# See that vring 0 of the QEMU $1, which has $2 regions, has a request in flight whose header can be read, by
# each source. QEMU's monitor says where vrings are: a region with buffers only is not known by it.
is_read() {
	case_name=$1
	back --device blk --delay 99s
	proxy
	qemu "$1"
	wait_for test -e ready
	expect D4
	qmp=''
	[ "$2" -gt 1 ] || qmp="--qmp $(cat ready)"
	for by in '-r vm.pcapng' '-s ctl.sock' ${qmp:+"$qmp"}; do
		# shellcheck disable=SC2086 # options are several words
		rings -v $by
		schemas_fit out >fit || fail "$1, $by: $(cat fit)"
		jq -e '.requests[0].header_fields.type_name == "IN"' out >/dev/null ||
			fail "$1, $by: no header: $(cat out err)"
	done
	rings --qmp "$(cat ready)"
	is_said '(.waiting == 1) and .verdict.id == "D1"' ||
		fail "$1, by QEMU's monitor: $(cat out err)"
	[ "$("$vhu" stats --json vm.pcapng | jq -s ".[-1].memory | length")" -ge "$2" ] ||
		fail "$1: not $2 regions: $("$vhu" stats --json vm.pcapng | jq -sc ".[-1].memory")"
	qemu_out
}

is_read regions 2

# The file is cut short: what is said names that, and is said again at each look.
case_name=truncated
back --device blk
proxy
qemu truncated
wait_for test -e ready
expect D13,D5,D8
for fd in "/proc/$(cat pid)/fd"/*; do
	case $(readlink "$fd") in
	/memfd:*) truncate -s 4096 "$fd" ;;
	esac
done
expect unread
jq -e '.verdict.text | contains("the file of its memory is shorter than its region")' out >/dev/null ||
	fail "truncated: $(jq .verdict out)"
"$vhu" rings -r vm.pcapng --watch=100ms --wait 400ms >out && fail 'truncated, --watch: status 0'
qemu_out

# Huge pages are had by root only.
pages=/proc/sys/vm/nr_hugepages
before=$(cat $pages)
[ "$before" -ge 64 ] || { echo 64 >$pages; } 2>/dev/null || :
free=$(sed -n 's/^HugePages_Free: *//p' /proc/meminfo)
if [ "$free" -lt 33 ]; then
	echo "lacks huge pages: have the kernel keep 64 of them ($pages)"
	exit 77
fi
is_read huge 1
[ "$before" -ge 64 ] || echo "$before" >$pages
