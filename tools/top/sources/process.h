/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What share of a processor the back-ends take, by /proc/PID/stat. */
#ifndef VHU_TOOLS_TOP_SOURCES_PROCESS_H
#define VHU_TOOLS_TOP_SOURCES_PROCESS_H

#include "tools/top/table/model.h"

/* A process at the last look. */
struct vhu_top_process {
	uint32_t pid;
	char state;       /* of /proc/PID/stat; 0: it is gone */
	uint64_t start;   /* when it was started, which tells it from another of this number */
	uint64_t ticks;   /* of a processor that it had taken by then */
	uint64_t time_ns; /* of the look */
	bool known;       /* the share */
	double share;     /* percent, since the look before */
	bool used;        /* by a session, at this look */
};

struct vhu_top_processes {
	struct vhu_top_process *process;
	unsigned count;
};

/* Read the line of a /proc/PID/stat into @process. Returns whether it is one. */
bool vhu_top_process_parse(struct vhu_top_process *process, const char *line);

/* Look at the back-ends of all sessions, and say in them what they do. */
void vhu_top_processes_look(struct vhu_top_processes *processes, struct vhu_top *top,
			    uint64_t now_ns);

void vhu_top_processes_free(struct vhu_top_processes *processes);

#endif
