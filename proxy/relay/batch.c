/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several messages that lie in a relay's socket, received with two calls; relay.h explains it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy/relay/internal.h"

/* Bytes that are looked at ahead: some dozens of short messages. */
#define AHEAD_ROOM     1024u
/* After a look ahead that showed nothing to take, this many messages are received one by one; more
 * if descriptors stood in the way: where one message brings some, the next ones do. */
#define AHEAD_SKIP     8u
#define AHEAD_SKIP_FDS 64u

/*
 * Look at what lies in the socket, up to the first descriptor.
 * Returns how many bytes of @bytes there are; 0 where descriptors come with them, or where the
 * sender has closed; -errno.
 */
static ssize_t ahead_look(const struct vhu_relay *relay, uint8_t bytes[AHEAD_ROOM])
{
	struct iovec piece = {bytes, AHEAD_ROOM};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	ssize_t n;

	do {
		n = recvmsg(relay->from, &message, MSG_DONTWAIT | MSG_PEEK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* Without room for descriptors this says that there are some; they stay where they are. */
	return message.msg_flags & MSG_CTRUNC ? 0 : n;
}

/* Return the size of the message that begins at @bytes; 0 where not all of it is there, or where it
 * needs more room than there is. */
static size_t ahead_message(struct vhu_relay *relay, const uint8_t *bytes, size_t left)
{
	size_t size;

	if (left < VHU_HEADER_SIZE)
		return 0;
	memcpy(&relay->header, bytes, sizeof(relay->header));
	if (relay->header.size > left - VHU_HEADER_SIZE)
		return 0;
	size = VHU_HEADER_SIZE + relay->header.size;
	return size > relay->room ? 0 : size;
}

/* Take the @size bytes of a message out of the socket that were looked at, and sent. Returns
 * whether they were there still. */
static bool ahead_take(struct vhu_relay *relay, uint8_t *bytes, size_t size)
{
	ssize_t n;

	do {
		n = recv(relay->from, bytes, size, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size)
		return true;
	vhu_relay_ended(relay, VHU_RELAY_FAILED, n < 0 ? -errno : -EIO);
	return false;
}

/* Return whether the next message may be sent, after @sending of the last: that went, was not set
 * aside, and is not to be sent once more. */
static bool ahead_goes_on(const struct vhu_relay *relay, enum vhu_relay_sending sending)
{
	return sending == VHU_RELAY_SENT && !relay->got;
}

enum vhu_relay_ahead vhu_relay_ahead(struct vhu_relay *relay, unsigned *turns)
{
	enum vhu_relay_sending sending = VHU_RELAY_SENT;
	uint8_t bytes[AHEAD_ROOM];
	size_t taken = 0, size;
	unsigned messages = 0;
	ssize_t n;

	n = ahead_look(relay, bytes);
	if (n == -EAGAIN)
		return VHU_RELAY_AHEAD_EMPTY;
	while (n > 0 && *turns && ahead_goes_on(relay, sending) &&
	       (size = ahead_message(relay, bytes + taken, (size_t)n - taken))) {
		--*turns;
		memcpy(relay->buffer, bytes + taken, size);
		taken += size;
		messages++;
		relay->size = relay->got = size;
		if (relay->describe)
			vhu_relay_segment(relay, (uint32_t)size);
		relay->spoken = relay->owner->speaks && relay->owner->speaks(relay);
		sending = vhu_relay_send_due(relay);
	}
	relay->pace.burst = messages > 1;
	if (!messages) {
		relay->pace.one_by_one = n ? AHEAD_SKIP : AHEAD_SKIP_FDS;
		return VHU_RELAY_AHEAD_NOTHING;
	}
	if (!ahead_take(relay, bytes, taken) || sending == VHU_RELAY_STOP)
		return VHU_RELAY_AHEAD_STOP;
	if (taken < (size_t)n || n == AHEAD_ROOM || !ahead_goes_on(relay, sending))
		return VHU_RELAY_AHEAD_ON;
	/* Of what has come meanwhile the loop tells. */
	relay->wants = VHU_RELAY_READ;
	return VHU_RELAY_AHEAD_STOP;
}
