#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Shows that stock tools read a capture, and that what they make of it is still one for our reader.
#
#	pcapng_tools.sh PCAPNG_READER
set -u
reader=$1
for tool in capinfos tshark editcap mergecap text2pcap tcpdump; do
	command -v $tool >/dev/null || {
		echo "lacks $tool (packages tshark, wireshark-common, tcpdump)"
		exit 77
	}
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failures=0

# is NAME TEXT WANTED: check that some line of TEXT is WANTED.
is()
{
	printf '%s\n' "$2" | grep -qxF -- "$3" && return
	printf '%s: no line "%s" in:\n%s\n' "$1" "$3" "$2"
	failures=$((failures + 1))
}

# 30 messages in three sessions, one more lost; three opened, one closed.
"$reader" make a.pcapng || exit 1
all="end of the capture: records 34 sessions 3 kept 4950 sent 4950 fds 60 foreign 0 damaged 0"
is reader "$("$reader" count a.pcapng)" "$all"

# What is "First packet time" here is "Earliest packet time" since Wireshark 4.4.
infos=$(capinfos a.pcapng 2>&1 | sed 's/^ *//; s/  */ /g; s/^Earliest packet time:/First packet time:/')
is capinfos "$infos" "File encapsulation: Wireshark Upper PDU export"
is capinfos "$infos" "File timestamp precision: nanoseconds (9)"
is capinfos "$infos" "Number of packets: 34"
is capinfos "$infos" "First packet time: $(date -d @1700000000 '+%F %T').123456789"
is capinfos "$infos" "Capture comment: vhu test"
is capinfos "$infos" "Number of interfaces in file: 4"
is capinfos "$infos" "Name = vhu session 3"
is capinfos "$infos" "Description = front-end /run/vm0.sock, back-end /run/blk0.sock"
is capinfos "$infos" "Number of stat entries = 1"

# Frames 1 and 2: session 1 opens, its front-end sends a message; 4: a back-end's.
frames=$(tshark -r a.pcapng -T fields -E separator=, -e frame.number -e frame.interface_name \
	-e frame.p2p_dir -e frame.time_epoch -e frame.len 2>tshark.err)
is tshark "$frames" "1,vhu session 1,,1700000000.123456789,141"
is tshark "$frames" "2,vhu session 1,0,1700000000.123456789,117"
is tshark "$frames" "4,vhu session 2,1,1700000000.123456790,127"
is tshark "$(grep -iE 'damaged|corrupt|cut short' tshark.err; echo none)" none

tcpdump --nano -r a.pcapng -w dumped.pcap 2>/dev/null
is tcpdump "$("$reader" count dumped.pcap)" "$all"

# What others wrote is read again.
editcap a.pcapng edited.pcapng
is editcap "$("$reader" count edited.pcapng)" "$all"
editcap -F nsecpcap a.pcapng converted.pcap
is "editcap -F nsecpcap" "$("$reader" count converted.pcap)" "$all"
editcap -r a.pcapng few.pcapng 3-6
is "editcap -r" "$("$reader" count few.pcapng)" \
	"end of the capture: records 4 sessions 3 kept 70 sent 70 fds 4 foreign 0 damaged 0"
# The heads of messages have 97 bytes; those of session openings have 141.
editcap -s 141 a.pcapng cut.pcapng
is "editcap -s" "$("$reader" count cut.pcapng)" \
	"end of the capture: records 34 sessions 3 kept 1278 sent 4950 fds 60 foreign 0 damaged 0"
editcap -s 110 a.pcapng cut.pcapng
is "editcap -s" "$("$reader" count cut.pcapng)" \
	"end of the capture: records 31 sessions 3 kept 390 sent 4950 fds 60 foreign 0 damaged 3"
mergecap -w merged.pcapng a.pcapng edited.pcapng
is mergecap "$("$reader" count merged.pcapng)" \
	"end of the capture: records 68 sessions 3 kept 9900 sent 9900 fds 120 foreign 0 damaged 0"
# Among other traffic, which has another link type and snap length. Every kind of file may be such.
for frame in 1 2 3; do echo "000000 ff ff ff ff ff ff 02 00 00 00 00 01 08 06 00 01"; done |
	text2pcap -q - tap.pcapng 2>/dev/null
mergecap -w traffic.pcapng tap.pcapng a.pcapng 2>/dev/null
is "mergecap with other traffic" "$("$reader" count traffic.pcapng)" \
	"end of the capture: records 34 sessions 3 kept 4950 sent 4950 fds 60 foreign 3 damaged 0"
cat a.pcapng tap.pcapng >joined.pcapng
is "cat with other traffic" "$("$reader" count joined.pcapng)" \
	"end of the capture: records 34 sessions 3 kept 4950 sent 4950 fds 60 foreign 3 damaged 0"

[ $failures = 0 ] && echo "capinfos, tshark, tcpdump, editcap, mergecap: all as expected"
exit $((failures != 0))
