/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several rules say about vrings. */
#ifndef VHU_SESSION_RULES_VRING_VRING_H
#define VHU_SESSION_RULES_VRING_VRING_H

#include "lib/session/check_context.h"

#define VHU_RING_SIZE_MAX 32768

/* Return whether a back-end counts queues as pairs of vrings, as far as known. */
bool vhu_check_counts_pairs(const struct vhu_state *state);

/* Return how many vrings there can be, by what the back-end told. */
uint64_t vhu_check_vring_limit(const struct vhu_check_context *check);

/* Report how often a running vring's call was replaced. */
void vhu_report_replaced(struct vhu_check_context *check, unsigned index,
			 const struct vhu_vring_fd *call);

/* Look at a vring that was just started against the area that tracks its requests: inflight.c. */
void vhu_rules_inflight_start(struct vhu_check_context *check, int index,
			      const struct vhu_vring *vring);

#endif
