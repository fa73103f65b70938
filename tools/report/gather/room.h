/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow. */
#ifndef VHU_TOOLS_REPORT_GATHER_ROOM_H
#define VHU_TOOLS_REPORT_GATHER_ROOM_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Make room for one more element of @size bytes in *@array, a pointer to such, which has @count of
 * *@room. Returns 0 or -ENOMEM. */
static inline int vhu_report_room(void *array, uint32_t count, uint32_t *room, size_t size)
{
	void **at = array;
	uint32_t wanted = *room ? *room * 2 : 8;
	void *grown;

	if (count < *room)
		return 0;
	grown = wanted > *room ? realloc(*at, wanted * size) : NULL;
	if (!grown)
		return -ENOMEM;
	*at = grown;
	*room = wanted;
	return 0;
}

#endif
