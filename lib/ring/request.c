/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a vring's requests are. */
#include "lib/ring/request.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "lib/protocol/field.h"
#include "lib/protocol/line.h"
#include "lib/protocol/text.h"

/* Bytes of a network header without its last field, which legacy drivers do not have. */
#define LEGACY_NET_HEADER 10

/* Return whether a network vring is the control queue, as far as its index says. With MQ it is
 * behind all pairs, whose number is not known here. */
static bool is_net_control(uint64_t features, unsigned vring)
{
	return features >> VIRTIO_NET_F_CTRL_VQ & 1 && !(features >> VIRTIO_NET_F_MQ & 1) &&
	       vring == 2;
}

/* "Virtqueues" of each device type in the virtio specification. */
enum vhu_ring_role vhu_ring_role(uint32_t device, uint64_t features, unsigned vring)
{
	bool input;

	switch (device) {
	case 0:
		return VHU_RING_ROLE_UNKNOWN;
	case VIRTIO_ID_NET:
		input = vring % 2 == 0 && !is_net_control(features, vring);
		break;
	case VIRTIO_ID_CONSOLE:
		input = vring % 2 == 0; /* receiveq(n), control receiveq */
		break;
	case VIRTIO_ID_BALLOON:
		input = vring == 2; /* statsq */
		break;
	case VIRTIO_ID_SCSI:
	case VIRTIO_ID_IOMMU:
	case VIRTIO_ID_GPIO:
		input = vring == 1; /* eventq */
		break;
	case VIRTIO_ID_INPUT:
		input = vring == 0; /* eventq */
		break;
	case VIRTIO_ID_VSOCK:
		input = vring == 0 || vring == 2; /* rx, event */
		break;
	case VIRTIO_ID_SOUND:
		input = vring == 1 || vring == 3; /* eventq, rxq */
		break;
	case VIRTIO_ID_BT:
		input = vring == 1; /* rx */
		break;
	case VIRTIO_ID_SCMI:
	case VIRTIO_ID_CAN:
		input = vring == 1; /* eventq, rxq */
		break;
	default:
		input = false;
	}
	return input ? VHU_RING_INPUT : VHU_RING_REQUESTS;
}

/* Return the layout of the header of a vring's requests, or NULL. */
static const struct vhu_layout *layout_of(const struct vhu_context *context, unsigned vring)
{
	/* The control and event queues of a SCSI host carry other things. */
	if (context->device == VIRTIO_ID_SCSI && vring < 2)
		return NULL;
	if (context->device == VIRTIO_ID_NET && is_net_control(context->features, vring))
		return NULL;
	return vhu_request_layout(context->device);
}

/* Return how many bytes of a header there are at most. */
static uint32_t header_size(const struct vhu_layout *layout, const struct vhu_context *context)
{
	const uint64_t modern = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1)
									<< VIRTIO_NET_F_MRG_RXBUF;

	if (context->device == VIRTIO_ID_NET && !(context->features & modern))
		return LEGACY_NET_HEADER;
	return layout->size < VHU_RING_HEADER_MAX ? layout->size : VHU_RING_HEADER_MAX;
}

int vhu_ring_request_read(const struct vhu_ring_memory *memory,
			  const struct vhu_ring_snapshot *snapshot,
			  const struct vhu_ring_chain *chain, const struct vhu_context *context,
			  unsigned vring, struct vhu_ring_request *request)
{
	const struct vhu_layout *layout = layout_of(context, vring);
	uint32_t most, size, have = 0;
	int error;

	if (!layout)
		return -ENOENT;
	most = header_size(layout, context);
	/* A driver may cut the header into several buffers. */
	for (uint32_t i = 0; i < chain->buffers && i < VHU_RING_BUFFERS_MAX && have < most; i++) {
		const struct vhu_ring_buffer *buffer = &chain->buffer[i];

		if (buffer->flags & VRING_DESC_F_WRITE)
			break;
		size = buffer->size < most - have ? buffer->size : most - have;
		error = vhu_ring_memory_read(memory, snapshot->buffer_space, buffer->address,
					     request->bytes + have, size);
		if (error)
			return error;
		have += size;
	}
	if (have == 0)
		return -ENOENT;
	request->layout = layout;
	request->size = have;
	return 0;
}

int vhu_ring_request_text(const struct vhu_ring_request *request, const struct vhu_context *context,
			  char *to, size_t size)
{
	const struct vhu_payload payload = {
	    .bytes = request->bytes, .captured = request->size, .size = request->size};
	struct vhu_line line = vhu_line_in(to, size);
	const char *between = ": ";
	struct vhu_walk walk;
	struct vhu_item item;
	char value[96];

	vhu_line_add(&line, request->layout->title);
	vhu_walk_start(&walk, request->layout, &payload, context);
	while (vhu_walk_next(&walk, &item)) {
		if (item.what != VHU_ITEM_VALUE || item.field->kind == VHU_PADDING)
			continue;
		vhu_value_text(&item, context, value, sizeof(value));
		vhu_line_printf(&line, "%s%s %s", between, vhu_field_key(item.field), value);
		between = ", ";
	}
	return (int)line.length;
}
