/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages on a socket. */
#include "lib/protocol/message_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the ancillary data of the most descriptors, aligned as its header wants. */
union piece_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VHU_PIECE_FDS_MAX * sizeof(int))];
};

ssize_t vhu_piece_send(int socket, const struct vhu_piece *piece, int flags)
{
	struct iovec part = {.iov_base = piece->bytes, .iov_len = piece->size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union piece_control control;
	struct cmsghdr *rights;
	ssize_t sent;

	if (piece->fds > VHU_PIECE_FDS_MAX)
		return -EMSGSIZE;
	if (piece->fds > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(piece->fds * sizeof(int));
		memset(control.bytes, 0, message.msg_controllen);
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(piece->fds * sizeof(int));
		memcpy(CMSG_DATA(rights), piece->fd, piece->fds * sizeof(int));
	}
	do {
		sent = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Keep the descriptors of one part of the ancillary data, or close those without room. */
static void piece_keep(struct vhu_piece *piece, struct cmsghdr *part)
{
	size_t fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < fds; i++) {
		memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
		if (piece->fds < piece->fds_max) {
			piece->fd[piece->fds++] = fd;
		} else {
			close(fd);
			piece->fds_lost = true;
		}
	}
}

ssize_t vhu_piece_receive(int socket, struct vhu_piece *piece, int flags)
{
	struct iovec to = {.iov_base = piece->bytes, .iov_len = piece->size};
	union piece_control control;
	struct msghdr message = {
	    .msg_iov = &to,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *part;
	ssize_t got;

	piece->fds = 0;
	piece->fds_lost = false;
	do {
		got = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	/* The kernel closes what finds no room: descriptors of this process may be exhausted. */
	piece->fds_lost = message.msg_flags & MSG_CTRUNC;
	for (part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
			piece_keep(piece, part);
	return got;
}

void vhu_message_begin(struct vhu_message_buf *message, enum vhu_message_id id,
		       enum vhu_layout_id layout)
{
	memset(message, 0, sizeof(*message));
	message->header.request = vhu_messages[id].request;
	message->header.flags = VHU_FLAGS_VERSION;
	message->header.size = vhu_layouts[layout].size;
}

void vhu_message_begin_reply(struct vhu_message_buf *message, const struct vhu_header *request,
			     enum vhu_layout_id layout)
{
	memset(message, 0, sizeof(*message));
	message->header.request = request->request;
	message->header.flags = VHU_FLAGS_VERSION | VHU_FLAG_REPLY;
	message->header.size = vhu_layouts[layout].size;
}

void vhu_message_put_at(struct vhu_message_buf *message, enum vhu_field_id id, uint32_t base,
			uint64_t value)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint64_t at = (uint64_t)base + field->offset;

	if (at + field->size <= sizeof(message->payload))
		vhu_field_write(message->payload + at, field, vhu_host_is_big_endian(), value);
}

void vhu_message_put(struct vhu_message_buf *message, enum vhu_field_id field, uint64_t value)
{
	vhu_message_put_at(message, field, 0, value);
}

struct vhu_payload vhu_message_payload(const struct vhu_message_buf *message)
{
	uint32_t size = message->header.size;

	return (struct vhu_payload){
	    .bytes = message->payload,
	    .captured = size < VHU_MESSAGE_PAYLOAD_MAX ? size : VHU_MESSAGE_PAYLOAD_MAX,
	    .size = size,
	    .big_endian = vhu_host_is_big_endian(),
	};
}

uint64_t vhu_message_get_at(const struct vhu_message_buf *message, enum vhu_field_id field,
			    uint32_t base)
{
	struct vhu_payload payload = vhu_message_payload(message);
	uint64_t value = 0;

	return vhu_field_read(&payload, field, base, &value) ? value : 0;
}

uint64_t vhu_message_get(const struct vhu_message_buf *message, enum vhu_field_id field)
{
	return vhu_message_get_at(message, field, 0);
}

size_t vhu_message_write(struct vhu_message_buf *message)
{
	if (message->header.size > sizeof(message->payload))
		return 0;
	vhu_header_write(message->head, message->header, vhu_host_is_big_endian());
	return VHU_HEADER_SIZE + message->header.size;
}

int vhu_message_send(struct vhu_message_buf *message, int socket, int flags)
{
	struct vhu_piece piece = {
	    .bytes = message->bytes,
	    .size = vhu_message_write(message),
	    .fd = message->fd,
	    .fds = message->fds,
	};
	ssize_t sent;

	if (piece.size == 0 || piece.fds > VHU_MESSAGE_FDS_MAX)
		return -EMSGSIZE;
	sent = vhu_piece_send(socket, &piece, flags);
	if (sent < 0)
		return (int)sent;
	/* A socket's queue has room for all of a message this small, or for none of it, unless
	 * somebody made the queue tiny. */
	return (size_t)sent == piece.size ? 0 : -ENOBUFS;
}

int vhu_message_receive_bytes(struct vhu_message_buf *message, int socket, uint32_t size)
{
	while (message->got < size) {
		/* Never ask for more: the descriptors of the next message would come too. */
		struct vhu_piece piece = {
		    .bytes = message->bytes + message->got,
		    .size = size - message->got,
		    .fd = message->fd + message->fds,
		    .fds_max = VHU_MESSAGE_FDS_MAX - message->fds,
		};
		ssize_t got = vhu_piece_receive(socket, &piece, MSG_DONTWAIT);

		message->fds += piece.fds;
		message->fds_lost |= piece.fds_lost;
		if (got < 0)
			return got == -EAGAIN ? 0 : got == -ECONNRESET ? -EPIPE : (int)got;
		if (got == 0)
			return -EPIPE;
		message->got += (uint32_t)got;
	}
	return 1;
}

int vhu_message_receive(struct vhu_message_buf *message, int socket)
{
	int got = vhu_message_receive_bytes(message, socket, VHU_HEADER_SIZE);

	if (got <= 0)
		return message->fds_lost ? -EPROTO : got;
	message->header = vhu_header_read(message->head, vhu_host_is_big_endian());
	if ((message->header.flags & VHU_FLAGS_VERSION_MASK) != VHU_FLAGS_VERSION)
		return -EPROTO;
	if (message->header.size > sizeof(message->payload))
		return -EMSGSIZE;
	got = vhu_message_receive_bytes(message, socket, VHU_HEADER_SIZE + message->header.size);
	return message->fds_lost ? -EPROTO : got;
}

int vhu_message_take(struct vhu_message_buf *message, unsigned n)
{
	int fd = n < message->fds ? message->fd[n] : -1;

	if (fd >= 0)
		message->fd[n] = -1;
	return fd;
}

void vhu_message_drop(struct vhu_message_buf *message)
{
	for (unsigned i = 0; i < message->fds; i++)
		if (message->fd[i] >= 0)
			close(message->fd[i]);
	message->fds = 0;
	message->fds_lost = false;
	message->got = 0;
}
