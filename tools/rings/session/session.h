/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions whose vrings are looked at: where a capture, a proxy or QEMU says that they are.
 *
 * A session is fed the records of its conversation. Most of it lib/session knows; what is kept
 * beside that is what its state forgets: eventfds that were replaced, where the in-flight area is.
 *
 * Ownership: a list owns its sessions and everything in them.
 */
#ifndef VHU_TOOLS_RINGS_SESSION_H
#define VHU_TOOLS_RINGS_SESSION_H

#include <limits.h>

#include "lib/recording/prologue.h"
#include "tools/by_session.h"
#include "tools/rings/session/kept.h"

struct vhu_rings_sessions {
	struct vhu_rings_session **session;
	unsigned count;
	char none[160];         /* why there are none; "" without a reason */
	char control[PATH_MAX]; /* that said this: the socket of a proxy; "": none */
	bool of_proxy;          /* they are all of the process asked about, which is their proxy */
	struct vhu_prologue *prologue; /* takes all records too; NULL: none */
	/* While records are fed. */
	struct vhu_by_session open;
	struct vhu_rings_closed {
		uint32_t pid; /* of the back-end */
		struct vhu_rings_old old;
	} * closed;
	unsigned closes;
};

/*
 * Feed a record and what it means, as vhu_reading does; @record NULL is the end of a session that
 * the capture leaves open, which is then in the list.
 * @with: struct vhu_rings_sessions, all 0 at first but for its prologue.
 * Returns 0 or -ENOMEM.
 */
int vhu_rings_sessions_see(void *with, const struct vhu_record *record, uint64_t number,
			   const struct vhu_annotation *note);

/*
 * Put the sessions that are open now into a list, while records are still fed.
 * @known: was fed the same records. @to: all 0 at first; to be freed in any case.
 * Returns 0 or -ENOMEM.
 */
int vhu_rings_sessions_now(const struct vhu_rings_sessions *sessions,
			   const struct vhu_sessions *known, struct vhu_rings_sessions *to);

/* Add a new session to the list. Returns it; NULL out of memory. */
struct vhu_rings_session *vhu_rings_sessions_add(struct vhu_rings_sessions *sessions);

/* Return the session of this number, or NULL. */
struct vhu_rings_session *vhu_rings_sessions_find(const struct vhu_rings_sessions *sessions,
						  uint64_t number);

/* Return whether two readings of a session say the same of vring @index. */
bool vhu_rings_session_same_vring(const struct vhu_rings_session *one,
				  const struct vhu_rings_session *other, unsigned index);

/* Return a vring of a session, or NULL. */
struct vhu_rings_vring *vhu_rings_session_vring(const struct vhu_rings_session *session,
						unsigned index);

/* Return the eventfd that a side has for a vring's kick, call or err; it may not be known. */
const struct vhu_rings_eventfd *vhu_rings_vring_eventfd(const struct vhu_rings_vring *vring,
							enum vhu_vring_role role, unsigned side);

/* Free a session that is in no list. */
void vhu_rings_session_free(struct vhu_rings_session *session);

/* Free all sessions; the list is empty then. */
void vhu_rings_sessions_free(struct vhu_rings_sessions *sessions);

#endif
