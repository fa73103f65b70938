/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verdict on a vring: why it hangs, or that it does not.
 *
 * A cause on the data path is named only if indexes, events and both counters are the same in both
 * samples: a vring where anything moved is "moving". Where the evidence fits several causes the
 * verdict lists the others and what would tell them apart.
 */
#ifndef VHU_RING_VERDICT_VERDICT_H
#define VHU_RING_VERDICT_VERDICT_H

#include "lib/ring/verdict/evidence.h"

enum vhu_ring_verdict_id {
#define VHU_RING_VERDICT(id, ...) VHU_RING_##id,
#include "lib/ring/verdict/verdict.def"
	VHU_RING_VERDICTS
};

/* A row of verdict.def. */
struct vhu_ring_verdict_row {
	const char *id;     /* "D3" */
	const char *title;  /* the cause, in a line */
	const char *advice; /* what to do */
	const char *apart;  /* what tells it from those it is taken for */
	/* The command of vhu ctl that unsticks the guest, "kick" or "call"; "": none. */
	const char *unstick;
};

extern const struct vhu_ring_verdict_row vhu_ring_verdicts[VHU_RING_VERDICTS];

#define VHU_RING_ALTERNATIVES_MAX 4
#define VHU_RING_VERDICT_TEXT     512

struct vhu_ring_verdict {
	enum vhu_ring_verdict_id id;
	bool hangs;         /* something waits that will not come by itself */
	const char *advice; /* what to do, if it is not what the cause's row says; NULL: it is */
	const char *apart;  /* what tells the causes apart, if not what their rows say; or NULL */
	enum vhu_ring_verdict_id alternative[VHU_RING_ALTERNATIVES_MAX];
	unsigned alternatives; /* causes that the evidence fits as well */
	/* One sentence with the numbers, without the vring and the id: "3 buffers wait, ..." */
	char text[VHU_RING_VERDICT_TEXT];
};

/* Return whether a verdict or one of its alternatives has a command that unsticks the guest. */
bool vhu_ring_verdict_unsticks(const struct vhu_ring_verdict *verdict);

/* Return what tells a verdict from its alternatives; "" if it has none. */
const char *vhu_ring_verdict_apart(const struct vhu_ring_verdict *verdict);

/* Judge a vring. Returns the verdict. */
struct vhu_ring_verdict vhu_ring_judge(const struct vhu_ring_evidence *evidence);

#endif
