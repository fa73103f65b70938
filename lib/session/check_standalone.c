/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules about back-ends that are whole devices: the STANDALONE proposal and the single questions of
 * its second version. docs/standalone.md tells the story.
 */
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "lib/session/internal.h"

/* Where a device's own configuration tells how many request queues there are, and how many queues
 * there are besides and for each of them. */
static const struct {
	uint32_t device;
	enum vhu_field_id field;
	unsigned each, besides;
} queues_told[] = {
	{VIRTIO_ID_NET, VHU_FIELD_config_net_max_virtqueue_pairs, 2, 1},
	{VIRTIO_ID_BLOCK, VHU_FIELD_config_blk_num_queues, 1, 0},
	{VIRTIO_ID_CONSOLE, VHU_FIELD_config_console_max_nr_ports, 2, 2},
	{VIRTIO_ID_SCSI, VHU_FIELD_config_scsi_num_queues, 1, 2},
	{VIRTIO_ID_CRYPTO, VHU_FIELD_config_crypto_max_dataqueues, 1, 1},
	{VIRTIO_ID_FS, VHU_FIELD_config_fs_num_request_queues, 1, 1},
};

/* Return whether this session speaks STANDALONE or PROBE for certain. */
static bool is_proposal(const struct vhu_look *look)
{
	return look->state->dialect_is_sure && (look->note->context.dialect == VHU_STANDALONE ||
						look->note->context.dialect == VHU_PROBE);
}

/* Look at the specifications by themselves and at what was negotiated for them. */
static void check_specs(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t device = vhu_get(look, VHU_FIELD_backend_specs_device_id);
	uint64_t config_size = vhu_get(look, VHU_FIELD_backend_specs_config_size);
	uint64_t min = vhu_get(look, VHU_FIELD_backend_specs_min_vqs);
	uint64_t max = vhu_get(look, VHU_FIELD_backend_specs_max_vqs);
	bool known = state->context.has_protocol_features;
	bool config = vhu_taken(look, VHU_PF_CONFIG);

	if (look->note->payload.captured < look->note->layout->size)
		return;
	if (known && !vhu_taken(look, VHU_PF_STANDALONE))
		vhu_report(look, VHU_RULE_AT_704, look->request.number,
			   "%s, and STANDALONE was not negotiated", look->note->message->name);
	if (known && vhu_taken(look, VHU_PF_STANDALONE) && !vhu_taken(look, VHU_PF_STATUS))
		vhu_report(look, VHU_RULE_AT_701, state->protocol_features.taken_by,
			   "STANDALONE was taken without STATUS");
	if (known && config_size && !config)
		vhu_report(look, VHU_RULE_AT_702, state->protocol_features.taken_by,
			   "the configuration space has %" PRIu64 " bytes and CONFIG was not negotiated",
			   config_size);
	if (known && !config_size && config)
		vhu_report(look, VHU_RULE_AT_703, state->protocol_features.taken_by,
			   "CONFIG was negotiated and the configuration space has 0 bytes");
	if (max < min)
		vhu_report(look, VHU_RULE_AT_705, 0, "max vqs %" PRIu64 " is below min vqs %" PRIu64, max,
			   min);
	if (!vhu_device_name((uint32_t)device))
		vhu_report(look, VHU_RULE_AT_706, 0, "device id %" PRIu64 " is no virtio device's",
			   device);
	if (state->queue_num_by && state->queue_num != max)
		vhu_report(look, VHU_RULE_AT_707, state->queue_num_by,
			   "max vqs is %" PRIu64 ", and the number of queues was told as %" PRIu32, max,
			   state->queue_num);
}

/* Look at a number of queues that is told after the specifications were. */
static void check_queue_num(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t queues = vhu_get(look, look->note->layout->first);

	if (state->specs.max_vqs_by && queues != state->specs.max_vqs)
		vhu_report(look, VHU_RULE_AT_707, state->specs.max_vqs_by,
			   "the number of queues is %" PRIu64 ", and max vqs was told as %" PRIu32, queues,
			   state->specs.max_vqs);
	else if (!state->specs.max_vqs_by && state->specs.min_vqs_by &&
		 queues < state->specs.min_vqs)
		vhu_report(look, VHU_RULE_AT_707, state->specs.min_vqs_by,
			   "the number of queues is %" PRIu64 ", below the minimum of %" PRIu32, queues,
			   state->specs.min_vqs);
}

/* Look at a minimum that is told after the number of queues was. */
static void check_min_vqs(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t min = vhu_get(look, look->note->layout->first);

	if (state->queue_num_by && min > state->queue_num)
		vhu_report(look, VHU_RULE_AT_707, state->queue_num_by,
			   "the minimum is %" PRIu64 ", above the number of queues %" PRIu32, min,
			   state->queue_num);
}

/* Look at the number of queues that the configuration space tells. */
static void check_config_queues(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t offset = vhu_get(look, VHU_FIELD_config_offset), told;
	const uint32_t from = vhu_fields[VHU_FIELD_config_space].offset;

	if (!state->specs.max_vqs_by || offset)
		return;
	for (unsigned i = 0; i < sizeof(queues_told) / sizeof(queues_told[0]); i++) {
		if (queues_told[i].device != state->specs.device_id ||
		    !vhu_field_read(&look->note->payload, queues_told[i].field, from, &told) || !told)
			continue;
		told = told * queues_told[i].each + queues_told[i].besides;
		if (told < state->specs.min_vqs || told > state->specs.max_vqs)
			vhu_report(look, VHU_RULE_AT_709, state->specs.max_vqs_by,
				   "the configuration space tells %" PRIu64 " queues, the back-end %" PRIu32
				   " to %" PRIu32,
				   told, state->specs.min_vqs, state->specs.max_vqs);
	}
}

/* Look at the size of configuration that is given. */
static void check_config_size(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t size = vhu_get(look, VHU_FIELD_config_size);

	if (state->specs.config_size_by && look->request.number &&
	    look->request.first[0] == 0 && look->request.first[1] == state->specs.config_size &&
	    size != state->specs.config_size)
		vhu_report(look, VHU_RULE_AT_708, state->specs.config_size_by,
			   "the configuration has %" PRIu64 " bytes, %" PRIu32 " were told", size,
			   state->specs.config_size);
	check_config_queues(look);
}

/* Look at the rings in use. */
static void check_rings(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	unsigned enabled = 0;

	for (unsigned i = 0; i < state->vrings; i++)
		enabled += state->vring[i].enabled;
	if (vhu_look_at(look) == VHU_REQUEST(SET_STATUS)) {
		uint64_t status = vhu_get(look, look->note->layout->first);

		if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && state->specs.min_vqs_by &&
		    state->vrings && enabled < state->specs.min_vqs)
			vhu_report(look, VHU_RULE_AT_710, state->specs.min_vqs_by,
				   "DRIVER_OK with %u vrings enabled; the device needs %" PRIu32, enabled,
				   state->specs.min_vqs);
	} else if (state->specs.max_vqs_by && look->note->vring >= 0 &&
		   (uint32_t)look->note->vring >= state->specs.max_vqs) {
		vhu_report(look, VHU_RULE_AT_710, state->specs.max_vqs_by,
			   "vring %d is used; the device has %" PRIu32, look->note->vring,
			   state->specs.max_vqs);
	}
}

void vhu_check_standalone(struct vhu_look *look)
{
	if (!look->note->layout || !is_proposal(look) || look->record->channel == VHU_GPU) {
		/* An id that no dialect sends in this size, or that of another than the session's. */
		return;
	}
	switch (vhu_look_at(look)) {
	case VHU_REPLY_TO(GET_BACKEND_SPECS):
		check_specs(look);
		break;
	case VHU_REPLY_TO(GET_QUEUE_NUM):
		check_queue_num(look);
		break;
	case VHU_REPLY_TO(GET_MIN_VQ):
		check_min_vqs(look);
		break;
	case VHU_REPLY_TO(GET_DEVICE_ID):
		if (!vhu_device_name((uint32_t)vhu_get(look, look->note->layout->first)))
			vhu_report(look, VHU_RULE_AT_706, 0, "device id %" PRIu64 " is no virtio device's",
				   vhu_get(look, look->note->layout->first));
		break;
	case VHU_REPLY_TO(GET_CONFIG):
		check_config_size(look);
		break;
	case VHU_REQUEST(SET_VRING_KICK):
	case VHU_REQUEST(SET_STATUS):
		check_rings(look);
		break;
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_ADD):
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_REMOVE):
	case VHU_REQUEST(BACKEND_SHARED_OBJECT_LOOKUP):
		vhu_report(look, VHU_RULE_AT_206, 0,
			   "%s, in a session of dialect %s: bit 18 is SHARED_OBJECT to the back-end",
			   look->note->message->name, vhu_dialect_name(look->note->context.dialect));
		break;
	}
}
