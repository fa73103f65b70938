/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as they cross a vhost-user socket. */
#include "samples/common/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for ancillary data, aligned as its header wants. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VHU_WIRE_FDS_MAX * sizeof(int))];
};

/* Take the descriptors that came with a message. Returns 0 or -errno. */
static int keep_fds(struct vhu_wire *wire, struct msghdr *message)
{
	struct cmsghdr *part;

	for (part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		wire->fds = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(wire->fd, CMSG_DATA(part), wire->fds * sizeof(int));
	}
	/* Those that did not fit are gone: no use in going on. */
	return message->msg_flags & MSG_CTRUNC ? -EPROTO : 0;
}

/* Receive at most @size bytes, and descriptors with the first ones of a message: they travel with
 * its header. Returns how many bytes, 0: none there now, or -errno. */
static ssize_t receive_some(struct vhu_wire *wire, int socket, uint8_t *to, size_t size)
{
	struct iovec part = {.iov_base = to, .iov_len = size};
	union ancillary ancillary;
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t got;
	int error;

	if (wire->got == 0) {
		message.msg_control = ancillary.bytes;
		message.msg_controllen = sizeof(ancillary.bytes);
	}
	do {
		got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
	if (got == 0)
		return -EPIPE;
	if (wire->got == 0) {
		error = keep_fds(wire, &message);
		if (error)
			return error;
	}
	wire->got += (uint32_t)got;
	return got;
}

int vhu_wire_receive(struct vhu_wire *wire, int socket)
{
	ssize_t got;

	/* Never ask for more than the message at hand: the descriptors of the next would come too.
	 */
	while (wire->got < VHU_HEADER_SIZE) {
		got =
		    receive_some(wire, socket, wire->head + wire->got, VHU_HEADER_SIZE - wire->got);
		if (got <= 0)
			return (int)got;
	}
	wire->header = vhu_header_read(wire->head, vhu_host_is_big_endian());
	if ((wire->header.flags & VHU_FLAGS_VERSION_MASK) != VHU_FLAGS_VERSION)
		return -EPROTO;
	if (wire->header.size > VHU_WIRE_PAYLOAD_MAX)
		return -EMSGSIZE;
	while (wire->got < VHU_HEADER_SIZE + wire->header.size) {
		got = receive_some(wire, socket, wire->payload + wire->got - VHU_HEADER_SIZE,
				   VHU_HEADER_SIZE + wire->header.size - wire->got);
		if (got <= 0)
			return (int)got;
	}
	return 1;
}

void vhu_wire_drop(struct vhu_wire *wire)
{
	for (unsigned i = 0; i < wire->fds; i++)
		if (wire->fd[i] >= 0)
			close(wire->fd[i]);
	wire->fds = 0;
	wire->got = 0;
}

int vhu_wire_take(struct vhu_wire *wire, unsigned n)
{
	int fd = n < wire->fds ? wire->fd[n] : -1;

	if (fd >= 0)
		wire->fd[n] = -1;
	return fd;
}

void vhu_wire_begin(struct vhu_wire *wire, uint32_t request, uint32_t flags,
		    enum vhu_layout_id layout)
{
	memset(wire, 0, sizeof(*wire));
	wire->header.request = request;
	wire->header.flags = flags | VHU_FLAGS_VERSION;
	wire->header.size = vhu_layouts[layout].size;
}

int vhu_wire_send(const struct vhu_wire *wire, int socket, int flags)
{
	uint8_t head[VHU_HEADER_SIZE];
	struct iovec part[2] = {
	    {.iov_base = head, .iov_len = sizeof(head)},
	    {.iov_base = (void *)(uintptr_t)wire->payload, .iov_len = wire->header.size},
	};
	union ancillary ancillary = {0};
	struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
	struct cmsghdr *fds;
	ssize_t sent;

	vhu_header_write(head, wire->header, vhu_host_is_big_endian());
	if (wire->fds > 0) {
		message.msg_control = ancillary.bytes;
		message.msg_controllen = CMSG_SPACE(wire->fds * sizeof(int));
		fds = CMSG_FIRSTHDR(&message);
		fds->cmsg_level = SOL_SOCKET;
		fds->cmsg_type = SCM_RIGHTS;
		fds->cmsg_len = CMSG_LEN(wire->fds * sizeof(int));
		memcpy(CMSG_DATA(fds), wire->fd, wire->fds * sizeof(int));
	}
	do {
		sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	/* Messages are small: a peer that leaves no room for one has not read for very long. */
	return (size_t)sent == sizeof(head) + wire->header.size ? 0 : -EAGAIN;
}

struct vhu_payload vhu_wire_payload(const struct vhu_wire *wire)
{
	return (struct vhu_payload){
	    .bytes = wire->payload,
	    .captured = wire->header.size,
	    .size = wire->header.size,
	    .big_endian = vhu_host_is_big_endian(),
	};
}

uint64_t vhu_wire_get_at(const struct vhu_wire *wire, enum vhu_field_id field, uint32_t base)
{
	struct vhu_payload payload = vhu_wire_payload(wire);
	uint64_t value = 0;

	return vhu_field_read(&payload, field, base, &value) ? value : 0;
}

uint64_t vhu_wire_get(const struct vhu_wire *wire, enum vhu_field_id field)
{
	return vhu_wire_get_at(wire, field, 0);
}

void vhu_wire_put_at(struct vhu_wire *wire, enum vhu_field_id id, uint32_t base, uint64_t value)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint8_t *at = wire->payload + base + field->offset;

	if (field->mask) {
		/* A part of an integer: the rest of it stays. */
		value = (value << __builtin_ctzll(field->mask)) & field->mask;
		value |= vhu_integer_read(at, field->size, vhu_host_is_big_endian()) & ~field->mask;
	}
	for (unsigned i = 0; i < field->size; i++) {
		unsigned byte = vhu_host_is_big_endian() ? field->size - 1 - i : i;

		at[i] = (uint8_t)(value >> 8 * byte);
	}
}

void vhu_wire_put(struct vhu_wire *wire, enum vhu_field_id field, uint64_t value)
{
	vhu_wire_put_at(wire, field, 0, value);
}
