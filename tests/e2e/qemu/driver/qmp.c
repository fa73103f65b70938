/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's monitor. */
#include "tests/e2e/qemu/driver/qmp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read the next line into qmp->line, ended by a zero; what is there of the one before is gone. */
static void read_line(struct qemu_qmp *qmp, size_t *used)
{
	char *end;

	qmp->filled -= *used;
	memmove(qmp->line, qmp->line + *used, qmp->filled);
	while ((end = memchr(qmp->line, '\n', qmp->filled)) == NULL) {
		ssize_t got;

		qemu_stage_readable(qmp->stage, qmp->party, qmp->fd);
		got = read(qmp->fd, qmp->line + qmp->filled, sizeof(qmp->line) - qmp->filled);
		if (got <= 0)
			qemu_stage_fail(qmp->stage, "%s closed its monitor", qmp->party);
		qmp->filled += (size_t)got;
	}
	*end = '\0';
	*used = (size_t)(end + 1 - qmp->line);
}

const char *qemu_qmp_execute(struct qemu_qmp *qmp, const char *format, ...)
{
	size_t used = qmp->filled ? strlen(qmp->line) + 1 : 0;
	va_list values;
	char *text;
	int size;

	va_start(values, format);
	size = vasprintf(&text, format, values);
	va_end(values);
	if (size < 0 || write(qmp->fd, text, (size_t)size) != size)
		qemu_stage_fail(qmp->stage, "%s: monitor: %s", qmp->party, strerror(errno));
	/* Events, and at first the greeting, stand before the answer. */
	do
		read_line(qmp, &used);
	while (strncmp(qmp->line, "{\"return\"", 9) != 0 &&
	       strncmp(qmp->line, "{\"error\"", 8) != 0);
	if (qmp->line[2] == 'e')
		qemu_stage_fail(qmp->stage, "%s: %s: %s", qmp->party, text, qmp->line);
	free(text);
	return qmp->line;
}

void qemu_qmp_open(struct qemu_qmp *qmp, struct qemu_stage *stage, const char *party,
		   const char *path)
{
	*qmp = (struct qemu_qmp){
	    .stage = stage, .party = party, .fd = qemu_stage_connect(stage, path)};
	qemu_qmp_execute(qmp, "{\"execute\":\"qmp_capabilities\"}");
}

long qemu_qmp_number(const char *answer, const char *key)
{
	const char *at = strstr(answer, key);

	return at == NULL ? -1
			  : strtol(at + strlen(key) + strspn(at + strlen(key), ": "), NULL, 10);
}
