/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow by one element at a time. */
#include "lib/util/array.h"

#include <stdlib.h>

void *vhu_array_more(void *array, unsigned *count, size_t size)
{
	unsigned had = *count;

	/* Its room is the next power of two. */
	if (!(had & (had - 1)) && !(had == 0 && array))
		array = realloc(array, size * (had ? 2 * (size_t)had : 1));
	*count += array != NULL;
	return array;
}
