/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about configuration, device state, postcopy, the IOTLB, the status, requests of back-ends.
 */
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "lib/session/internal.h"

#define MTU_MIN       68
#define MTU_MAX       65535
/* Where the configuration space begins in virtio-mmio's registers. */
#define MMIO_CONFIG   0x100
#define HOST_PAGE_MIN 4096

/* The types of IOTLB messages, "An IOTLB message". */
enum { IOTLB_MISS = 1, IOTLB_UPDATE, IOTLB_INVALIDATE, IOTLB_ACCESS_FAIL };
#define IOTLB_READ_WRITE 3

/* Look at a part of the configuration space that is asked for or set. */
static void check_config(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const char *name = look->note->message->name;
	uint64_t offset = vhu_get(look, VHU_FIELD_config_offset);
	uint64_t size = vhu_get(look, VHU_FIELD_config_size);
	uint64_t flags = vhu_get(look, VHU_FIELD_config_flags);

	if (offset == MMIO_CONFIG && size <= 8)
		vhu_report(look, VHU_RULE_AT_603, 0,
			   "%s of %" PRIu64 " bytes at offset 0x%" PRIx64
			   ": configuration begins at 0 here, at 0x100 in the registers of "
			   "virtio-mmio",
			   name, size, offset);
	if (state->specs.config_size_by && offset + size > state->specs.config_size)
		vhu_report(look, VHU_RULE_AT_604, state->specs.config_size_by,
			   "%s of %" PRIu64 " bytes at %" PRIu64
			   ", and the configuration space was told to have %" PRIu32,
			   name, size, offset, state->specs.config_size);
	if (flags > 1)
		vhu_report(look, VHU_RULE_AT_605, 0, "%s has flags 0x%" PRIx64 ", neither 0 nor 1",
			   name, flags);
	else if (flags == 1 && !(state->context.features >> VHU_F_LOG_ALL & 1) &&
		 !state->context.postcopy && !state->log_by &&
		 vhu_report_first(look, VHU_RULE_AT_606))
		vhu_report(look, VHU_RULE_AT_606, 0,
			   "%s has flags 1, live migration, and none is under way; writable "
			   "fields are 0",
			   name);
}

/* Look at configuration that is given. */
static void check_config_reply(struct vhu_look *look)
{
	uint64_t offset = vhu_get(look, VHU_FIELD_config_offset);
	uint64_t size = vhu_get(look, VHU_FIELD_config_size);

	if (!look->request.number)
		return;
	if (look->note->payload.size == 0) {
		vhu_report(look, VHU_RULE_AT_602, look->request.number,
			   "%" PRIu32 " bytes of configuration at %" PRIu32 " were refused",
			   look->request.first[1], look->request.first[0]);
		return;
	}
	if (offset != look->request.first[0] || size != look->request.first[1])
		vhu_report(look, VHU_RULE_AT_601, look->request.number,
			   "asked for %" PRIu32 " bytes at %" PRIu32 ", answered with %" PRIu64
			   " at %" PRIu64,
			   look->request.first[1], look->request.first[0], size, offset);
}

/* Look at the transfer of a device's state. */
static void check_state(struct vhu_look *look)
{
	unsigned running = vhu_state_running(look->state);

	if (!look->note->reply) {
		if (running)
			vhu_report(look, VHU_RULE_AT_607, 0,
				   "%s while %u vring%s: the state still changes",
				   look->note->message->name, running,
				   running > 1 ? "s run" : " runs");
		return;
	}
	if (vhu_get(look, VHU_FIELD_device_state_reply_error) && look->record->fds)
		vhu_report(look, VHU_RULE_AT_608, look->request.number,
			   "the reply to %s has error %" PRIu64 " and a descriptor",
			   look->note->message->name,
			   vhu_get(look, VHU_FIELD_device_state_reply_error));
}

/* Look at an IOTLB message of either side. */
static void check_iotlb(struct vhu_look *look)
{
	uint64_t type = vhu_get(look, VHU_FIELD_iotlb_type);
	uint64_t permission = vhu_get(look, VHU_FIELD_iotlb_permission);
	uint64_t address = vhu_get(look, VHU_FIELD_iotlb_user_address);
	uint64_t size = vhu_get(look, VHU_FIELD_iotlb_size);
	bool from_front_end = look->record->channel == VHU_FRONT_END;
	const struct vhu_name *name = vhu_name_find(VHU_NAMES_iotlb_type, type, NULL);
	const char *type_name = name ? name->name : "message";

	if (type < IOTLB_MISS || type > IOTLB_ACCESS_FAIL)
		vhu_report(look, VHU_RULE_AT_610, 0,
			   "%s has type %" PRIu64 ", which does not exist",
			   look->note->message->name, type);
	else if (from_front_end != (type == IOTLB_UPDATE || type == IOTLB_INVALIDATE))
		vhu_report(look, VHU_RULE_AT_610, 0, "%s is a%s %s, which the %s does not send",
			   look->note->message->name, strchr("aeiou", type_name[0]) ? "n" : "",
			   type_name, from_front_end ? "front-end" : "back-end");
	else if (permission > IOTLB_READ_WRITE)
		vhu_report(look, VHU_RULE_AT_610, 0,
			   "%s has permission %" PRIu64 ", which does not exist",
			   look->note->message->name, permission);
	else if (type == IOTLB_UPDATE && look->state->regions &&
		 vhu_state_region(look->state, address, size, false) < 0)
		vhu_report(look, VHU_RULE_AT_611, look->state->memory_by,
			   "an update to 0x%" PRIx64 " bytes at 0x%" PRIx64
			   ", which lie in no memory region; %u %s known",
			   size, address, look->state->regions,
			   look->state->regions == 1 ? "is" : "are");
}

/* Look at a device status that is set. */
static void check_status(struct vhu_look *look)
{
	uint64_t status = vhu_get(look, look->note->layout->first);
	unsigned running = vhu_state_running(look->state);

	if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && !(status & VIRTIO_CONFIG_S_FEATURES_OK))
		vhu_report(look, VHU_RULE_AT_614, 0,
			   "status 0x%" PRIx64 " has DRIVER_OK without FEATURES_OK", status);
	if (status == 0 && running)
		vhu_report(look, VHU_RULE_AT_615, 0, "status 0 while %u vring%s", running,
			   running > 1 ? "s run" : " runs");
}

/* Look at the order of postcopy. */
static void check_postcopy(struct vhu_look *look)
{
	switch (vhu_look_at(look)) {
	case VHU_REQUEST(POSTCOPY_LISTEN):
		if (look->whole && !look->state->postcopy_advised_by)
			vhu_report(look, VHU_RULE_AT_609, 0, "%s before %s",
				   look->note->message->name,
				   vhu_messages[VHU_MSG_POSTCOPY_ADVISE].name);
		break;
	case VHU_REQUEST(POSTCOPY_END):
		if (look->whole && !look->state->context.postcopy)
			vhu_report(look, VHU_RULE_AT_609, 0, "%s before %s",
				   look->note->message->name,
				   vhu_messages[VHU_MSG_POSTCOPY_LISTEN].name);
		break;
	}
}

/* Look at a request of the back-end. */
static void check_backend_request(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	const struct vhu_message *message = look->note->message;
	uint64_t index = vhu_get(look, VHU_FIELD_vring_area_index);
	uint64_t size = vhu_get(look, VHU_FIELD_vring_area_size);

	/* What both sides send at once may pass in any order. */
	if (look->whole && state->first_kick_ns && !vhu_state_running(state) &&
	    look->record->time_ns - state->stopped_ns > VHU_MOMENT_NS &&
	    vhu_report_first(look, VHU_RULE_AT_322))
		vhu_report(look, VHU_RULE_AT_322, state->stopped_by,
			   "%s while every vring is stopped, since %" PRIu64 " ms", message->name,
			   (look->record->time_ns - state->stopped_ns) / 1000000);
	if (message->id != VHU_MSG_BACKEND_VRING_HOST_NOTIFIER_MSG ||
	    look->note->payload.captured < 24)
		return;
	if (index >= vhu_look_vring_limit(look))
		vhu_report(look, VHU_RULE_AT_619, state->queue_num_by,
			   "a host notifier for vring %" PRIu64 "; there are %" PRIu64
			   " at the most",
			   index, vhu_look_vring_limit(look));
	if (!vhu_get(look, VHU_FIELD_vring_area_nofd) &&
	    (size < HOST_PAGE_MIN || (size & (size - 1))))
		vhu_report(look, VHU_RULE_AT_619, 0,
			   "the host notifier of vring %" PRIu64 " has 0x%" PRIx64
			   " bytes, which are no page",
			   index, size);
}

void vhu_check_device(struct vhu_look *look)
{
	uint64_t value;

	value = look->note->layout->fields ? vhu_get(look, look->note->layout->first) : 0;
	check_postcopy(look);
	if (look->record->channel == VHU_BACK_END && !look->note->reply)
		check_backend_request(look);
	switch (vhu_look_at(look)) {
	case VHU_REQUEST(GET_CONFIG):
	case VHU_REQUEST(SET_CONFIG):
		check_config(look);
		break;
	case VHU_REPLY_TO(GET_CONFIG):
		check_config_reply(look);
		break;
	case VHU_REQUEST(SET_DEVICE_STATE_FD):
	case VHU_REPLY_TO(SET_DEVICE_STATE_FD):
		check_state(look);
		break;
	case VHU_REQUEST(IOTLB_MSG):
	case VHU_REQUEST(BACKEND_IOTLB_MSG):
		check_iotlb(look);
		break;
	case VHU_REQUEST(SET_STATUS):
		check_status(look);
		break;
	case VHU_REQUEST(SET_VRING_ENDIAN):
		if (vhu_get(look, VHU_FIELD_vring_endian_endian) > 1)
			vhu_report(look, VHU_RULE_AT_617, 0,
				   "vring %d gets byte order %" PRIu64 ", neither 0 nor 1",
				   look->note->vring, vhu_get(look, VHU_FIELD_vring_endian_endian));
		break;
	case VHU_REQUEST(NET_SET_MTU):
		if (value < MTU_MIN || value > MTU_MAX)
			vhu_report(look, VHU_RULE_AT_618, 0, "the MTU is %" PRIu64 ", not %d to %d",
				   value, MTU_MIN, MTU_MAX);
		break;
	}
}
