/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules, as a session runs them. Each function looks at a message before the message changes
 * the state; vhu_rules_ring_start alone looks at what the message changed.
 */
#ifndef VHU_SESSION_RULES_CHECK_H
#define VHU_SESSION_RULES_CHECK_H

#include "lib/session/check_context.h"

void vhu_rules_framing(struct vhu_check_context *check);
void vhu_rules_negotiation(struct vhu_check_context *check);
void vhu_rules_size(struct vhu_check_context *check);
void vhu_rules_reply(struct vhu_check_context *check);
void vhu_rules_ring(struct vhu_check_context *check);
void vhu_rules_ring_start(struct vhu_check_context *check);
/* Look for vrings that the back-end does not serve; at the end of a session, too. */
void vhu_rules_idle(struct vhu_check_context *check);
void vhu_rules_idle_end(struct vhu_check_context *check);
void vhu_rules_descriptors(struct vhu_check_context *check);
void vhu_rules_memory(struct vhu_check_context *check);
void vhu_rules_device(struct vhu_check_context *check);
void vhu_rules_inflight(struct vhu_check_context *check);
/* Look at migration; at the end of a session, too. */
void vhu_rules_migration(struct vhu_check_context *check);
void vhu_rules_migration_end(struct vhu_check_context *check);
void vhu_rules_object(struct vhu_check_context *check);
/* Look at the end of a session for what should have come before. */
void vhu_rules_omission(struct vhu_check_context *check);
void vhu_rules_standalone(struct vhu_check_context *check);
/* Look at a session that ended. @closed: a record says who closed it, else the capture ended. */
void vhu_rules_end(struct vhu_check_context *check, bool closed);
/* Look for requests of an open session that have waited for too long until @now_ns, and were not
 * found before. */
void vhu_rules_hung(struct vhu_check_context *check, uint64_t now_ns);
/* Look at a channel that ended within its session. */
void vhu_rules_channel_end(struct vhu_check_context *check);

#endif
