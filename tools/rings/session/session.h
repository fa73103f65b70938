/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions whose vrings are looked at: where a capture, a proxy or QEMU says that they are.
 *
 * A session is fed the records of its conversation. Most of it lib/session knows; what is kept
 * beside that is what its state forgets: eventfds that were replaced, where the in-flight area is,
 * translations of IOVAs.
 *
 * Ownership: a list owns its sessions and everything in them.
 */
#ifndef VHU_TOOLS_RINGS_SESSION_H
#define VHU_TOOLS_RINGS_SESSION_H

#include "lib/recording/prologue.h"
#include "lib/ring/verdict/evidence.h"
#include "lib/session/session.h"
#include "tools/by_session.h"

enum { VHU_RINGS_FRONT, VHU_RINGS_BACK, VHU_RINGS_SIDES };

/* A file in memory, by what stat says of it. */
struct vhu_rings_file {
	bool known;
	uint64_t inode, device;
};

/* A region of memory, and the file that it is of. */
struct vhu_rings_region {
	uint64_t guest, user, size, offset;
	struct vhu_rings_file file;
};

/* An eventfd by its id. */
struct vhu_rings_eventfd {
	bool known;
	uint32_t id;
};

/* An eventfd that was replaced. */
struct vhu_rings_old {
	uint32_t id;
	unsigned vring;
	enum vhu_vring_role role;
	uint64_t by; /* the message that replaced it, or that ended its session */
};

/* A vring that was given addresses. */
struct vhu_rings_vring {
	unsigned index;
	uint32_t size;
	uint64_t descriptor, available, used;
	bool big_endian;
	struct vhu_rings_eventfd fd[VHU_VRING_ROLES];
	struct vhu_ring_session session;
};

struct vhu_rings_session {
	struct vhu_kept kept; /* first; its session's number; 0: it has none */
	uint32_t pid[VHU_RINGS_SIDES];
	char path[VHU_RINGS_SIDES][VHU_RECORD_TEXT_MAX + 1];
	struct vhu_context context;
	struct vhu_rings_region *region;
	unsigned regions;
	bool regions_partly; /* there may be others */
	struct vhu_rings_vring *vring;
	unsigned vrings;
	struct vhu_rings_area {
		struct vhu_rings_file file;
		uint64_t offset, size;
		unsigned queues;
	} inflight;
	struct vhu_ring_translation *translation;
	unsigned translations;
	struct vhu_ring_pending pending; /* its age is that when the session was read */
	bool history;                    /* all of it passed by: `old` is complete */
	struct vhu_rings_old *old;
	unsigned olds;
	unsigned resets; /* times that a vring got another kick */
	/* For the next record. */
	struct vhu_rings_fds {
		struct vhu_rings_eventfd fd[VHU_VRING_ROLES];
		enum vhu_message_id stopped, disabled; /* by which kind of message */
		unsigned kicks;
	} seen[VHU_VRINGS_MAX];
};

struct vhu_rings_sessions {
	struct vhu_rings_session **session;
	unsigned count;
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

/* Free a session that is in no list. */
void vhu_rings_session_free(struct vhu_rings_session *session);

/* Free all sessions; the list is empty then. */
void vhu_rings_sessions_free(struct vhu_rings_sessions *sessions);

/* Make room for one element more in an array, and count it. Returns the array; NULL out of memory:
 * the old one is as it was. */
void *vhu_rings_more(void *array, unsigned *count, size_t size);

#endif
