/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time in nanoseconds. */
#ifndef VHU_SAMPLES_COMMON_CLOCK_H
#define VHU_SAMPLES_COMMON_CLOCK_H

#include <stdint.h>

#define VHU_CLOCK_SECOND UINT64_C(1000000000)
/* A moment that never comes. */
#define VHU_CLOCK_NEVER  UINT64_MAX

/* Return the time that has passed since some moment before the program began. */
uint64_t vhu_clock_now(void);

/*
 * Read a span of time: a number, with a fraction or without, and s, ms, us or ns.
 * Returns 0 or -EINVAL.
 */
int vhu_clock_parse(const char *text, uint64_t *span);

#endif
