/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's monitor: commands, and the answers to them. */
#ifndef VHU_E2E_QEMU_QMP_H
#define VHU_E2E_QEMU_QMP_H

#include <stddef.h>

#include "tests/e2e/qemu/driver/stage.h"

struct qemu_qmp {
	struct qemu_stage *stage;
	const char *party; /* whose it is */
	int fd;
	char line[8192]; /* what was read and not yet used; the last answer */
	size_t filled;
};

/* Talk to @party's monitor, which listens on the socket @path. */
void qemu_qmp_open(struct qemu_qmp *qmp, struct qemu_stage *stage, const char *party,
		   const char *path);

/* Execute the command that @format makes, JSON with an "execute". Returns its answer's line, which
 * lasts until the next call; one that is an error fails the stage. */
const char *qemu_qmp_execute(struct qemu_qmp *qmp, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Return the number that follows the first @key (with its quotes) in an answer; -1 without it. */
long qemu_qmp_number(const char *answer, const char *key);

#endif
