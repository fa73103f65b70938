/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Defects: what a broken back-end looks like from outside, on request (--fault), for tests and for
 * teaching.
 *
 * A defect is written KIND, KIND:MESSAGE, KIND:TIME, KIND:1/N or KIND:MESSAGE:TIME, as its row in
 * defect.c says. (A fault in this project is what the proxy injects: proxy/fault.)
 */
#ifndef VHU_SAMPLES_BACKEND_DEFECT_H
#define VHU_SAMPLES_BACKEND_DEFECT_H

#include "lib/protocol/protocol.h"

#define VHU_DEFECTS_MAX 16

enum vhu_defect_kind {
	/* of messages */
	VHU_DEFECT_DROP_REPLY,
	VHU_DEFECT_WRONG_SIZE,
	VHU_DEFECT_WRONG_ID,
	VHU_DEFECT_LATE_REPLY,
	VHU_DEFECT_EXTRA_REPLY,
	VHU_DEFECT_NACK,
	VHU_DEFECT_CLOSE_AT,
	/* of vrings */
	VHU_DEFECT_LATE_CALL,
	VHU_DEFECT_LOSE_CALL,
	VHU_DEFECT_EXTRA_CALL,
	VHU_DEFECT_LOSE_KICK,
	VHU_DEFECT_REORDER,
	VHU_DEFECT_BAD_ID,
	VHU_DEFECT_UNREAD_KICK,
	VHU_DEFECT_STALE_EVENT,
	VHU_DEFECT_USED_ZERO,
	VHU_DEFECT_NO_INFLIGHT,
	VHU_DEFECT_LEAK_EVENTFD,
	VHU_DEFECT_OLD_CALL,
	VHU_DEFECT_NO_LOOK,
	/* of what the device says */
	VHU_DEFECT_MAX_VQS_BELOW_MIN,
	VHU_DEFECT_KINDS
};

struct vhu_defect {
	enum vhu_defect_kind kind;
	const struct vhu_message *message; /* whose defect it is; NULL: no message's */
	uint64_t time;                     /* nanoseconds */
	uint64_t every;                    /* one of so many; 1: each */
	uint64_t seen;                     /* occasions so far */
};

struct vhu_defects {
	struct vhu_defect defect[VHU_DEFECTS_MAX];
	unsigned defects;
};

/*
 * Add a defect as it is written on the command line.
 * Returns NULL, or what is wrong with the text.
 */
const char *vhu_defects_add(struct vhu_defects *defects, const char *text);

/*
 * Ask, on an occasion for it, whether a defect comes.
 * @message: which one is at hand; NULL for kinds that are not of messages.
 * Returns it, or NULL: do as you should.
 */
const struct vhu_defect *vhu_defect_due(struct vhu_defects *defects, enum vhu_defect_kind kind,
					const struct vhu_message *message);

/* Print a line for each kind on stdout. */
void vhu_defects_list(void);

#endif
