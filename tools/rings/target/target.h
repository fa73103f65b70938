/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vrings that are looked at, with the memory that they are in, and samples of them.
 *
 * Ownership: a list of targets owns what it has opened and read; it borrows the sessions, which
 * must outlive it.
 */
#ifndef VHU_TOOLS_RINGS_TARGET_H
#define VHU_TOOLS_RINGS_TARGET_H

#include "lib/ring/verdict/verdict.h"
#include "tools/rings/process/process.h"

/* The memory of a session as it is open here. */
struct vhu_rings_memory {
	const struct vhu_rings_session *session;
	struct vhu_rings_process *process[VHU_RINGS_SIDES]; /* NULL: not known */
	struct vhu_rings_process *proxy; /* it stands between kicks and calls; NULL: none known */
	struct vhu_ring_memory memory, inflight;
	struct vhu_ring_region *region, inflight_region;
	char *control;     /* the control socket of the session's proxy; NULL: none known */
	bool told, sought; /* it told the session itself; it was looked for */
	unsigned missing;  /* regions that could not be opened */
	int error;         /* why the first of them could not */
};

/* A vring, or a session without vrings whose request waits (VHU_RING_NO_VRING). */
struct vhu_rings_target {
	const struct vhu_rings_session *session;
	const struct vhu_rings_vring *vring;
	struct vhu_rings_memory *memory;
	struct vhu_ring_place place;
	struct vhu_ring_evidence evidence;
	struct vhu_ring_verdict verdict;
};

struct vhu_rings_past;

struct vhu_rings_targets {
	struct vhu_rings_processes processes;
	struct vhu_rings_memory *memory;
	unsigned memories;
	struct vhu_rings_target *target;
	unsigned count;
	const char *none;                  /* why there are none; "" without a reason; borrowed */
	const struct vhu_rings_past *past; /* earlier looks; NULL: none; borrowed */
};

/*
 * Open the memory of sessions and find their vrings.
 * @vring: only this one; -1: all.
 * Returns 0 or -ENOMEM. What cannot be opened shows in memory[].error.
 */
int vhu_rings_targets_open(struct vhu_rings_targets *targets,
			   const struct vhu_rings_sessions *sessions, int64_t vring);

/*
 * Take two samples of all vrings, 100 ms apart, and judge them. A vring that seems to hang is
 * looked at longer: a busy machine may keep a back-end from its work for a while.
 */
void vhu_rings_targets_judge(struct vhu_rings_targets *targets);

void vhu_rings_targets_free(struct vhu_rings_targets *targets);

/* Translate an address of the vring to the front-end's. Returns whether that is known. */
bool vhu_rings_target_user(const struct vhu_rings_target *target, uint64_t *address);

/* Fill in who maps what of the vring's memory, and which eventfds the back-end holds. */
void vhu_rings_target_holders(struct vhu_rings_target *target);

#endif
