/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a process of a session, and what it means for the other side. */
#ifndef VHU_RING_VERDICT_PROCESS_H
#define VHU_RING_VERDICT_PROCESS_H

#include "lib/ring/verdict/evidence.h"

/* A state in which a process cannot work. */
struct vhu_ring_trouble {
	char state;         /* as /proc/PID/stat has it; X: it is gone */
	const char *text;   /* behind its name: "is stopped by a signal (T)" */
	const char *advice; /* what to do */
};

/* Return what keeps a process in @state from working; NULL if nothing does. */
const struct vhu_ring_trouble *vhu_ring_trouble(char state);

/* Read the state of process @pid from /proc; 0: it is not known. */
void vhu_ring_process_read(struct vhu_ring_process *process, uint32_t pid);

#endif
