/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has passed through a pair since the proxy started: counts that outlive sessions, for those
 * who watch many proxies. proxy/exposition writes them out.
 *
 * Counting is a few additions a message. Memory is bounded whatever peers send: a slot for each
 * message number that the table has, one for all others, and VHU_METRICS_VRINGS vrings.
 *
 * Every function takes NULL for the metrics, and does nothing then.
 */
#ifndef VHU_PROXY_METRICS_METRICS_H
#define VHU_PROXY_METRICS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/metrics/vrings.h"
#include "lib/protocol/protocol.h"
#include "lib/session/rules/table.h"

/* Message numbers with a slot of their own; all others share the last slot. */
#define VHU_METRICS_IDS 64

/* Why a session ended. */
enum vhu_metrics_end {
	VHU_METRICS_FAILED, /* none of the others */
	VHU_METRICS_FRONT_END_CLOSED,
	VHU_METRICS_BACK_END_CLOSED,
	VHU_METRICS_REQUESTED, /* by whoever runs the proxy */
	VHU_METRICS_ENDS
};

struct vhu_metrics_message {
	uint64_t requests, replies;
	struct vhu_metrics_times *waited; /* from a request to its reply; NULL: none had one */
};

struct vhu_metrics {
	uint64_t opened, failed, ended[VHU_METRICS_ENDS];
	uint64_t bytes[2], fds[2]; /* by the side that sent them */
	struct vhu_metrics_message message[VHU_CHANNELS][VHU_METRICS_IDS + 1];
	struct vhu_metrics_vrings vrings;
	uint64_t *found; /* by the place of the rule in the table; NULL: nothing */
};

/* Return new metrics of a pair, all zero; NULL out of memory. */
struct vhu_metrics *vhu_metrics_new(void);

/* Free metrics. */
void vhu_metrics_free(struct vhu_metrics *metrics);

/* A session ended. */
void vhu_metrics_ended(struct vhu_metrics *metrics, enum vhu_metrics_end how);

/* A request, or a reply, has passed.
 * @asked_ns: when the request of a reply passed, as @now_ns; 0: not known. */
void vhu_metrics_passed(struct vhu_metrics *metrics, enum vhu_channel channel, uint32_t request,
			bool reply, uint64_t asked_ns, uint64_t now_ns);

/* Count signals of a vring, and those that a fault lost.
 * @kick_to_call_ns: the time from a kick to this call; 0: none. */
void vhu_metrics_signals(struct vhu_metrics *metrics, uint32_t vring, enum vhu_vring_role role,
			 uint64_t signals, uint64_t lost, uint64_t kick_to_call_ns);

/* The rule at this place of the table was broken. */
void vhu_metrics_found(struct vhu_metrics *metrics, enum vhu_rule_at rule);

/* Something has stalled. @verdict: its id; "" for a request without its reply. */
void vhu_metrics_stalled(struct vhu_metrics *metrics, const char *verdict);

#endif
