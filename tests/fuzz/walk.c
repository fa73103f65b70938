/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz the walk: any bytes in any layout, and what is said of them.
 *
 * The input: layout, flags (1 big endian, 2 packed ring, 4 postcopy), device, how many bytes more
 * were sent than captured; the rest is the payload.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/text.h"
#include "tests/fuzz/lib/fuzz.h"

#define HEAD 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhu_context context = {0};
	struct vhu_payload payload;
	const struct vhu_layout *layout;
	struct vhu_walk walk;
	struct vhu_item item;
	uint8_t *exact;
	char text[64];
	int depth = 0;

	if (size < HEAD)
		return 0;
	/* In a block of its own, so that a byte too far is seen. */
	exact = malloc(size - HEAD ? size - HEAD : 1);
	if (!exact)
		return 0;
	memcpy(exact, data + HEAD, size - HEAD);
	payload = (struct vhu_payload){
	    .bytes = exact,
	    .captured = (uint32_t)(size - HEAD),
	    .size = (uint32_t)(size - HEAD) + data[3],
	    .big_endian = data[1] & 1,
	};
	context.has_features = data[1] & 2;
	context.features = UINT64_C(1) << VHU_F_RING_PACKED;
	context.postcopy = data[1] & 4;
	context.device = data[2];
	layout = &vhu_layouts[data[0] % VHU_LAYOUTS];
	vhu_walk_start(&walk, layout, &payload, &context);
	while (vhu_walk_next(&walk, &item)) {
		depth += (item.what == VHU_ITEM_OPEN) - (item.what == VHU_ITEM_CLOSE);
		must(depth >= 0);
		if (item.what == VHU_ITEM_VALUE)
			vhu_value_text(&item, &context, text, sizeof(text));
	}
	must(depth == 0);
	vhu_brief_text(layout, &payload, &context, text, sizeof(text));
	for (unsigned m = data[0]; m < VHU_MESSAGES; m += 64)
		vhu_message_layout(&vhu_messages[m], data[1] & 8, &context, &payload);
	free(exact);
	return 0;
}
