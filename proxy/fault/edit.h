/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single actions of faults on a message. */
#ifndef VHU_PROXY_FAULT_EDIT_H
#define VHU_PROXY_FAULT_EDIT_H

#include "lib/protocol/line.h"
#include "proxy/fault/apply.h"

/* A message while it is altered. */
struct vhu_fault_edit_work {
	struct vhu_link *link;
	struct vhu_relay *relay;
	struct vhu_fault_message message; /* as it came; the bytes are the relay's */
	struct vhu_relay_plan *plan;
	bool whole, reply;
	const struct vhu_message *row; /* the message's in the table, or NULL */
	struct vhu_fault *fault;       /* the one whose actions are being done */
	unsigned told;                 /* the last fault of which the text tells */
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

/* Note that the reply to @request is to come, which the peer has asked for, or with @fault only the
 * proxy. */
void vhu_fault_edit_ask(struct vhu_fault_edit_work *work, uint32_t request, unsigned fault);

#endif
