/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes as sources of vhu top: for each back-end or socket, vhu latency runs as a process of its
 * own and prints what it counts on the vrings as lines of JSON. vhu attach --list, run from time to
 * time, lists the sessions, so that sessions without any traffic are shown, too. vhu rings judges
 * those.
 *
 * Ownership: a list owns its processes; sources are the model's.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_PROBE_H
#define VHU_TOOLS_TOP_SOURCES_PROBE_H

#include <jansson.h>

#include "tools/top/sources/child.h"
#include "tools/top/sources/pairs.h"
#include "tools/top/sources/verdicts.h"
#include "tools/top/table/model.h"

/* Descriptors of a process to wait for. */
#define VHU_TOP_CHILD_FDS 2

struct vhu_top_probes;

/* What vhu latency said last of a vring. */
struct vhu_top_probe_line {
	uint64_t session; /* as it numbers them; 0: not known */
	uint32_t kick;    /* the id of its eventfd */
	struct vhu_top_told told;
};

/* The lines of one time. */
struct vhu_top_probe_lines {
	struct vhu_top_probe_line *line;
	unsigned count;
};

struct vhu_top_probe {
	struct vhu_top_probes *among;
	uint32_t pid;              /* of the back-end; 0: of a socket */
	char socket[VHU_TOP_NAME]; /* "": of a back-end */
	struct vhu_top_source *source;
	struct vhu_top_child latency;
	char error[VHU_TOP_NAME]; /* what it said last */
	bool down;                /* the source is gone */
	uint64_t listens_ns;      /* since when it listens; 0: it does not yet */
	uint64_t ended_ns;        /* when it ended; 0: it was not started yet */
	uint64_t batch_ns;        /* time of the lines that are being taken; 0: none are */
	uint64_t taken_ns;        /* when the last of them came */
	struct vhu_top_probe_lines batch, now; /* that are being taken; the last whole ones */
};

struct vhu_top_probes {
	struct vhu_top *top;
	uint64_t delay_ns; /* between two lines about a vring */
	bool all;          /* every back-end of the host */
	struct vhu_top_probe **probe;
	unsigned count;
	struct vhu_top_child list; /* vhu attach --list */
	uint64_t listed_ns;        /* when it began last; 0: never */
	bool list_again;           /* there is traffic of a session that is not listed */
	char error[VHU_TOP_NAME];  /* what it said last */
	struct vhu_top_pairs pairs;
	struct vhu_top_verdicts verdicts;
};

/*
 * Watch the vrings of a back-end, or of the sessions of a socket (@pid is 0). @named: a person has
 * named it. Returns 0 or -ENOMEM.
 */
int vhu_top_probes_add(struct vhu_top_probes *probes, uint32_t pid, const char *socket, bool named);

/* Start what is to run and does not. */
void vhu_top_probes_tick(struct vhu_top_probes *probes, uint64_t now_ns);

/* Return how many processes there are to wait for, and write the descriptors of number @at to @fd,
 * -1 for none. */
unsigned vhu_top_probes_children(const struct vhu_top_probes *probes);
void vhu_top_probes_fds(const struct vhu_top_probes *probes, unsigned at,
			int fd[VHU_TOP_CHILD_FDS]);

/* Take what process number @at has said. */
void vhu_top_probes_read(struct vhu_top_probes *probes, unsigned at);

/* Give the model what is known now. */
void vhu_top_probes_settle(struct vhu_top_probes *probes, uint64_t now_ns);

/* Return whether everything was found out that can be without more traffic. */
bool vhu_top_probes_are_ready(const struct vhu_top_probes *probes, uint64_t now_ns);

void vhu_top_probes_free(struct vhu_top_probes *probes);

/* Take a line of vhu latency --json. Returns 0, also for one of another type; -EBADMSG; -ENOMEM. */
int vhu_top_probe_take(struct vhu_top_probe *probe, const json_t *line, uint64_t now_ns);

/* The lines of one time were all taken. */
void vhu_top_probe_whole(struct vhu_top_probe *probe);

/* Return whether vhu latency may still recognise vrings of a session that it does not name. */
bool vhu_top_probe_listens(const struct vhu_top_probe *probe, const struct vhu_top_pair *pair,
			   uint64_t now_ns);

/* Give the model the sessions of a probe, with what is known of their vrings. */
void vhu_top_probe_show(struct vhu_top_probe *probe, uint64_t now_ns);

#endif
