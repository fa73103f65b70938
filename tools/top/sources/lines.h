/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that come by a descriptor, as they come; nothing here waits. */
#ifndef VHU_TOOLS_TOP_SOURCES_LINES_H
#define VHU_TOOLS_TOP_SOURCES_LINES_H

#include <stddef.h>

/* A longer line is no answer. */
#define VHU_TOP_LINE_MAX (64u << 20)

/* Ownership: the owner closes the descriptor; vhu_top_lines_free frees the rest. */
struct vhu_top_lines {
	int fd; /* -1: none */
	char *bytes;
	size_t got, room;
};

/*
 * Read what has come, and pass each whole line, without its end, to @take.
 * Returns 0: more may come; -EPIPE: that was the end; -EMSGSIZE; another -errno.
 */
int vhu_top_lines_read(struct vhu_top_lines *lines, void (*take)(void *with, char *line),
		       void *with);

void vhu_top_lines_free(struct vhu_top_lines *lines);

#endif
