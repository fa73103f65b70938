/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of a session share: what its links, its interposer and the faults know of it, and
 * how they say and record something about it.
 */
#ifndef VHU_PROXY_SESSION_COMMON_H
#define VHU_PROXY_SESSION_COMMON_H

#include "proxy/eventfd/kept.h"
#include "proxy/metrics/metrics.h"
#include "proxy/proxy.h"

struct vhu_watchdog;

struct vhu_session_common {
	struct vhu_proxy *proxy;
	uint64_t number;
	unsigned links;              /* sockets */
	struct vhu_metrics *metrics; /* its pair's; NULL without memory for them */
	/* Tell the person who runs the proxy a line about the session. */
	void (*say)(const struct vhu_session_common *session, const char *line);
	struct vhu_context context;     /* what was negotiated, as far as messages depend on it */
	struct vhu_fault_memory faults; /* how often they have matched */
	struct vhu_mask_memory masked;  /* what was masked */
	struct vhu_peer peer[2];        /* by side */
	struct vhu_watchdog *watchdog;  /* NULL without; the session's */
	struct vhu_kept_eventfds eventfds; /* if the proxy keeps them, or a watchdog looks */
};

/* Give a record to the sinks. Its type, and what belongs to that, is filled in; the rest is filled
 * in here. */
void vhu_proxy_session_record(struct vhu_session_common *session, enum vhu_channel channel,
			      struct vhu_record *record);

/* Record an error of the session, timed now, made as printf makes it. */
__attribute__((format(printf, 3, 4))) void
vhu_proxy_session_error(struct vhu_session_common *session, enum vhu_channel channel,
			const char *format, ...);

/* Say a line about the session, made as printf makes it. */
__attribute__((format(printf, 2, 3))) void
vhu_proxy_session_say(const struct vhu_session_common *session, const char *format, ...);

#endif
