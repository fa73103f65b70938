/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has passed on one socket of a session, one way. */
#ifndef VHU_PROXY_SESSION_LINK_STATS_H
#define VHU_PROXY_SESSION_LINK_STATS_H

#include <stdint.h>

struct vhu_link_stats {
	uint64_t messages, bytes, fds;
	uint64_t last_ns; /* when a message passed last, as vhu_now_ns tells; 0 never */
};

/* Note that a message of @bytes, with @fds descriptors, has passed at @now. */
static inline void vhu_link_stats_add(struct vhu_link_stats *stats, uint64_t bytes, unsigned fds,
				      uint64_t now)
{
	stats->messages++;
	stats->bytes += bytes;
	stats->fds += fds;
	stats->last_ns = now;
}

#endif
