/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about the device as a whole. */
#include <string.h>

#include "samples/backend/handlers/handlers.h"
#include "samples/backend/session.h"

/* A device with fewer is not one: the minimum of virtqueues that it works with. */
#define QUEUES_MIN 1

/* Tell the virtio features that are offered. */
const char *vhu_get_features(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_message_put(talk->reply, VHU_FIELD_features_features, backend->features);
	return NULL;
}

/* Take the virtio features; enable the vrings if the front-end cannot. */
const char *vhu_set_features(struct vhu_backend *backend, struct vhu_talk *talk)
{
	uint64_t features = vhu_message_get(talk->request, VHU_FIELD_features_features);
	uint64_t changed = features ^ backend->negotiated.features;
	bool enabled = !(features >> VHU_F_PROTOCOL_FEATURES & 1);

	if (features & ~backend->features)
		return "it takes features that were not offered";
	for (unsigned i = 0; i < backend->device->queues; i++) {
		struct vhu_device_vring *ring = &backend->ring[i];

		/* Logging begins and ends while rings run; nothing else changes then. */
		if (ring->started && changed & ~(UINT64_C(1) << VHU_F_LOG_ALL))
			return "features change while a vring is started";
	}
	backend->negotiated.features = features;
	backend->negotiated.has_features = true;
	backend->log.on = features >> VHU_F_LOG_ALL & 1;
	backend->memory.iommu = features >> VHU_F_ACCESS_PLATFORM & 1;
	/* "Ring states": without protocol features the front-end cannot enable them. */
	for (unsigned i = 0; i < backend->device->queues; i++)
		backend->ring[i].enabled |= enabled;
	return NULL;
}

/* Tell the protocol features that are offered. */
const char *vhu_get_protocol_features(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_message_put(talk->reply, VHU_FIELD_protocol_features_protocol_features,
			backend->protocol_features);
	return NULL;
}

/* Take the protocol features. */
const char *vhu_set_protocol_features(struct vhu_backend *backend, struct vhu_talk *talk)
{
	uint64_t features =
	    vhu_message_get(talk->request, VHU_FIELD_protocol_features_protocol_features);

	if (features & ~backend->protocol_features)
		return "it takes features that were not offered";
	/* What was not offered, by --offer, cannot be taken. */
	for (unsigned bit = 0; bit < 64; bit++)
		if (features >> bit & 1 && vhu_protocol_feature_depends(bit, backend->dialect) &
					       ~features & backend->protocol_features)
			return "it takes a feature without another that it depends on";
	backend->negotiated.protocol_features = features;
	backend->negotiated.has_protocol_features = true;
	backend->upcall.acknowledged = features >> VHU_PF_REPLY_ACK & 1;
	return NULL;
}

/* One front-end is served at a time: who is connected owns the session. */
const char *vhu_set_owner(struct vhu_backend *backend, struct vhu_talk *talk)
{
	(void)backend, (void)talk;
	return NULL;
}

/* Deprecated; as recommended, it disables all rings and forgets nothing. */
const char *vhu_reset_owner(struct vhu_backend *backend, struct vhu_talk *talk)
{
	(void)talk;
	for (unsigned i = 0; i < backend->device->queues; i++)
		backend->ring[i].enabled = false;
	return NULL;
}

/* Go back to how everything was before the driver came. */
const char *vhu_reset_device(struct vhu_backend *backend, struct vhu_talk *talk)
{
	(void)talk;
	vhu_backend_reset(backend);
	return NULL;
}

/* Tell how many vrings there are. */
const char *vhu_get_queue_num(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_message_put(talk->reply, VHU_FIELD_queue_num_queue_num, backend->device->queues);
	return NULL;
}

/* Take the socket for requests of our own. */
const char *vhu_set_backend_req_fd(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_upcall_open(&backend->upcall, vhu_message_take(talk->request, 0),
			vhu_backend_has_protocol(backend, VHU_PF_REPLY_ACK));
	return NULL;
}

/* Find the window on the configuration space that a message is about. Returns NULL, or what is
 * wrong with it. */
static const char *config_window(const struct vhu_backend *backend,
				 const struct vhu_message_buf *request, uint32_t *offset,
				 uint32_t *size)
{
	uint32_t whole = backend->device->config_size;

	*offset = (uint32_t)vhu_message_get(request, VHU_FIELD_config_offset);
	*size = (uint32_t)vhu_message_get(request, VHU_FIELD_config_size);
	if (*offset > whole || *size > whole - *offset)
		return "the configuration space is smaller";
	return NULL;
}

/* Tell a part of the configuration space. */
const char *vhu_get_config(struct vhu_backend *backend, struct vhu_talk *talk)
{
	const uint32_t head = vhu_fields[VHU_FIELD_config_space].offset;
	uint32_t offset, size;
	const char *wrong = config_window(backend, talk->request, &offset, &size);

	if (wrong)
		return wrong;
	vhu_message_put(talk->reply, VHU_FIELD_config_offset, offset);
	vhu_message_put(talk->reply, VHU_FIELD_config_size, size);
	vhu_message_put(talk->reply, VHU_FIELD_config_flags,
			vhu_message_get(talk->request, VHU_FIELD_config_flags));
	memcpy(talk->reply->payload + head, backend->device->config + offset, size);
	talk->reply->header.size = head + size;
	return NULL;
}

/* Let the driver, or the one that hands over to us, write to the configuration space. */
const char *vhu_set_config(struct vhu_backend *backend, struct vhu_talk *talk)
{
	const uint32_t head = vhu_fields[VHU_FIELD_config_space].offset;
	uint64_t flags = vhu_message_get(talk->request, VHU_FIELD_config_flags);
	struct vhu_device *device = backend->device;
	uint32_t offset, size;
	const char *wrong = config_window(backend, talk->request, &offset, &size);

	if (wrong)
		return wrong;
	/* 0: the driver writes to fields that it may write; 1: a live migration. */
	if (flags > 1)
		return "its flags mean nothing";
	if (!device->configure ||
	    !device->configure(device, offset, talk->request->payload + head, size, flags == 1))
		return "the driver may not write there";
	return NULL;
}

/* Tell the device status. */
const char *vhu_get_status(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_message_put(talk->reply, VHU_FIELD_status_status, backend->status);
	return NULL;
}

/* Take the device status. */
const char *vhu_set_status(struct vhu_backend *backend, struct vhu_talk *talk)
{
	uint64_t status = vhu_message_get(talk->request, VHU_FIELD_status_status);

	if (status > UINT8_MAX)
		return "a status has 8 bits";
	/*
	 * A status of 0 is the driver's reset. It stops the vrings and no more: a front-end that
	 * pauses or moves its guest says it too, asks only then where the vrings stand
	 * (GET_VRING_BASE), and will not tell again what the driver wrote to the configuration.
	 */
	if (status == 0)
		vhu_backend_stop(backend);
	backend->status = status;
	return NULL;
}

/* Say what the device is (STANDALONE). */
const char *vhu_get_backend_specs(struct vhu_backend *backend, struct vhu_talk *talk)
{
	const struct vhu_device *device = backend->device;
	bool lie = vhu_defect_due(&backend->defects, VHU_DEFECT_MAX_VQS_BELOW_MIN, NULL) != NULL;

	vhu_message_put(talk->reply, VHU_FIELD_backend_specs_device_id, device->id);
	vhu_message_put(talk->reply, VHU_FIELD_backend_specs_config_size, device->config_size);
	vhu_message_put(talk->reply, VHU_FIELD_backend_specs_min_vqs,
			lie ? device->queues + 1 : QUEUES_MIN);
	vhu_message_put(talk->reply, VHU_FIELD_backend_specs_max_vqs, device->queues);
	return NULL;
}

/* Say which device it is (PROBE). */
const char *vhu_get_device_id(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_message_put(talk->reply, VHU_FIELD_device_id_device_id, backend->device->id);
	return NULL;
}

/* Say how large the configuration space is (PROBE). */
const char *vhu_get_config_size(struct vhu_backend *backend, struct vhu_talk *talk)
{
	vhu_message_put(talk->reply, VHU_FIELD_config_size_config_size,
			backend->device->config_size);
	return NULL;
}

/* Say how many vrings the device needs (PROBE). */
const char *vhu_get_min_vq(struct vhu_backend *backend, struct vhu_talk *talk)
{
	bool lie = vhu_defect_due(&backend->defects, VHU_DEFECT_MAX_VQS_BELOW_MIN, NULL) != NULL;

	vhu_message_put(talk->reply, VHU_FIELD_min_vqs_min_vqs,
			lie ? backend->device->queues + 1 : QUEUES_MIN);
	return NULL;
}
