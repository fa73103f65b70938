/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watchdog of vhu latency: it looks for vrings that hang and requests that get no reply, as vhu
 * proxy --stall does.
 *
 * Theory of operation
 *
 * Four times in the time after which something counts as stalled it looks at the indexes of the
 * vrings, at the counters of their eventfds and at what the probes have counted. What sessions say
 * comes from the capture that is followed; their memory is opened again when that changes. While
 * something moves nothing more is done. If nothing has moved for the whole time lib/ring judges the
 * vring. If the session of a vring is not known, only its eventfds are: then the vring has stalled
 * if the back-end does not read a kick that the probes saw.
 *
 * Ownership: a watchdog owns what it opens and keeps; it borrows what the choice points to.
 */
#ifndef VHU_TOOLS_LATENCY_STALL_H
#define VHU_TOOLS_LATENCY_STALL_H

#include "tools/latency/show/events.h"
#include "tools/latency/sources/told.h"
#include "tools/latency/vrings/vrings.h"
#include "tools/stall/on_stall.h"

struct vhu_latency_stall;

struct vhu_latency_stall_choice {
	const struct vhu_command *command; /* whose name the lines begin with */
	struct vhu_latency_vrings *vrings;
	uint32_t front_end, back_end;      /* of vrings without a session; 0: not known */
	struct vhu_latency_events *events; /* which gets a record of each stall, if it takes any */
	uint64_t stall_ns;
	const struct vhu_on_stall *on_stall; /* its pipe is -1 if no command is to run */
	const char *capture;                 /* for that command; "" none */
	/* Is called for each stall. @pair: what its session is called, "" without one. */
	void (*stalled)(void *with, const char *pair, const char *verdict);
	void *with;
	bool json; /* each stall is a line on standard output, too */
};

/* Return a watchdog; NULL out of memory. */
struct vhu_latency_stall *vhu_latency_stall_new(const struct vhu_latency_stall_choice *choice);

/* Return when the next look is due, by vhu_now_ns. */
uint64_t vhu_latency_stall_next(const struct vhu_latency_stall *stall);

/* Look. @told: what sessions say, NULL without any; it must have been opened to keep what verdicts
 * need. */
void vhu_latency_stall_look(struct vhu_latency_stall *stall, const struct vhu_latency_told *told);

void vhu_latency_stall_free(struct vhu_latency_stall *stall);

#endif
