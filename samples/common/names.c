/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names as people write them on command lines. */
#include "samples/common/names.h"

#include <string.h>
#include <strings.h>

bool vhu_names_feature(const char *name, struct vhu_feature_sets *sets)
{
	bool found = false;

	for (unsigned i = 0; i < vhu_names_count; i++) {
		const struct vhu_name *row = &vhu_names[i];
		uint64_t bit;

		if (strcasecmp(row->name, name) || row->value > 63)
			continue;
		bit = UINT64_C(1) << row->value;
		if (row->set == VHU_NAMES_protocol_features)
			sets->protocol |= bit;
		else if (row->set == VHU_NAMES_virtio_features && row->device == 0)
			sets->virtio |= bit;
		else
			continue;
		found = true;
	}
	return found;
}

enum vhu_dialect vhu_names_dialect(const char *name)
{
	int dialect = VHU_PROBE;

	while (dialect > VHU_ANY && strcmp(vhu_dialect_name((enum vhu_dialect)dialect), name))
		dialect--;
	return (enum vhu_dialect)dialect;
}
