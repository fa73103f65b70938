/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a tool keeps of each open session, found by the session's number. What is kept begins with a
 * struct vhu_kept; it is the tool's, which adds it when it sees a session first and takes it out
 * when the session ends.
 */
#ifndef VHU_TOOLS_BY_SESSION_H
#define VHU_TOOLS_BY_SESSION_H

#include <stdint.h>

#define VHU_BY_SESSION_BUCKETS 1024
/* As many as lib/session keeps open at once: when there are so many, one has to be taken out before
 * another is added. */
#define VHU_BY_SESSION_MAX     16384

struct vhu_kept {
	uint64_t session;
	struct vhu_kept *next; /* in its bucket */
};

/* All zero is empty. */
struct vhu_by_session {
	struct vhu_kept *bucket[VHU_BY_SESSION_BUCKETS];
	unsigned count;
};

/* Return what is kept of a session, or NULL. */
struct vhu_kept *vhu_by_session_find(struct vhu_by_session *by_session, uint64_t session);

/* Keep @kept, whose number is set and was not kept before. */
void vhu_by_session_add(struct vhu_by_session *by_session, struct vhu_kept *kept);

/* Take @kept out. */
void vhu_by_session_remove(struct vhu_by_session *by_session, struct vhu_kept *kept);

/* Return a session to take out before session @next is added: one that has been kept for long.
 * There has to be one. */
struct vhu_kept *vhu_by_session_oldest(struct vhu_by_session *by_session, uint64_t next);

#endif
