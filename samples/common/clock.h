/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spans of time, in nanoseconds. */
#ifndef VHU_SAMPLES_COMMON_CLOCK_H
#define VHU_SAMPLES_COMMON_CLOCK_H

#include <stdint.h>

/* A moment that never comes. */
#define VHU_CLOCK_NEVER UINT64_MAX

/*
 * Read a span of time: a number, with a fraction or without, and s, ms, us or ns.
 * Returns 0 or -EINVAL.
 */
int vhu_clock_parse(const char *text, uint64_t *span);

#endif
