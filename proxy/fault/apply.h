/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What links do to messages when faults or a mask ask for it.
 *
 * Theory of operation
 *
 * When a header has come, its number tells whether anything may be done to its message
 * (vhu_fault_may_alter). When the message is due, the faults are asked, by what it is as it came;
 * then the mask is applied, and then what the faults want, fault by fault (vhu_fault_apply). What
 * waits, drops or sends in other ways than at once is left to the relay, as its plan. All that is
 * done is told in the plan's text, which becomes part of the message's record.
 *
 * An answer that the proxy gives itself goes out by the relay of the other direction, between two
 * of its messages. An answer that only the proxy had asked for (need-reply) is kept back. Replies
 * come in the order of their requests, so those that are to come are remembered in that order.
 *
 * Ownership: a link owns what is remembered here for it (struct vhu_fault_replies), its session
 * what is remembered for all its links.
 */
#ifndef VHU_PROXY_FAULT_APPLY_H
#define VHU_PROXY_FAULT_APPLY_H

#include "proxy/session/link.h"

#define VHU_FAULT_REPLIES_MAX 32

/* Replies that are to come on a link, remembered from the first on that only the proxy wants. */
struct vhu_fault_replies {
	struct {
		uint32_t request;
		unsigned fault; /* that has asked for it; 0: the peer has */
	} asked[VHU_FAULT_REPLIES_MAX];
	unsigned asks, ours;
};

/* Return whether the message whose header has come to @relay may be altered. */
bool vhu_fault_may_alter(const struct vhu_link *link, const struct vhu_relay *relay);

/* Alter the message of @relay that is due, and plan what else is to be done to it. */
void vhu_fault_apply(struct vhu_link *link, struct vhu_relay *relay);

/* A message was dropped as planned: give the answer that the plan has. */
void vhu_fault_dropped(struct vhu_link *link, struct vhu_relay *relay);

/* A message has passed: learn from it what the meaning of others depends on. */
void vhu_fault_learn(struct vhu_link *link, const struct vhu_relay *relay);

#endif
