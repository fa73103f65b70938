/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation with a proxy over its control socket that never blocks: send a question, and take
 * its answer when it comes.
 *
 * Ownership: a talk owns its connection.
 */
#ifndef VHU_TOOLS_TOP_SOURCES_TALK_H
#define VHU_TOOLS_TOP_SOURCES_TALK_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/ctl/meet.h"
#include "tools/top/sources/lines.h"

struct vhu_top_talk {
	FILE *proxy; /* NULL: not connected */
	struct vhu_top_lines lines;
	unsigned asked; /* questions that are not answered yet */
	/* Take an answer, or what else the proxy sends. */
	void (*take)(void *with, const json_t *answer);
	void *with;
};

/* Connect to the proxy at @path. Returns 0; -errno with a line in @error. */
int vhu_top_talk_open(struct vhu_top_talk *talk, const char *path, char error[VHU_ENDPOINT_ERROR]);

/* Send a question, a line without its end. Returns 0 or -errno. */
int vhu_top_talk_ask(struct vhu_top_talk *talk, const char *question);

/* Take what has come. Returns 0; -EPIPE: the proxy has closed; -EBADMSG: it is no proxy; -errno. */
int vhu_top_talk_read(struct vhu_top_talk *talk);

/* Return the descriptor to wait for, -1 without a connection. */
int vhu_top_talk_fd(const struct vhu_top_talk *talk);

/* End it; it may be opened again. */
void vhu_top_talk_close(struct vhu_top_talk *talk);

#endif
