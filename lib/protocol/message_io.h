/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on a socket: received as far as they have come, sent whole, their fields read and
 * written by the names of the table.
 *
 * The rest of lib/protocol does no I/O. This is a library of its own (vhu_message_io) for programs
 * that take part in a conversation: the samples, vhu probe and tests. The proxy relays messages
 * without taking part and has its own reader (proxy/relay).
 *
 * Ownership: a message that was received owns the descriptors that came with it. Take those to
 * keep, then drop the message. Descriptors that are sent stay the caller's.
 *
 *	struct vhu_message_buf message;
 *
 *	vhu_message_begin(&message, VHU_MSG_SET_VRING_NUM, VHU_LAYOUT_vring_size);
 *	vhu_message_put(&message, VHU_FIELD_vring_size_num, 256);
 *	error = vhu_message_send(&message, socket, 0);
 */
#ifndef VHU_PROTOCOL_MESSAGE_IO_H
#define VHU_PROTOCOL_MESSAGE_IO_H

#include <sys/types.h>

#include "lib/protocol/walk.h"

/* The most descriptors that Linux passes in one system call: SCM_MAX_FD. */
#define VHU_PIECE_FDS_MAX 253

/* Bytes, and descriptors with the first of them, that cross a socket in one system call. */
struct vhu_piece {
	void *bytes;
	size_t size;
	int *fd;
	unsigned fds;     /* sent or received */
	unsigned fds_max; /* receiving: the room in `fd`; 0: descriptors that come are closed */
	bool fds_lost;    /* received: more came than there was room for; they are closed */
};

/*
 * Send a piece with one sendmsg, interrupted or not.
 * @flags: of sendmsg; MSG_NOSIGNAL is added. @piece: at most VHU_PIECE_FDS_MAX descriptors.
 * Returns the number of bytes sent, or -errno.
 */
ssize_t vhu_piece_send(int socket, const struct vhu_piece *piece, int flags);

/*
 * Receive a piece with one recvmsg of at most piece->size bytes.
 * @flags: of recvmsg; the descriptors that come are closed on exec.
 * Returns the number of bytes received, 0 at the end of the connection, or -errno; piece->fds and
 * piece->fds_lost are set in any case.
 */
ssize_t vhu_piece_receive(int socket, struct vhu_piece *piece, int flags);

/* The largest payload of the main and the back-end channel is a shared memory configuration: 2056
 * bytes. The room does not grow: a peer cannot make us allocate. */
#define VHU_MESSAGE_PAYLOAD_MAX 4096
/* No message has more than 8, the regions of SET_MEM_TABLE. */
#define VHU_MESSAGE_FDS_MAX     16

struct vhu_message_buf {
	struct vhu_header header;
	union {
		/* The message as it crosses the socket, in the host's byte order. */
		uint8_t bytes[VHU_HEADER_SIZE + VHU_MESSAGE_PAYLOAD_MAX];
		struct {
			uint8_t head[VHU_HEADER_SIZE];
			uint8_t payload[VHU_MESSAGE_PAYLOAD_MAX];
		};
	};
	int fd[VHU_MESSAGE_FDS_MAX];
	unsigned fds;
	bool fds_lost; /* more descriptors came than VHU_MESSAGE_FDS_MAX */
	uint32_t got;  /* bytes received so far, header included */
};

/* Begin a request: its header, and a payload of @layout that is all zero. */
void vhu_message_begin(struct vhu_message_buf *message, enum vhu_message_id id,
		       enum vhu_layout_id layout);

/* Begin the reply to a request, likewise. */
void vhu_message_begin_reply(struct vhu_message_buf *message, const struct vhu_header *request,
			     enum vhu_layout_id layout);

/*
 * Set the integer of a field. A field that does not lie in the room for payloads is left out; the
 * payload's size stays as it is.
 * @base: where the field's layout begins in the payload.
 */
void vhu_message_put_at(struct vhu_message_buf *message, enum vhu_field_id field, uint32_t base,
			uint64_t value);
void vhu_message_put(struct vhu_message_buf *message, enum vhu_field_id field, uint64_t value);

/* Return the integer of a field, or 0 if the payload does not reach that far.
 * @base: where the field's layout begins in the payload. */
uint64_t vhu_message_get_at(const struct vhu_message_buf *message, enum vhu_field_id field,
			    uint32_t base);
uint64_t vhu_message_get(const struct vhu_message_buf *message, enum vhu_field_id field);

/* Return a message's payload as decoders take it; cut if the header announces more than there is
 * room for. */
struct vhu_payload vhu_message_payload(const struct vhu_message_buf *message);

/* Write the header in front of the payload. Returns the number of message->bytes to send, or 0 if
 * the header announces more than VHU_MESSAGE_PAYLOAD_MAX. */
size_t vhu_message_write(struct vhu_message_buf *message);

/*
 * Send a message and its descriptors in one piece.
 * @flags: of sendmsg.
 * Returns 0; -EAGAIN: nothing was sent; -ENOBUFS: a part of it was sent, which ends the
 * conversation; -EMSGSIZE: more than VHU_MESSAGE_PAYLOAD_MAX or VHU_MESSAGE_FDS_MAX; other -errno.
 */
int vhu_message_send(struct vhu_message_buf *message, int socket, int flags);

/*
 * Receive what there is of a message, without waiting, and never a byte of the next one.
 * @message: all zero, or as the last call left it, or dropped.
 * Returns 1: the message is whole; 0: more is to come; -EPIPE: the peer closed the connection;
 * -EMSGSIZE: it announces more than VHU_MESSAGE_PAYLOAD_MAX; -EPROTO: not a vhost-user message, or
 * more descriptors than VHU_MESSAGE_FDS_MAX; other -errno. The message then still owns what came.
 */
int vhu_message_receive(struct vhu_message_buf *message, int socket);

/*
 * Receive until message->bytes holds @size bytes, without waiting and without looking at them.
 * @size: at most sizeof(message->bytes). Returns as vhu_message_receive does, but for -EMSGSIZE and
 * -EPROTO; message->fds_lost is set if descriptors were lost.
 */
int vhu_message_receive_bytes(struct vhu_message_buf *message, int socket, uint32_t size);

/* Take descriptor @n out of a message. Returns it, the caller's from now on; -1 for none
 * or it was taken. */
int vhu_message_take(struct vhu_message_buf *message, unsigned n);

/* Close the descriptors that were not taken, and make ready for the next message. */
void vhu_message_drop(struct vhu_message_buf *message);

#endif
