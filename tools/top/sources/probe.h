/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes as sources of vhu top: for each back-end or socket, vhu latency runs as a process of its
 * own and prints what it counts on the vrings as lines of JSON. vhu attach --list, run from time to
 * time, lists the connections.
 *
 * Ownership: a list owns its processes; sources are the model's.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_PROBE_H
#define VHU_TOOLS_TOP_SOURCES_PROBE_H

#include <jansson.h>

#include "tools/top/sources/child.h"
#include "tools/top/table/model.h"

/* Descriptors of a process to wait for. */
#define VHU_TOP_CHILD_FDS 2

struct vhu_top_probes;

struct vhu_top_probe {
	const struct vhu_top_probes *among;
	uint32_t pid;              /* of the back-end; 0: of a socket */
	char socket[VHU_TOP_NAME]; /* "": of a back-end */
	struct vhu_top_source *source;
	struct vhu_top_child latency;
	char error[VHU_TOP_NAME]; /* what it said last */
	uint64_t ended_ns;        /* when it ended; 0: it was not started yet */
	uint64_t batch_ns;        /* time of the lines that are being taken; 0: none are */
	uint64_t taken_ns;        /* when the last of them came */
};

/* Two processes that are connected. */
struct vhu_top_pair {
	struct vhu_top_peer peer[VHU_TOP_SIDES];
	char socket[VHU_TOP_NAME];
};

struct vhu_top_probes {
	struct vhu_top *top;
	uint64_t delay_ns; /* between two lines about a vring */
	bool all;          /* every back-end of the host */
	struct vhu_top_probe **probe;
	unsigned count;
	struct vhu_top_child list; /* vhu attach --list */
	uint64_t listed_ns;        /* when it ended last; 0: never */
	struct vhu_top_pair *pair;
	unsigned pairs;
};

/* Watch the vrings of a back-end, or of the sessions of a socket (@pid is 0). Returns 0 or -ENOMEM.
 */
int vhu_top_probes_add(struct vhu_top_probes *probes, uint32_t pid, const char *socket);

/* Start what is to run and does not. */
void vhu_top_probes_tick(struct vhu_top_probes *probes, uint64_t now_ns);

/* Return how many processes there are to wait for, and write the descriptors of number @at to @fd,
 * -1 for none. */
unsigned vhu_top_probes_children(const struct vhu_top_probes *probes);
void vhu_top_probes_fds(const struct vhu_top_probes *probes, unsigned at,
			int fd[VHU_TOP_CHILD_FDS]);

/* Take what process number @at has said. */
void vhu_top_probes_read(struct vhu_top_probes *probes, unsigned at);

/* Give the model what was taken whole. */
void vhu_top_probes_settle(struct vhu_top_probes *probes, uint64_t now_ns);

void vhu_top_probes_free(struct vhu_top_probes *probes);

/* Take a line of vhu latency --json. Returns 0, also for one of another type; -EBADMSG; -ENOMEM. */
int vhu_top_probe_take(struct vhu_top_probe *probe, const json_t *line, uint64_t now_ns);

/* The lines of one time were all taken: give them to the model. */
void vhu_top_probe_flush(struct vhu_top_probe *probe, uint64_t now_ns);

#endif
