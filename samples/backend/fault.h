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

#define VHU_FAULTS_MAX 16

enum vhu_fault_kind {
	/* of messages */
	VHU_FAULT_DROP_REPLY,
	VHU_FAULT_WRONG_SIZE,
	VHU_FAULT_WRONG_ID,
	VHU_FAULT_LATE_REPLY,
	VHU_FAULT_EXTRA_REPLY,
	VHU_FAULT_NACK,
	VHU_FAULT_CLOSE_AT,
	/* of rings */
	VHU_FAULT_LATE_CALL,
	VHU_FAULT_LOSE_CALL,
	VHU_FAULT_EXTRA_CALL,
	VHU_FAULT_LOSE_KICK,
	VHU_FAULT_REORDER,
	VHU_FAULT_BAD_ID,
	/* of what the device says */
	VHU_FAULT_MAX_VQS_BELOW_MIN,
	VHU_FAULT_KINDS
};

struct vhu_fault {
	enum vhu_fault_kind kind;
	const struct vhu_message *message; /* whose fault it is; NULL: no message's */
	uint64_t time;                     /* nanoseconds */
	uint64_t every;                    /* one of so many; 1: each */
	uint64_t seen;                     /* occasions so far */
};

struct vhu_faults {
	struct vhu_fault fault[VHU_FAULTS_MAX];
	unsigned faults;
};

/*
 * Add a fault as it is written on the command line.
 * Returns NULL, or what is wrong with the text.
 */
const char *vhu_faults_add(struct vhu_faults *faults, const char *text);

/*
 * Ask, on an occasion for it, whether a fault comes.
 * @message: which one is at hand; NULL for kinds that are not of messages.
 * Returns it, or NULL: do as you should.
 */
const struct vhu_fault *vhu_fault_comes(struct vhu_faults *faults, enum vhu_fault_kind kind,
					const struct vhu_message *message);

/* Print a line for each kind on stdout. */
void vhu_faults_list(void);

#endif
