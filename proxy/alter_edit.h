/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single actions of rules on a message. */
#ifndef VHU_PROXY_ALTER_EDIT_H
#define VHU_PROXY_ALTER_EDIT_H

#include "lib/protocol/line.h"
#include "proxy/alter.h"

/* A message while it is altered. */
struct vhu_alter_work {
	struct vhu_link *link;
	struct vhu_relay *relay;
	struct vhu_rule_message message; /* as it came; the bytes are the relay's */
	struct vhu_relay_plan *plan;
	bool whole, reply;
	const struct vhu_message *row; /* the message's in the table, or NULL */
	struct vhu_proxy_rule *rule;   /* the one whose actions are being done */
	unsigned told;                 /* the last rule of which the text tells */
	struct vhu_line text;          /* in the plan */
};

/* Do one action. */
void vhu_alter_do(struct vhu_alter_work *work, const struct vhu_rule_action *action);

/* Return whether @action lets nothing pass, so that there is nothing else to do to the message. */
bool vhu_alter_stops(const struct vhu_alter_work *work, const struct vhu_rule_action *action);

/* Tell what was done, made as printf makes it. */
__attribute__((format(printf, 2, 3))) void vhu_alter_tell(struct vhu_alter_work *work,
							  const char *format, ...);

/* Note that the reply to @request is to come, which the peer has asked for, or with @rule only the
 * proxy. */
void vhu_alter_ask(struct vhu_alter_work *work, uint32_t request, unsigned rule);

#endif
