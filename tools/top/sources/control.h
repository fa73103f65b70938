/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proxies as sources of vhu top: each is asked for its sessions, connected to again if it went
 * away. A folder stands for the control sockets in it, also those to come.
 *
 * Ownership: a list owns its connections; sources are the model's.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_CONTROL_H
#define VHU_TOOLS_TOP_SOURCES_CONTROL_H

#include "tools/top/sources/talk.h"
#include "tools/top/table/model.h"

struct vhu_top_control {
	char path[VHU_TOP_NAME];
	struct vhu_top_source *source;
	struct vhu_top_talk talk;
	uint64_t asked_ns; /* when the question was sent that waits for its answer; 0: none does */
	int wrong;         /* -errno that the last answer came to */
	char refusal[64];  /* why the proxy refused, "" it did not */
};

struct vhu_top_controls {
	struct vhu_top *top;
	struct vhu_top_control **control;
	unsigned count;
	const char **folder; /* that are looked through for sockets */
	unsigned folders;
};

/* Have @path, a control socket or a folder of them, as a source. Returns 0 or -ENOMEM. */
int vhu_top_controls_add(struct vhu_top_controls *controls, const char *path);

/* Ask all proxies, and look for those that are new. */
void vhu_top_controls_ask(struct vhu_top_controls *controls);

/* Take what proxy number @at has sent. */
void vhu_top_controls_read(struct vhu_top_controls *controls, unsigned at);

/* Return whether all proxies have answered that are there. */
bool vhu_top_controls_are_answered(const struct vhu_top_controls *controls);

void vhu_top_controls_free(struct vhu_top_controls *controls);

#endif
