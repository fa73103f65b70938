/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The examples in hex that the documentation gives. */
#ifndef VHU_TESTS_EXAMPLE_H
#define VHU_TESTS_EXAMPLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Read the bytes of the example @name in @document: of the lines in the block that ```hex NAME
 * opens, what stands before two spaces.
 * @to: @room bytes. Returns how many there are, 0 where there is no such example.
 */
size_t read_example(const char *document, const char *name, uint8_t *to, size_t room);

#endif
