/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's qtest protocol: the registers and the memory of a guest that runs no code of ours. */
#include "tests/e2e/qemu/driver/qtest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void qemu_qtest_open(struct qemu_qtest *qtest, struct qemu_stage *stage, const char *party, int fd)
{
	qtest->stage = stage;
	qtest->party = party;
	qtest->fd = fd;
	qtest->filled = 0;
}

/* Send @size bytes of @text. */
static void send_all(struct qemu_qtest *qtest, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t sent = write(qtest->fd, text, size);

		if (sent < 0)
			qemu_stage_fail(qtest->stage, "qtest: %s", strerror(errno));
		text += sent;
		size -= (size_t)sent;
	}
}

/* Read the next line into qtest->line, ended by a zero; return how many bytes it takes there. */
static size_t read_line(struct qemu_qtest *qtest)
{
	char *end;

	while ((end = memchr(qtest->line, '\n', qtest->filled)) == NULL) {
		ssize_t got;

		qemu_stage_readable(qtest->stage, qtest->party, qtest->fd);
		got = read(qtest->fd, qtest->line + qtest->filled,
			   sizeof(qtest->line) - qtest->filled);
		if (got <= 0)
			qemu_stage_fail(qtest->stage, "qtest: QEMU closed the connection");
		qtest->filled += (size_t)got;
	}
	*end = '\0';
	return (size_t)(end + 1 - qtest->line);
}

/* Copy the answer's value (what follows "OK") to @value, @size bytes with the ending zero. */
static void read_answer(struct qemu_qtest *qtest, char *value, size_t size)
{
	size_t taken = read_line(qtest);

	if (strncmp(qtest->line, "OK", 2) != 0)
		qemu_stage_fail(qtest->stage, "qtest: QEMU answered %s", qtest->line);
	snprintf(value, size, "%s", qtest->line + strspn(qtest->line, "OK "));
	qtest->filled -= taken;
	memmove(qtest->line, qtest->line + taken, qtest->filled);
}

void qemu_qtest_writel(struct qemu_qtest *qtest, uint64_t address, uint32_t value)
{
	char text[64], answer[4];

	snprintf(text, sizeof(text), "writel 0x%" PRIx64 " 0x%" PRIx32 "\n", address, value);
	send_all(qtest, text, strlen(text));
	read_answer(qtest, answer, sizeof(answer));
}

uint32_t qemu_qtest_readl(struct qemu_qtest *qtest, uint64_t address)
{
	char text[64], answer[32];

	snprintf(text, sizeof(text), "readl 0x%" PRIx64 "\n", address);
	send_all(qtest, text, strlen(text));
	read_answer(qtest, answer, sizeof(answer));
	return (uint32_t)strtoull(answer, NULL, 16);
}

void qemu_qtest_write(struct qemu_qtest *qtest, uint64_t address, const void *from, size_t size)
{
	char text[64 + 2 * QEMU_QTEST_BYTES_MAX], answer[4];
	const uint8_t *byte = from;
	size_t used;

	if (size > QEMU_QTEST_BYTES_MAX)
		qemu_stage_fail(qtest->stage, "qtest: %zu bytes at once", size);
	used = (size_t)snprintf(text, sizeof(text), "write 0x%" PRIx64 " 0x%zx 0x", address, size);
	for (size_t i = 0; i < size; i++, used += 2)
		snprintf(text + used, 3, "%02x", byte[i]);
	text[used++] = '\n';
	send_all(qtest, text, used);
	read_answer(qtest, answer, sizeof(answer));
}

void qemu_qtest_fill(struct qemu_qtest *qtest, uint64_t address, uint64_t size, uint8_t value)
{
	char text[96], answer[4];

	snprintf(text, sizeof(text), "memset 0x%" PRIx64 " 0x%" PRIx64 " 0x%02x\n", address, size,
		 value);
	send_all(qtest, text, strlen(text));
	read_answer(qtest, answer, sizeof(answer));
}

void qemu_qtest_read(struct qemu_qtest *qtest, uint64_t address, void *to, size_t size)
{
	char text[64], answer[8 + 2 * QEMU_QTEST_BYTES_MAX];
	uint8_t *byte = to;

	if (size > QEMU_QTEST_BYTES_MAX)
		qemu_stage_fail(qtest->stage, "qtest: %zu bytes at once", size);
	snprintf(text, sizeof(text), "read 0x%" PRIx64 " 0x%zx\n", address, size);
	send_all(qtest, text, strlen(text));
	read_answer(qtest, answer, sizeof(answer));
	if (strlen(answer) != 2 + 2 * size)
		qemu_stage_fail(qtest->stage, "qtest: %zu bytes asked for, got %s", size, answer);
	for (size_t i = 0; i < size; i++) {
		char digits[3] = {answer[2 + 2 * i], answer[3 + 2 * i], '\0'};

		byte[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}
