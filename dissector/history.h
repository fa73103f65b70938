/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a session's state changed, frame by frame, so that it can be told for any of them later: of
 * the session as a whole, of its memory and of each vring, every form that it had and from which
 * frame on. A frame that changes nothing costs nothing.
 *
 * Ownership: all of it lasts as long as Wireshark's memory of the file.
 */
#ifndef VHU_DISSECTOR_HISTORY_H
#define VHU_DISSECTOR_HISTORY_H

#include "lib/session/session.h"

struct vhu_history;

/* What was negotiated, and what else goes for a session as a whole. */
struct vhu_history_session {
	uint32_t number; /* of the frame from which on it was so */
	uint32_t queues, memory_slots, status;
	uint64_t features, protocol_features; /* negotiated */
	bool has_features, has_protocol_features;
	bool has_queues, has_memory_slots, has_status, has_log, has_inflight;
};

/* A region of memory. */
struct vhu_history_region {
	uint64_t guest_address, size, user_address, mmap_offset;
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
	uint32_t size, base;
	uint64_t descriptor, available, used;
	uint32_t eventfd[VHU_VRING_ROLES];
	uint32_t started_by, stopped_by; /* frames; 0 never */
	bool has_eventfd[VHU_VRING_ROLES], polling[VHU_VRING_ROLES];
	bool has_size, has_addresses, has_base, enabled, started;
};

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
