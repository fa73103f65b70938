/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A front-end's connection that never waits longer than it was told to, and that trusts nothing it
 * receives.
 *
 * Ownership: a message that was received owns the descriptors that came with it, until
 * vhu_probe_drop. Descriptors that are sent stay the caller's.
 */
#ifndef VHU_TOOLS_PROBE_WIRE_H
#define VHU_TOOLS_PROBE_WIRE_H

#include "lib/protocol/walk.h"
#include "tools/probe/child.h"
#include "tools/probe/log.h"

/* The largest answer here is a shared memory configuration. */
#define VHU_PROBE_PAYLOAD_MAX 4096
#define VHU_PROBE_ERROR_MAX   256

struct vhu_probe_message {
	struct vhu_header header;
	uint8_t payload[VHU_PROBE_PAYLOAD_MAX];
	int fd[VHU_PROBE_FDS_MAX];
	unsigned fds;
	uint64_t ns; /* an answer: how long it took */
};

struct vhu_probe_wire {
	const char *path;
	unsigned timeout_ms;           /* for each answer */
	struct vhu_probe_child *child; /* the back-end, where it is a command of ours; or NULL */
	struct vhu_probe_log *log;
	int socket; /* -1: not connected */
	struct vhu_context negotiated;
	/* What went wrong last: -ETIMEDOUT silent, -EPIPE closed, -EPROTO not an answer, another
	 * -errno; and the same in words, without the socket's path. */
	int error;
	char why[VHU_PROBE_ERROR_MAX];
};

/*
 * Connect to wire->path. A back-end of ours is started where it does not run, and waited for.
 * Returns 0, or -errno with wire->why saying what is wrong.
 */
int vhu_probe_connect(struct vhu_probe_wire *wire);

/* End the connection, if there is one: ours is the side that closed, unless the peer did before. */
void vhu_probe_disconnect(struct vhu_probe_wire *wire);

/* Begin a message: its header, and a payload of @layout that is all zero. */
void vhu_probe_begin(struct vhu_probe_message *message, enum vhu_message_id id,
		     enum vhu_layout_id layout);

/* Set the integer of a field. @base: where the field's layout begins in the payload. */
void vhu_probe_put_at(struct vhu_probe_message *message, enum vhu_field_id field, uint32_t base,
		      uint64_t value);
void vhu_probe_put(struct vhu_probe_message *message, enum vhu_field_id field, uint64_t value);

/* Return the integer of a field, 0 where the payload does not reach so far. */
uint64_t vhu_probe_get(const struct vhu_probe_message *message, enum vhu_field_id field);

/* Return a message's payload as decoders take it. */
struct vhu_payload vhu_probe_payload(const struct vhu_probe_message *message);

/* Close the descriptors that came with a message. */
void vhu_probe_drop(struct vhu_probe_message *message);

/* Send a message whole, with its descriptors. Returns 0 or -errno as wire->error has it. */
int vhu_probe_send(struct vhu_probe_wire *wire, const struct vhu_probe_message *message);

/* Send bytes as they are, and record nothing. Returns as vhu_probe_send does. */
int vhu_probe_send_bytes(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size);

/* Record @size bytes, a message or what there is of it, that were sent as bytes. */
void vhu_probe_record(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size);

/* Write a message's header and payload at @to. Returns how many bytes that are. */
size_t vhu_probe_write(const struct vhu_probe_message *message,
		       uint8_t to[VHU_HEADER_SIZE + VHU_PROBE_PAYLOAD_MAX]);

/*
 * Receive the answer to @asked, whatever its size.
 * Returns 0, and then @reply is to be dropped; or -errno, with wire->why saying what is wrong.
 */
int vhu_probe_answer(struct vhu_probe_wire *wire, const struct vhu_probe_message *asked,
		     struct vhu_probe_message *reply);

/* Send a message and receive its answer, of a size that the table has for it. Returns as
 * vhu_probe_answer does. */
int vhu_probe_ask(struct vhu_probe_wire *wire, const struct vhu_probe_message *message,
		  struct vhu_probe_message *reply);

/*
 * Send a message that has no answer of its own, and have it acknowledged where that was negotiated.
 * Returns 0; 1 where it was refused, with wire->why saying so; -errno.
 */
int vhu_probe_set(struct vhu_probe_wire *wire, const struct vhu_probe_message *message);

/* Return whether a protocol feature is negotiated on this connection. */
bool vhu_probe_has(const struct vhu_probe_wire *wire, unsigned bit);

/* Return milliseconds on a clock that only goes forward. */
uint64_t vhu_probe_clock(void);

#endif
