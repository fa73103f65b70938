/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies unread in the sockets of sessions, as the kernel lists its Unix sockets (UNIX_DIAG). */
#ifndef VHU_TOOLS_RINGS_QUEUES_H
#define VHU_TOOLS_RINGS_QUEUES_H

#include "tools/rings/target/target.h"

struct vhu_rings_socket {
	uint32_t inode, peer; /* 0: none */
	uint32_t unread;      /* bytes in its receive queue */
	char name[109];       /* its path; "" without */
};

struct vhu_rings_queues {
	struct vhu_rings_socket *socket; /* by inode */
	unsigned sockets;
};

/* List the sockets, if one of the sessions has a request that waits for its reply. */
void vhu_rings_queues_read(struct vhu_rings_queues *queues,
			   const struct vhu_rings_targets *targets);

/* Return how many bytes one side of a session leaves unread. */
uint64_t vhu_rings_queues_unread(const struct vhu_rings_queues *queues,
				 const struct vhu_rings_memory *memory, unsigned side);

/* List the sockets that a process is connected to. @peer: gets their inodes; the caller frees it.
 * Returns the number of sockets. */
unsigned vhu_rings_queues_peers(const struct vhu_rings_process *process, uint32_t **peer);

void vhu_rings_queues_free(struct vhu_rings_queues *queues);

#endif
