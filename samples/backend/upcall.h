/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The back-end channel: requests to the front-end.
 *
 * What there is to say is kept as wishes, so that saying it never waits for the front-end, which
 * may be waiting for us on the main socket: with REPLY_ACK one request is under way at a time, and
 * a wish that is made twice meanwhile is said once.
 */
#ifndef VHU_SAMPLES_BACKEND_UPCALL_H
#define VHU_SAMPLES_BACKEND_UPCALL_H

#include "lib/protocol/message_io.h"

struct vhu_upcall {
	int socket;        /* -1 without one */
	bool acknowledged; /* REPLY_ACK is negotiated: ask for replies */
	bool waiting;      /* for the reply to a request */
	struct vhu_message_buf reply;
	/* Wishes: vrings as bits, or a bit for the device. */
	uint64_t calls, errors;
	bool config;
};

/* Take @socket, -1 for none, in place of the one before. */
void vhu_upcall_open(struct vhu_upcall *upcall, int socket, bool acknowledged);

/* Say what can be said now. */
void vhu_upcall_flush(struct vhu_upcall *upcall);

/* Receive what there is. A channel that fails or ends is closed. */
void vhu_upcall_receive(struct vhu_upcall *upcall);

#endif
