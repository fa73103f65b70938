/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of virtio devices and dialects, read. */
#include "lib/cli/device.h"

#include <strings.h>

#include "lib/cli/options.h"
#include "lib/protocol/protocol.h"

uint32_t vhu_device_parse(const char *word)
{
	uint64_t id;

	if (!vhu_number_parse(word, 1, UINT32_MAX, &id))
		return (uint32_t)id;
	for (unsigned i = 0; i < vhu_names_count; i++)
		if (vhu_names[i].set == VHU_NAMES_virtio_device &&
		    !strcasecmp(word, vhu_names[i].name))
			return (uint32_t)vhu_names[i].value;
	return 0;
}

int vhu_dialect_parse(const char *word)
{
	for (int i = VHU_UPSTREAM; i < VHU_DIALECTS; i++)
		if (!strcasecmp(word, vhu_dialect_name((enum vhu_dialect)i)))
			return i;
	return -1;
}
