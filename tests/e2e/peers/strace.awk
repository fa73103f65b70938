# SPDX-License-Identifier: GPL-2.0-or-later
# The vhost-user messages in a trace of a front-end's system calls, one a line.
#
#   awk -f strace.awk -v path=SOCKET TRACE
#
# TRACE is what `strace -f -y -xx -o TRACE` wrote; SOCKET is what the front-end connected to. A line is
#   CHANNEL SENDER BYTES FDS
# with the message in hexadecimal and the names that /proc gives its descriptors, between commas; "-"
# stands for none. Messages of one channel are in their order, the back-end's channel comes last.

BEGIN {
	for (i = 0; i < 256; i++)
		byte[sprintf("%02x", i)] = i
}

# Return the text that the bytes in @hex are.
function text(hex,    i, out)
{
	out = ""
	for (i = 1; i < length(hex); i += 2)
		out = out sprintf("%c", byte[substr(hex, i, 2)])
	return out
}

# Return the 32-bit little-endian number at byte @at of @hex.
function number(hex, at,    i, out)
{
	out = 0
	for (i = 3; i >= 0; i--)
		out = 256 * out + byte[substr(hex, 2 * (at + i) + 1, 2)]
	return out
}

# Return the bytes, in hexadecimal, that the first @size bytes of the vectors, or of the buffer, in
# @call are.
function moved(call, size,    out, part)
{
	out = ""
	if (call !~ /iov_base=/ && match(call, />, "[^"]*"/)) {
		part = substr(call, RSTART + 4, RLENGTH - 5)
		gsub(/\\x/, "", part)
		return substr(part, 1, 2 * size)
	}
	while (match(call, /iov_base="[^"]*"/)) {
		part = substr(call, RSTART + 10, RLENGTH - 11)
		gsub(/\\x/, "", part)
		out = out part
		call = substr(call, RSTART + RLENGTH)
	}
	return substr(out, 1, 2 * size)
}

# Return the names of the descriptors that @call carries, between commas.
function carried(call,    out, part)
{
	out = ""
	if (!match(call, /cmsg_type=SCM_RIGHTS, cmsg_data=\[[^\]]*\]/))
		return out
	call = substr(call, RSTART, RLENGTH)
	while (match(call, /<[^>]*>/)) {
		part = substr(call, RSTART + 1, RLENGTH - 2)
		gsub(/\\x/, "", part)
		out = out (out == "" ? "" : ",") text(part)
		call = substr(call, RSTART + RLENGTH)
	}
	return out
}

# Take @size bytes moved by @call on the socket @key, sent by the front-end or (@back) the back-end.
function take(key, back, call, size,    stream, digits, line, fds)
{
	stream = key SUBSEP back
	buffer[stream] = buffer[stream] moved(call, size)
	fds = carried(call)
	if (fds != "")
		passed[stream] = passed[stream] (passed[stream] == "" ? "" : ",") fds
	while (length(buffer[stream]) >= 24) {
		digits = 24 + 2 * number(buffer[stream], 8)
		if (length(buffer[stream]) < digits)
			return
		line = (back ? "back-end " : "front-end ") substr(buffer[stream], 1, digits) " " \
			(passed[stream] == "" ? "-" : passed[stream])
		if (key == front)
			print "front-end " line
		else
			later = later "back-end " line "\n"
		# SET_BACKEND_REQ_FD: QEMU keeps the other end of the pair whose one end it passes.
		if (key == front && !back && number(buffer[stream], 0) == 21)
			other = pair[passed[stream]]
		buffer[stream] = substr(buffer[stream], digits + 1)
		passed[stream] = ""
	}
}

/<unfinished \.\.\.>$/ {
	begun[$1] = substr($0, 1, length($0) - length("<unfinished ...>"))
	next
}

/<\.\.\. [a-z0-9_]+ resumed>/ {
	match($0, /resumed>/)
	$0 = begun[$1] substr($0, RSTART + RLENGTH)
}

# A call that failed, or was cut short by the end.
!match($0, / = [0-9]+[^=]*$/) {
	next
}

{
	result = substr($0, RSTART + 3) + 0
	sub(/^[0-9]+ +/, "")
	call = substr($0, 1, index($0, "(") - 1)
}

call == "connect" && match($0, /sun_path="[^"]*"/) {
	name = substr($0, RSTART + 10, RLENGTH - 11)
	gsub(/\\x/, "", name)
	if (text(name) != path)
		next
	match($0, /<[^>]*>/)
	front = substr($0, RSTART, RLENGTH)
}

call == "socketpair" && match($0, /\[[0-9]+<[^>]*>, [0-9]+<[^>]*>\]/) {
	split(substr($0, RSTART, RLENGTH), end, ", ")
	for (i = 1; i <= 2; i++) {
		match(end[i], /<[^>]*>/)
		key[i] = substr(end[i], RSTART, RLENGTH)
		shown[i] = substr(end[i], RSTART + 1, RLENGTH - 2)
		gsub(/\\x/, "", shown[i])
	}
	pair[text(shown[1])] = key[2]
	pair[text(shown[2])] = key[1]
}

call ~ /^(sendmsg|recvmsg|write|read|sendto|recvfrom)$/ && match($0, /<[^>]*>/) {
	socket = substr($0, RSTART, RLENGTH)
	if (socket == front || socket == other)
		take(socket, call ~ /^(recvmsg|read|recvfrom)$/, $0, result)
}

# Other calls on these sockets would be missed here, so they must not happen.
call ~ /^(readv|writev|recvmmsg|sendmmsg)$/ && match($0, /<[^>]*>/) {
	socket = substr($0, RSTART, RLENGTH)
	if (socket == front || socket == other) {
		print "unexpected " call " on a vhost-user socket"
		exit 1
	}
}

END {
	printf "%s", later
}
