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
 * done is described in the plan's text, which becomes part of the message's record.
 *
 * An answer that the proxy gives itself goes out by the relay of the other direction, between two
 * of its messages. An answer that only the proxy had asked for (need-reply) is kept back: the
 * replies that are to come (struct vhu_replies) know who wants them.
 *
 * Ownership: nothing is kept here. What is remembered from message to message is the link's and the
 * session's (struct vhu_fault_link).
 */
#ifndef VHU_PROXY_FAULT_APPLY_H
#define VHU_PROXY_FAULT_APPLY_H

#include "proxy/fault/edit.h"

/* Return whether the message whose header has come to @relay may be altered. */
bool vhu_fault_may_alter(const struct vhu_fault_link *link, const struct vhu_relay *relay);

/* Alter the message of @relay that is due, and plan what else is to be done to it. */
void vhu_fault_apply(const struct vhu_fault_link *link, struct vhu_relay *relay);

/* A message was dropped as planned: give the answer that the plan has. */
void vhu_fault_dropped(const struct vhu_fault_link *link, struct vhu_relay *relay);

/* A message has passed: learn from it what the meaning of others depends on. */
void vhu_fault_learn(const struct vhu_fault_link *link, const struct vhu_relay *relay);

#endif
