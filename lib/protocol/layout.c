/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a message's layouts its payload has. */
#include "lib/protocol/field.h"

/* Return whether protocol feature @bit is negotiated; *@known says whether that is known. */
static bool negotiated(const struct vhu_context *context, unsigned bit, bool *known)
{
	*known = context->has_protocol_features;
	return *known && (context->protocol_features >> bit & 1);
}

/* Return whether a payload of unknown memory layout can only be one with Xen's longer regions. */
static bool looks_xen(const struct vhu_layout *layout, const struct vhu_payload *payload)
{
	const struct vhu_field *last = &vhu_fields[layout->first + layout->fields - 1];
	uint64_t count;

	if (last->kind != VHU_ARRAY)
		return payload->size == layout->size;
	return vhu_field_read(payload, last->counted_by, 0, &count) && count > 0 &&
	       payload->size == last->offset + count * last->size;
}

/* Return whether a shape's condition holds. */
static bool shape_fits(const struct vhu_shape *shape, const struct vhu_context *context,
		       const struct vhu_payload *payload)
{
	const struct vhu_layout *layout = &vhu_layouts[shape->layout];
	bool known, has;

	switch (shape->when) {
	case VHU_ALWAYS:
		return true;
	case VHU_IF_SIZE:
		return payload->size == layout->size;
	case VHU_IF_XEN:
		has = negotiated(context, VHU_PF_XEN_MMAP, &known);
		return known ? has : looks_xen(layout, payload);
	case VHU_IF_PACKED:
		return context->has_features && (context->features >> VHU_F_RING_PACKED & 1);
	case VHU_IF_POSTCOPY:
		return context->postcopy && payload->size == layout->size;
	case VHU_IF_LOG_SHMFD:
		has = negotiated(context, VHU_PF_LOG_SHMFD, &known);
		return known ? has : payload->size >= layout->size;
	case VHU_IF_ASYM: {
		uint64_t operation;

		return vhu_field_read(payload, layout->first, 0, &operation) &&
		       operation >> 8 == VHU_CRYPTO_SERVICE_AKCIPHER;
	}
	}
	return false;
}

const struct vhu_layout *vhu_message_layout(const struct vhu_message *message, bool reply,
					    const struct vhu_context *context,
					    const struct vhu_payload *payload)
{
	const struct vhu_shapes *shapes = &vhu_shapes[message->shape[reply]];

	for (unsigned i = 0; i + 1 < shapes->shapes; i++)
		if (shape_fits(&shapes->shape[i], context, payload))
			return &vhu_layouts[shapes->shape[i].layout];
	return &vhu_layouts[shapes->shape[shapes->shapes - 1].layout];
}
