/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A front-end's connection that never waits longer than its limit, and trusts nothing it receives.
 */
#ifndef VHU_TOOLS_PROBE_CONNECTION_CONNECTION_H
#define VHU_TOOLS_PROBE_CONNECTION_CONNECTION_H

#include "lib/protocol/message_io.h"
#include "tools/probe/connection/child.h"
#include "tools/probe/connection/log.h"

#define VHU_PROBE_ERROR_MAX 256

struct vhu_probe_connection {
	const char *path;
	unsigned timeout_ms;           /* for each answer */
	struct vhu_probe_child *child; /* the back-end, where it is a command of ours; or NULL */
	struct vhu_probe_log *log;
	int socket; /* -1: not connected */
	bool sent;  /* something was sent on this connection */
	bool heard; /* something came back on it */
	struct vhu_context negotiated;
	uint64_t answer_ns; /* how long the last answer took */
	/* What went wrong last: -ETIMEDOUT silent, -EPIPE closed, -EPROTO not an answer, another
	 * -errno; and the same in words, without the socket's path. */
	int error;
	char why[VHU_PROBE_ERROR_MAX];
};

/*
 * Connect to connection->path. A back-end of ours is started where it does not run, and waited for.
 * Returns 0, or -errno with connection->why saying what is wrong.
 */
int vhu_probe_connect(struct vhu_probe_connection *connection);

/* End the connection, if there is one: ours is the side that closed, unless the peer did before. */
void vhu_probe_disconnect(struct vhu_probe_connection *connection);

/* Send a message whole, with its descriptors. Returns 0 or -errno as in connection->error. */
int vhu_probe_send(struct vhu_probe_connection *connection, struct vhu_message_buf *message);

/* Send bytes as they are, and record nothing. Returns as vhu_probe_send does. */
int vhu_probe_send_bytes(struct vhu_probe_connection *connection, const uint8_t *bytes,
			 size_t size);

/* Record @size bytes, a message or what there is of it, that were sent as bytes. */
void vhu_probe_record(struct vhu_probe_connection *connection, const uint8_t *bytes, size_t size);

/*
 * Receive the answer to @asked, whatever its size.
 * Returns 0, and then @reply is to be dropped; or -errno, with connection->why saying what is
 * wrong.
 */
int vhu_probe_answer(struct vhu_probe_connection *connection, const struct vhu_message_buf *asked,
		     struct vhu_message_buf *reply);

/* Send a message and receive its answer, of a size that the table has for it. Returns as
 * vhu_probe_answer does. */
int vhu_probe_ask(struct vhu_probe_connection *connection, struct vhu_message_buf *message,
		  struct vhu_message_buf *reply);

/*
 * Send a message without a reply of its own, and ask for an acknowledgement if that was negotiated.
 * Returns 0; 1 if the back-end refused it, with the reason in connection->why; -errno.
 */
int vhu_probe_set(struct vhu_probe_connection *connection, const struct vhu_message_buf *message);

/* Return whether a protocol feature is negotiated on this connection. */
bool vhu_probe_has(const struct vhu_probe_connection *connection, unsigned bit);

#endif
