/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the first pass over a file learnt, frame by frame.
 *
 * Wireshark dissects the frames of a file once in order, and from then on in any order, as often as
 * it likes. Sessions can only be followed in order; so each frame's part of what they told is kept,
 * in 24 bytes, and more only for those at which something was found or changed. What a session told
 * later than a frame (its dialect, its device) is looked up when the frame is shown again, so that
 * it then says what it was from the start.
 */
#ifndef VHU_DISSECTOR_REPLAY_H
#define VHU_DISSECTOR_REPLAY_H

#include "dissector/history.h"
#include "lib/session/session.h"

/* A finding as it is kept. */
struct vhu_found {
	const struct vhu_rule *rule;
	const char *text;
	uint32_t other[VHU_FINDING_OTHERS_MAX]; /* frames; 0 none */
};

/* What is known of a frame. */
struct vhu_learnt {
	struct vhu_annotation note; /* without state and findings, which are below */
	uint32_t reply;             /* number of the frame that answers it, 0 not known */
	uint32_t stream;
	unsigned founds;
	const struct vhu_found *found;
	const struct vhu_history *history; /* NULL: the frame left the state as it was */
};

/* Begin with a new file. @dialect, @device: taken for granted; VHU_ANY, 0: each session tells. */
void vhu_replay_begin(enum vhu_dialect dialect, uint32_t device);

/* Forget the file. Its frames' part goes with Wireshark's memory of the file. */
void vhu_replay_end(void);

/*
 * Take in frame @number, which holds @record and is dissected for the first time, and tell what is
 * known of it. Frames must come in order.
 */
void vhu_replay_learn(const struct vhu_record *record, uint32_t number, struct vhu_learnt *learnt);

/* Tell again what is known of frame @number, which holds @record and was learnt. */
void vhu_replay_recall(const struct vhu_record *record, uint32_t number, struct vhu_learnt *learnt);

#endif
