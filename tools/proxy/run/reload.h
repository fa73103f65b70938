/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the pairs of a run change when its configuration is read again.
 *
 * A pair is known by its FRONT. One whose BACK is another stays the same pair: its sessions go on,
 * new ones are with the new BACK. A listening socket that the new configuration names goes on to
 * listen, so that no peer in its queue is refused.
 *
 * First a plan is made: all that may fail is done, and nothing is changed. Then the plan is carried
 * out.
 */
#ifndef VHU_TOOLS_PROXY_RUN_RELOAD_H
#define VHU_TOOLS_PROXY_RUN_RELOAD_H

#include "tools/proxy/run/run.h"

/* A pair as it is to be. */
struct vhu_reload_pair {
	struct vhu_proxy_run_pair *pair;    /* that it is; NULL without memory for a new one */
	bool is_new, stays;                 /* else it is changed */
	char *text[2];                      /* its endpoints as they are written now */
	struct vhu_endpoint end[2];         /* open, unless it stays */
	struct vhu_proxy_run_pair *from[2]; /* whose socket it takes over; NULL: none */
	enum vhu_side from_side[2];
};

struct vhu_reload_plan {
	struct vhu_proxy_run *run;
	const struct vhu_proxy_request *next;
	struct vhu_reload_pair *pair;
	size_t pairs;
	unsigned added, removed, changed; /* counts, once carried out */
};

/* Plan how the run comes to have the pairs of plan->next. Returns 0; -errno with a line in @error.
 * vhu_reload_plan_free is to be called in both cases. */
int vhu_reload_plan_make(struct vhu_reload_plan *plan, char error[VHU_ENDPOINT_ERROR]);

/* Carry it out. What then does not work with a pair is said. */
void vhu_reload_plan_follow(struct vhu_reload_plan *plan);

/* Free the plan; what was opened for it and not used is closed. */
void vhu_reload_plan_free(struct vhu_reload_plan *plan);

#endif
