#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Wireshark withstands damaged captures: 200 mutations of the samples, of the golden capture and of
# the test cases, and the corpus of records. A build with sanitizers sees the most.
. "$(dirname "$0")/../../lib/common.sh"
work_open

. "$top/tests/lib/tshark.sh"
vhu_tshark_lacks "$build" && exit 77
mutations=200

chmod 755 "$work"
failed=0

# Dissect file $1 in full, twice a packet, and look for what no file may bring about.
read_all()
{
	if ! vhu_tshark "$build" -2 -r "$1" -V >"$work/out" 2>"$work/stderr"; then
		# A file that is cut off is said to be; that is no failure of the plugin's.
		grep -q 'cut short\|damaged or corrupt' "$work/stderr" || failed=1
	fi
	if grep -A20 'AddressSanitizer\|runtime error' "$work/stderr" ||
		grep -B3 -i 'dissector bug\|malformed packet' "$work/out"; then
		failed=1
	fi
	grep -q '^vhost-user protocol' "$work/out" || failed=1
	[ $failed = 0 ] && return 0
	cat "$work/stderr"
	cp "$1" "${TMPDIR:-/tmp}/dissector_fuzz.pcapng"
	echo "dissector_fuzz: failed, the capture is in ${TMPDIR:-/tmp}/dissector_fuzz.pcapng"
	exit 1
}

# Make $mutations mutations of the captures $*, joined into few files, and read them.
read_mutated()
{
	seed=0
	while [ $seed -lt $mutations ]; do
		for file; do
			seed=$((seed + 1))
			# The tags of the exported PDU, which lead to the plugin, stay.
			editcap -E 0.03 -o 20 --seed $seed "$file" "$work/m$seed.pcapng" 2>/dev/null
		done
		if [ $((seed % 20)) -lt $# ]; then
			mergecap -a -w "$work/joined.pcapng" "$work"/m*.pcapng
			rm "$work"/m*.pcapng
			read_all "$work/joined.pcapng"
		fi
	done
}

"$programs/dissector_capture" "$work/cases.pcapng" <"$here/cases.txt"
"$programs/golden_generate" "$work/golden.pcapng"
set -- "$work/cases.pcapng" "$work/golden.pcapng"
# Copies, which the unprivileged user can read wherever the sources lie.
for file in "$top"/samples/captures/*.pcapng; do
	cp "$file" "$work"
	set -- "$@" "$work/${file##*/}"
done
for file; do
	read_all "$file"
done
read_mutated "$@"

# The corpus of records, as packets: the first two bytes of each are not the packet's.
tags='\000\014\000\014vhost_user\000\000\000\000\000\000'
for file in "$top"/tests/fuzz/corpus/record/*; do
	# shellcheck disable=SC2059 # the tags are a format
	{ printf "$tags" && tail -c +3 "$file"; } | od -Ax -tx1 -v
done | text2pcap -q -l 252 - "$work/records.pcap" >/dev/null 2>&1
read_all "$work/records.pcap"
