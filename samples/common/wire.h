/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages as they cross a vhost-user socket: received piece by piece, sent whole, their fields
 * read and written by the names of the table.
 *
 * A message that was received owns the descriptors that came with it: take those you keep, then
 * drop the message.
 */
#ifndef VHU_SAMPLES_COMMON_WIRE_H
#define VHU_SAMPLES_COMMON_WIRE_H

#include "lib/protocol/walk.h"

/* More than any message here needs: a configuration space of 256 bytes, a table of 8 regions. */
#define VHU_WIRE_PAYLOAD_MAX 4096
#define VHU_WIRE_FDS_MAX     8

struct vhu_wire {
	struct vhu_header header;
	uint8_t payload[VHU_WIRE_PAYLOAD_MAX];
	int fd[VHU_WIRE_FDS_MAX];
	unsigned fds;
	/* How far receiving it has come. */
	uint8_t head[VHU_HEADER_SIZE];
	uint32_t got; /* bytes, header included */
};

/*
 * Receive what there is of a message, without waiting.
 * @wire: all zero, or as the last call left it, or dropped.
 * Returns 1: it is whole; 0: more is to come; -EPIPE: the peer has gone; -EMSGSIZE: larger than
 * VHU_WIRE_PAYLOAD_MAX; -EPROTO: no message of this protocol; other -errno.
 */
int vhu_wire_receive(struct vhu_wire *wire, int socket);

/* Close the descriptors that nobody took, and make ready for the next message. */
void vhu_wire_drop(struct vhu_wire *wire);

/* Take descriptor @n out of a message. Returns it: the caller's from now on; -1 without. */
int vhu_wire_take(struct vhu_wire *wire, unsigned n);

/* Begin a message to send: its header, and a payload of @layout that is all zero. */
void vhu_wire_begin(struct vhu_wire *wire, uint32_t request, uint32_t flags,
		    enum vhu_layout_id layout);

/* Send a message and its descriptors, which stay the caller's, in one piece.
 * @flags: of sendmsg. Returns 0 or -errno. */
int vhu_wire_send(const struct vhu_wire *wire, int socket, int flags);

/* Return a message's payload as decoders take it. */
struct vhu_payload vhu_wire_payload(const struct vhu_wire *wire);

/* Return the integer of a field, 0 where the payload does not reach so far.
 * @base: where the field's layout begins in the payload. */
uint64_t vhu_wire_get_at(const struct vhu_wire *wire, enum vhu_field_id field, uint32_t base);
uint64_t vhu_wire_get(const struct vhu_wire *wire, enum vhu_field_id field);

/* Set the integer of a field; the payload must reach so far. */
void vhu_wire_put_at(struct vhu_wire *wire, enum vhu_field_id field, uint32_t base, uint64_t value);
void vhu_wire_put(struct vhu_wire *wire, enum vhu_field_id field, uint64_t value);

#endif
