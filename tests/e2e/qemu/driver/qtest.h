/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's qtest protocol: the registers and the memory of a guest that runs no code of ours.
 *
 * Every call waits for QEMU's answer; one that is not "OK" fails the stage.
 */
#ifndef VHU_E2E_QEMU_QTEST_H
#define VHU_E2E_QEMU_QTEST_H

#include <stddef.h>
#include <stdint.h>

#include "tests/e2e/qemu/driver/stage.h"

struct qemu_qtest {
	struct qemu_stage *stage;
	const char *party; /* whose it is */
	int fd;            /* the connection */
	char line[16384];  /* what was read of it and not yet used */
	size_t filled;
};

/* Talk over the connection @fd, which @party made. */
void qemu_qtest_open(struct qemu_qtest *qtest, struct qemu_stage *stage, const char *party, int fd);

/* Write @value to the 32-bit register at @address. */
void qemu_qtest_writel(struct qemu_qtest *qtest, uint64_t address, uint32_t value);

/* Return the value of the 32-bit register at @address. */
uint32_t qemu_qtest_readl(struct qemu_qtest *qtest, uint64_t address);

/* The most bytes of memory that one call moves. */
#define QEMU_QTEST_BYTES_MAX 4096

/* Write @size bytes from @from to guest memory at @address. */
void qemu_qtest_write(struct qemu_qtest *qtest, uint64_t address, const void *from, size_t size);

/* Fill @size bytes of guest memory at @address with @value. */
void qemu_qtest_fill(struct qemu_qtest *qtest, uint64_t address, uint64_t size, uint8_t value);

/* Read @size bytes of guest memory at @address into @to. */
void qemu_qtest_read(struct qemu_qtest *qtest, uint64_t address, void *to, size_t size);

#endif
