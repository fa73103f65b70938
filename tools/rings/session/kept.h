/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a session whose vrings are looked at. */
#ifndef VHU_TOOLS_RINGS_SESSION_KEPT_H
#define VHU_TOOLS_RINGS_SESSION_KEPT_H

#include "lib/ring/verdict/evidence.h"
#include "lib/session/session.h"
#include "lib/util/turns.h"
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
	/* What the proxy passed to the back-end instead, if it stands between. */
	bool interposed[VHU_VRING_ROLES];
	struct vhu_rings_eventfd instead[VHU_VRING_ROLES];
	struct vhu_ring_signals signals;
	struct vhu_ring_session session;
};

struct vhu_rings_session {
	struct vhu_kept kept; /* first; its session's number; 0: it has none */
	uint64_t opened_ns;   /* 0: not known */
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
	bool begun_before;               /* its beginning was not seen */
	bool history;                    /* all of it passed by: `old` is complete */
	struct vhu_rings_old *old;
	unsigned olds;
	unsigned resets; /* times that a vring got another kick */
	/* For the next record. */
	struct vhu_rings_fds {
		struct vhu_rings_eventfd fd[VHU_VRING_ROLES];
		bool interposed[VHU_VRING_ROLES];
		enum vhu_message_id stopped, disabled; /* the kind of message that did it */
		unsigned kicks;
		struct vhu_ring_signals signals;
		bool records_kicks, records_calls;
		struct vhu_turns turns; /* times of the records */
	} seen[VHU_VRINGS_MAX];
};

#endif
