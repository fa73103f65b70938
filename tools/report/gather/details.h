/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that there is to say of each record, in packed blocks: a page has them for a click, and
 * unpacks the one block that it needs.
 *
 * Ownership: a struct vhu_details starts as all zero; vhu_details_free frees what it holds.
 */
#ifndef VHU_TOOLS_REPORT_DETAILS_H
#define VHU_TOOLS_REPORT_DETAILS_H

#include <stdio.h>

#include "lib/session/session.h"

/* Records of a block; each ends with a NUL. */
#define VHU_DETAILS_BLOCK 256

struct vhu_details {
	char **block; /* packed */
	uint32_t blocks, room;
	/* The block that grows. */
	FILE *to;
	char *text;
	size_t size;
	unsigned records;
};

/* Add the fields and the bytes of a record. Returns 0 or -ENOMEM. */
int vhu_details_add(struct vhu_details *details, const struct vhu_record *record, uint64_t number,
		    const struct vhu_annotation *note);

/* Pack the last block. Returns 0 or -ENOMEM. */
int vhu_details_end(struct vhu_details *details);

/* Free what @details holds. */
void vhu_details_free(struct vhu_details *details);

#endif
