/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on request, for tests and for teaching: what a broken back-end looks like from outside.
 *
 * A fault is written KIND, KIND:MESSAGE, KIND:TIME, KIND:1/N or KIND:MESSAGE:TIME, as its row in
 * fault.c says.
 */
#ifndef VHU_SAMPLES_BACKEND_FAULT_H
#define VHU_SAMPLES_BACKEND_FAULT_H

#include "lib/protocol/protocol.h"

#define VHU_MISBEHAVIOURS_MAX 16

enum vhu_misbehaviour_kind {
	/* of messages */
	VHU_MISBEHAVIOUR_DROP_REPLY,
	VHU_MISBEHAVIOUR_WRONG_SIZE,
	VHU_MISBEHAVIOUR_WRONG_ID,
	VHU_MISBEHAVIOUR_LATE_REPLY,
	VHU_MISBEHAVIOUR_EXTRA_REPLY,
	VHU_MISBEHAVIOUR_NACK,
	VHU_MISBEHAVIOUR_CLOSE_AT,
	/* of rings */
	VHU_MISBEHAVIOUR_LATE_CALL,
	VHU_MISBEHAVIOUR_LOSE_CALL,
	VHU_MISBEHAVIOUR_EXTRA_CALL,
	VHU_MISBEHAVIOUR_LOSE_KICK,
	VHU_MISBEHAVIOUR_REORDER,
	VHU_MISBEHAVIOUR_BAD_ID,
	/* of what the device says */
	VHU_MISBEHAVIOUR_MAX_VQS_BELOW_MIN,
	VHU_MISBEHAVIOUR_KINDS
};

struct vhu_misbehaviour {
	enum vhu_misbehaviour_kind kind;
	const struct vhu_message *message; /* whose fault it is; NULL: no message's */
	uint64_t time;                     /* nanoseconds */
	uint64_t every;                    /* one of so many; 1: each */
	uint64_t seen;                     /* occasions so far */
};

struct vhu_misbehaviours {
	struct vhu_misbehaviour fault[VHU_MISBEHAVIOURS_MAX];
	unsigned faults;
};

/*
 * Add a fault as it is written on the command line.
 * Returns NULL, or what is wrong with the text.
 */
const char *vhu_misbehaviours_add(struct vhu_misbehaviours *faults, const char *text);

/*
 * Ask, on an occasion for it, whether a fault comes.
 * @message: which one is at hand; NULL for kinds that are not of messages.
 * Returns it, or NULL: do as you should.
 */
const struct vhu_misbehaviour *vhu_misbehaviour_comes(struct vhu_misbehaviours *faults,
						      enum vhu_misbehaviour_kind kind,
						      const struct vhu_message *message);

/* Print a line for each kind on stdout. */
void vhu_misbehaviours_list(void);

#endif
