/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long requests may wait for their answers. */
#ifndef VHU_SESSION_RULES_MESSAGE_REPLY_H
#define VHU_SESSION_RULES_MESSAGE_REPLY_H

#include "lib/session/check_context.h"

/* Return how long a request may wait for its answer, in nanoseconds. */
uint64_t vhu_reply_limit(const struct vhu_check_context *check, const struct vhu_message *message);

#endif
