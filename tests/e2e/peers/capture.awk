# SPDX-License-Identifier: GPL-2.0-or-later
# The vhost-user messages in a capture, one a line, as strace.awk prints those in a trace.
#
#   tcpdump -r CAPTURE -n -t | awk -f capture.awk
#
# It takes the packets from a program that knows nothing of vhost-user and reads them by
# docs/capture-format.md alone, so that it shares no code, and no mistake, with vhu.

BEGIN {
	for (i = 0; i < 256; i++)
		byte[sprintf("%02x", i)] = i
	channels[0] = "front-end"
	channels[1] = "back-end"
	channels[2] = "gpu"
	# What each bit of a descriptor's set says is there, and how long it is (section "TLVs").
	split("16 8 4 8 4 8 1", lengths, " ")
}

# Return the @size-byte number at byte @at of the packet, big endian.
function be(at, size,    i, out)
{
	out = 0
	for (i = 0; i < size; i++)
		out = 256 * out + byte[substr(packet, 2 * (at + i) + 1, 2)]
	return out
}

# Return the text at byte @at of the packet, up to its zero.
function text(at,    out)
{
	out = ""
	for (; be(at, 1) != 0; at++)
		out = out sprintf("%c", be(at, 1))
	return out
}

# Return the name of the descriptor whose value begins at byte @at.
function name(at,    known, i)
{
	known = be(at + 2, 2)
	at += 8
	for (i = 1; i <= 7; i++) {
		if (known % 2)
			at += lengths[i]
		known = int(known / 2)
	}
	return known % 2 ? text(at) : "?"
}

# Print the packet, if it is a message.
function show(    at, end, fds, fd, line)
{
	if (packet == "" || be(21, 1) != 0)
		return
	end = 40 + be(36, 4)
	fds = ""
	for (at = 40; at < end; at += 4 + be(at + 2, 2)) {
		if (be(at, 2) != 1)
			continue
		fd = name(at + 4)
		sub(/ \(deleted\)$/, "", fd)
		fds = fds (fds == "" ? "" : ",") fd
	}
	line = channels[be(22, 1)] " " (be(23, 1) ? "back-end" : "front-end") " " \
		substr(packet, 2 * end + 1) " " (fds == "" ? "-" : fds)
	if (be(22, 1) == 0)
		print line
	else
		later = later line "\n"
}

/^\t0x/ {
	sub(/^\t0x[0-9a-f]*: */, "")
	sub(/  .*/, "")
	gsub(/ /, "")
	packet = packet $0
	next
}

{
	show()
	packet = ""
}

END {
	show()
	printf "%s", later
}
