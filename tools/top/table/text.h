/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and foreign texts as they fit on the screen of vhu top. */
#ifndef VHU_TOOLS_TOP_TABLE_TEXT_H
#define VHU_TOOLS_TOP_TABLE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* The most columns that a number takes, and room for it. */
#define VHU_TOP_NUMBER_WIDTH 5
#define VHU_TOP_NUMBER_SIZE  8

/* Write an amount: "0", "0.4", "950", "12.3k", "1.23M". Returns @to. */
const char *vhu_top_amount_text(double amount, char to[VHU_TOP_NUMBER_SIZE]);

/* Write a length of time: "850ns", "12us", "1.2ms", "340ms", "1.2s", "12min", "3h", "400d". Returns
 * @to. */
const char *vhu_top_time_text(uint64_t ns, char to[VHU_TOP_NUMBER_SIZE]);

/* Write a text that a peer brings with printable ASCII alone, cut to @size - 1 columns: the
 * terminal acts on nothing of it. Returns @to. */
const char *vhu_top_plain(const char *text, char *to, size_t size);

#endif
