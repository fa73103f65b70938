/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan for a message of a relay: what else is to be done to it; relay.h has the theory. */
#ifndef VHU_PROXY_RELAY_PLAN_H
#define VHU_PROXY_RELAY_PLAN_H

#include "lib/capture/record.h"
#include "proxy/fault/fault.h"

struct vhu_relay;

/* What is to be done to a message besides what was done to its bytes and descriptors. */
struct vhu_relay_plan {
	struct vhu_relay *relay;
	char text[VHU_RECORD_TEXT_MAX + 1]; /* what is done, for its record; "": nothing */
	unsigned fault;                     /* on whose account it is cut off, or copied */
	uint64_t delay_ns;
	bool hold;
	uint64_t hold_ns;           /* at the most; 0 for good */
	uint64_t held_ns;           /* since when; 0 not yet */
	struct vhu_fault_held held; /* the owner puts it in the list of what is held */
	bool drop, cut_before, cut_after;
	bool answer; /* the owner's, once it was dropped: with `value` */
	uint64_t value;
	unsigned asks;   /* the fault that sets NEED_REPLY; 0: none */
	unsigned behind; /* so many others go first */
	unsigned copies; /* go after it */
	unsigned copied;
	unsigned pieces, piece_next;
	uint32_t piece[VHU_FAULT_PIECES_MAX];
	uint64_t pause_ns; /* between pieces */
};

/*
 * For the owner's `alters`: return the plan of the message, made if need be; it is freed with the
 * message. Returns NULL out of memory: then nothing can be planned.
 */
struct vhu_relay_plan *vhu_relay_plan_of(struct vhu_relay *relay);

#endif
