/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of the first pass over a file, frame by frame.
 *
 * Wireshark dissects the frames of a file once in order, and from then on in any order, as often as
 * it likes. Sessions can only be followed in order. So each frame's result is kept, in 24 bytes,
 * and more only for frames with a finding or a change of state. If a session reveals its dialect or
 * its device after a frame, the frame has them when Wireshark shows it again. Its findings stay
 * those of the first pass.
 */
#ifndef VHU_DISSECTOR_REPLAY_REPLAY_H
#define VHU_DISSECTOR_REPLAY_REPLAY_H

#include "dissector/replay/history.h"
#include "lib/session/session.h"

/* A finding, kept. */
struct vhu_found {
	const struct vhu_rule *rule;
	const char *text;
	uint32_t other[VHU_FINDING_OTHERS_MAX]; /* frames; 0 none */
};

/* What is known about a frame. */
struct vhu_learnt {
	struct vhu_annotation note; /* without state and findings, which are below */
	uint32_t reply;             /* number of the frame that answers it, 0 not known */
	uint32_t stream;
	unsigned founds;
	const struct vhu_found *found;
	const struct vhu_history *history; /* NULL: the frame left the state as it was */
};

/* Begin with a new file. @dialect, @device: to assume; VHU_ANY, 0: learn them from each session. */
void vhu_replay_begin(enum vhu_dialect dialect, uint32_t device);

/* Forget the file. Wireshark frees what is kept of its frames with the file. */
void vhu_replay_end(void);

/*
 * Feed frame @number, dissected for the first time, which holds @record. Frames must come in order.
 * Fills in *@learnt.
 */
void vhu_replay_learn(const struct vhu_record *record, uint32_t number, struct vhu_learnt *learnt);

/* Fill in *@learnt for frame @number, which holds @record and was fed before. */
void vhu_replay_recall(const struct vhu_record *record, uint32_t number, struct vhu_learnt *learnt);

#endif
