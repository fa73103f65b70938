/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another command of vhu's as a process of its own, whose lines are read as they come. It ends with
 * vhu top.
 *
 * Ownership: a child owns its process and its pipes.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_CHILD_H
#define VHU_TOOLS_TOP_SOURCES_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/top/sources/lines.h"

struct vhu_top_child {
	pid_t pid;                     /* 0: none runs */
	struct vhu_top_lines out, err; /* what it says */
};

/* Start "vhu WORDS", an array that ends with NULL. Returns 0 or -errno. */
int vhu_top_child_start(struct vhu_top_child *child, const char *const *words);

/*
 * Take what it has said: lines of its standard output and of its standard error.
 * Returns whether it goes on; if not it is gone, and can be started again.
 */
bool vhu_top_child_read(struct vhu_top_child *child, void (*out)(void *with, char *line),
			void (*err)(void *with, char *line), void *with);

/* End it, if it runs. */
void vhu_top_child_stop(struct vhu_top_child *child);

#endif
