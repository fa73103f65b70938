/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that there is to say of each record. */
#include "tools/report/gather/details.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/show/dump.h"
#include "tools/report/gather/pack.h"

int vhu_details_end(struct vhu_details *details)
{
	char *packed = NULL, **block;

	if (!details->to)
		return 0;
	if (!fclose(details->to))
		packed = vhu_pack(details->text, details->size);
	free(details->text);
	details->to = NULL;
	details->text = NULL;
	details->records = 0;
	if (!packed)
		return -ENOMEM;
	if (details->blocks == details->room) {
		details->room = details->room ? details->room * 2 : 16;
		block = realloc(details->block, details->room * sizeof(*block));
		if (!block) {
			free(packed);
			return -ENOMEM;
		}
		details->block = block;
	}
	details->block[details->blocks++] = packed;
	return 0;
}

int vhu_details_add(struct vhu_details *details, const struct vhu_record *record, uint64_t number,
		    const struct vhu_annotation *note)
{
	struct vhu_dump dump = {.time = VHU_TIME_EPOCH, .fields = true, .bytes = true};

	if (!details->to)
		details->to = open_memstream(&details->text, &details->size);
	if (!details->to)
		return -ENOMEM;
	dump.to = details->to;
	vhu_dump_text(&dump, record, number, note);
	fputc('\0', details->to);
	if (ferror(details->to))
		return -ENOMEM;
	return ++details->records == VHU_DETAILS_BLOCK ? vhu_details_end(details) : 0;
}

void vhu_details_free(struct vhu_details *details)
{
	if (details->to)
		fclose(details->to);
	free(details->text);
	for (uint32_t i = 0; i < details->blocks; i++)
		free(details->block[i]);
	free(details->block);
	*details = (struct vhu_details){0};
}
