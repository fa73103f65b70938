/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of time as people write and read them: "500ms", "1.25 s". */
#ifndef VHU_UTIL_DURATION_H
#define VHU_UTIL_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* Room for any duration's text. */
#define VHU_DURATION_TEXT_SIZE 32

/*
 * Read a duration: a number, which may have a fraction, and its unit, ns, us, ms, s, min or h, with
 * or without a space between: "500ms", "1.5 s"; without a unit it is seconds. Digits below a
 * nanosecond are dropped. Returns 0 and *@ns; -EINVAL if @text is not a duration, or is longer than
 * 2^64 ns.
 */
int vhu_duration_parse(const char *text, uint64_t *ns);

/*
 * Write a duration in the unit that reads best, with three digits: "0 ns", "12.3 us", "200 us",
 * "1.00 s"; from 1000 s on as whole seconds. Returns @to.
 */
const char *vhu_duration_text(uint64_t ns, char to[VHU_DURATION_TEXT_SIZE]);

#endif
