/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a session's state changed, frame by frame, so that it can be shown for any frame later. For
 * the session as a whole, its memory and each vring, the history holds every version and its first
 * frame. A frame that changes nothing costs nothing.
 *
 * Ownership: all of it lasts as long as Wireshark's memory of the file.
 */
#ifndef VHU_DISSECTOR_REPLAY_HISTORY_H
#define VHU_DISSECTOR_REPLAY_HISTORY_H

#include "lib/session/session.h"

struct vhu_history;

/* The facts of a session and of a vring that are shown, in the order in which they are kept.
 * lib/session/state/state.def lists them. */
enum vhu_history_session_fact {
#define VHU_FEATURES(member, ...)      VHU_HISTORY_##member,
#define VHU_SESSION_SHOWN(member, ...) VHU_HISTORY_##member,
#include "lib/session/state/state.def"
	VHU_HISTORY_SESSION_FACTS
};

enum vhu_history_vring_fact {
#define VHU_VRING_SHOWN(member, ...) VHU_HISTORY_VRING_##member,
#define VHU_VRING_FD(role, ...)      VHU_HISTORY_VRING_##role,
#include "lib/session/state/state.def"
	VHU_HISTORY_VRING_FACTS
};

enum vhu_history_region_fact {
#define VHU_REGION_SHOWN(member, ...) VHU_HISTORY_REGION_##member,
#include "lib/session/state/state.def"
	VHU_HISTORY_REGION_FACTS
};

/* Frames that told facts of a vring. */
enum vhu_history_vring_frame {
#define VHU_VRING_FRAME(member, ...) VHU_HISTORY_FRAME_##member,
#include "lib/session/state/state.def"
	VHU_HISTORY_VRING_FRAMES
};

/* What is known of a session as a whole. */
struct vhu_history_session {
	uint32_t number; /* of the first frame of this version */
	uint32_t known;  /* a bit for each fact */
	uint64_t value[VHU_HISTORY_SESSION_FACTS];
};

/* A region of memory. */
struct vhu_history_region {
#define VHU_REGION_SHOWN(member, ...) uint64_t member;
#include "lib/session/state/state.def"
	uint64_t inode;    /* of its file; 0 not known */
	uint32_t added_by; /* frame */
};

struct vhu_history_memory {
	uint32_t number;
	uint32_t regions;
	const struct vhu_history_region *region; /* NULL: too much to be kept */
};

struct vhu_history_vring {
	uint32_t number;
	uint32_t known;                           /* a bit for each fact but flags */
	uint64_t value[VHU_HISTORY_VRING_FACTS];  /* of a kick, call or err: its eventfd's id */
	uint32_t frame[VHU_HISTORY_VRING_FRAMES]; /* 0 none */
	uint32_t polling;                         /* a bit for each fact that is a descriptor */
	uint32_t unseen;                          /* a bit for each fact that may stem from
						     before the capture began */
};

/* Return whether a fact is known. */
static inline bool vhu_history_knows(uint32_t known, unsigned fact)
{
	return known >> fact & 1;
}

/* Begin with a new file. */
void vhu_history_begin(void);

/*
 * Take in what frame @number made of its session's state.
 * @history: where its session's is kept; made with the first thing to keep.
 * @note: of the frame, with its state.
 * Returns whether the frame changed anything.
 */
bool vhu_history_learn(struct vhu_history **history, const struct vhu_annotation *note,
		       uint32_t number);

/* Return what was so at frame @number; NULL where nothing was known yet. */
const struct vhu_history_session *vhu_history_session(const struct vhu_history *history,
						      uint32_t number);
const struct vhu_history_memory *vhu_history_memory(const struct vhu_history *history,
						    uint32_t number);
const struct vhu_history_vring *vhu_history_vring(const struct vhu_history *history, unsigned index,
						  uint32_t number);

/* Return one past the highest index of a vring that anything is known of, at any frame. */
unsigned vhu_history_vrings(const struct vhu_history *history);

#endif
