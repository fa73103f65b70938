/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's monitor, which speaks QMP.
 *
 * Ownership: a conversation owns its connection until vhu_qmp_close.
 */
#ifndef VHU_TOOLS_QMP_QMP_H
#define VHU_TOOLS_QMP_QMP_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/cli/options.h"

/* A conversation with a monitor. */
struct vhu_qmp {
	const struct vhu_command *command;
	const char *path;
	FILE *monitor;
	uint32_t pid; /* of who listens there */
};

/* Connect, and be greeted. Returns VHU_EXIT_DONE; VHU_EXIT_FAILED with what is wrong said. */
int vhu_qmp_open(struct vhu_qmp *qmp, const struct vhu_command *command, const char *path);
void vhu_qmp_close(struct vhu_qmp *qmp);

/* Ask, and pass over events. @question ends with a newline. Returns what the answer returns, which
 * the caller frees by json_decref; NULL: an error, or none. */
json_t *vhu_qmp_ask(struct vhu_qmp *qmp, const char *question);

/* Say what is wrong with a monitor. Returns VHU_EXIT_FAILED. */
int vhu_qmp_fail(const struct vhu_qmp *qmp, const char *what);

#endif
