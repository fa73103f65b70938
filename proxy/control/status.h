/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of a session: what it is doing, gathered at the moment of the question.
 *
 * What its messages have negotiated and set up comes from the proxy's prologue. If the proxy keeps
 * none, the status lacks that part.
 *
 * Ownership: a status borrows from its session, and lasts until the loop goes on.
 */
#ifndef VHU_PROXY_CONTROL_STATUS_H
#define VHU_PROXY_CONTROL_STATUS_H

#include <stdio.h>

#include "lib/session/state/state.h"
#include "lib/util/json.h"
#include "proxy/eventfd/interposer.h"
#include "proxy/session/pair.h"

/* Links of a session that are listed one by one: open channels, and closing ones. */
#define VHU_STATUS_LINKS 8

/* What one side sends on a socket of the session. */
struct vhu_status_way {
	struct vhu_link_stats passed;
	size_t held;      /* bytes received and not passed on yet */
	unsigned holding; /* descriptors, the same */
	size_t unread;    /* bytes that wait in the kernel, for the other side does not read */
};

struct vhu_status_link {
	enum vhu_channel channel;
	struct vhu_status_way from[2]; /* by the side that sends */
};

struct vhu_status {
	const struct vhu_proxy_session *session;
	const struct vhu_state *state; /* as its messages tell; NULL: not known */
	uint64_t now_ns;               /* by vhu_now_ns */
	struct vhu_status_link link[VHU_STATUS_LINKS];
	unsigned links;
	const struct vhu_interposer *interposer; /* NULL: none stand between its kicks and calls */
	unsigned fds; /* descriptors that the session takes: its sockets, and what is held */
	/* The request that waits for its answer longest; NULL where none does. */
	const struct vhu_pending *waits;
	const struct vhu_message *waits_for; /* its row of the table; NULL unknown */
	enum vhu_channel waits_on;
};

/* Return the session with the smallest number above @after; NULL for none. */
struct vhu_proxy_session *vhu_status_next(const struct vhu_proxy *proxy, uint64_t after);

/* Return session @number; NULL for none. */
struct vhu_proxy_session *vhu_status_find(const struct vhu_proxy *proxy, uint64_t number);

/* Gather what @session is doing. */
void vhu_status_gather(struct vhu_status *status, const struct vhu_proxy_session *session);

/* Write a status as lines for people. */
void vhu_status_text(FILE *to, const struct vhu_status *status);

/* Write a status as an object. docs/control.md lists the keys. @brief: leave out features and
 * memory.
 */
void vhu_status_json(struct vhu_json *json, const char *key, const struct vhu_status *status,
		     bool brief);

#endif
