-- SPDX-License-Identifier: GPL-2.0-or-later
-- The expert items, a row each.
do
	local group, severity = expert.group, expert.severity

	local rows = {
		{ "record", "Not a record of vhu", group.MALFORMED, severity.ERROR },
		{ "header", "Fewer bytes than a header", group.MALFORMED, severity.ERROR },
		{ "unknown", "Unknown message", group.UNDECODED, severity.NOTE },
		{ "ambiguous", "Nothing has told the dialect yet", group.PROTOCOL, severity.NOTE },
		{ "size", "Header's size is not what was sent", group.MALFORMED, severity.ERROR },
		{ "missing", "Payload too short", group.MALFORMED, severity.ERROR },
		{ "left_over", "Payload too long", group.PROTOCOL, severity.WARN },
		{ "partial", "Sender closed before the message was whole", group.SEQUENCE, severity.ERROR },
		{ "fds_lost", "Descriptors were lost on the way", group.PROTOCOL, severity.ERROR },
		{ "redacted", "Key material was replaced by zeros", group.SECURITY, severity.CHAT },
		{ "altered", "The proxy changed this message", group.PROTOCOL, severity.NOTE },
		{ "error", "The capture reports an error", group.PROTOCOL, severity.ERROR },
		{ "hangs", "A vring hangs", group.PROTOCOL, severity.ERROR },
		-- Wireshark says so itself of what the compiled plugin shows.
		{ "cut", "Packet size limited during capture", group.UNDECODED, severity.NOTE },
	}

	vhu.expert = {}
	local experts = {}
	for i, row in ipairs(rows) do
		experts[i] = ProtoExpert.new("vhost_user.expert." .. row[1], row[2], row[3], row[4])
		vhu.expert[row[1]] = experts[i]
	end
	vhu.proto.experts = experts
end
