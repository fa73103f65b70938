/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow by one element at a time. */
#ifndef VHU_UTIL_ARRAY_H
#define VHU_UTIL_ARRAY_H

#include <stddef.h>

/* Make room for one element more in an array, and count it. @size: of an element. Returns the
 * array, to be freed by free; NULL out of memory: the old one is as it was. */
void *vhu_array_more(void *array, unsigned *count, size_t size);

#endif
