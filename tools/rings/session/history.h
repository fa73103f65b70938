/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state of a session forgets and a vring's verdict needs. */
#ifndef VHU_TOOLS_RINGS_HISTORY_H
#define VHU_TOOLS_RINGS_HISTORY_H

#include "tools/rings/session/kept.h"

/* Learn from a message. Returns 0 or -ENOMEM. */
int vhu_rings_history_see(struct vhu_rings_session *session, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note);

/* Count a kick or a call, if the record is of one. */
void vhu_rings_history_signal(struct vhu_rings_session *session, const struct vhu_record *record);

#endif
