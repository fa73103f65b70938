/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single actions of faults on a message. */
#ifndef VHU_PROXY_FAULT_EDIT_H
#define VHU_PROXY_FAULT_EDIT_H

#include "lib/protocol/line.h"
#include "proxy/relay/plan.h"
#include "proxy/relay/relay.h"
#include "proxy/session/common.h"
#include "proxy/session/replies.h"

/* The socket of a session whose messages are altered. */
struct vhu_fault_link {
	struct vhu_session_common *session;
	enum vhu_channel channel;
	struct vhu_relay *relay; /* two, by the side that sends */
	struct vhu_replies *replies;
};

/* A message while it is altered. */
struct vhu_fault_edit_work {
	const struct vhu_fault_link *link;
	struct vhu_relay *relay;
	struct vhu_fault_message message; /* as it came; the bytes are the relay's */
	struct vhu_relay_plan *plan;
	bool whole, reply;
	const struct vhu_message *row; /* the message's in the table, or NULL */
	struct vhu_fault *fault;       /* the one whose actions are being done */
	unsigned told;                 /* the last fault that the text describes */
	struct vhu_line text;          /* in the plan */
};

/* Do one action. */
void vhu_fault_edit_do(struct vhu_fault_edit_work *work, const struct vhu_fault_action *action);

/* Return whether @action lets nothing pass, so that there is nothing else to do to the message. */
bool vhu_fault_edit_stops(const struct vhu_fault_edit_work *work,
			  const struct vhu_fault_action *action);

/* Tell what was done, made as printf makes it. */
__attribute__((format(printf, 2, 3))) void vhu_fault_edit_tell(struct vhu_fault_edit_work *work,
							       const char *format, ...);

#endif
