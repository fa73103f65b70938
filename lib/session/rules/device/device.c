/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about configuration, the IOTLB, the status, requests of back-ends. */
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"

#define MTU_MIN       68
#define MTU_MAX       65535
/* Where the configuration space begins in virtio-mmio's registers. */
#define MMIO_CONFIG   0x100
#define HOST_PAGE_MIN 4096
/* VHOST_USER_MAX_CONFIG_SIZE */
#define CONFIG_MAX    256

/* The types of IOTLB messages, "An IOTLB message". */
enum { IOTLB_MISS = 1, IOTLB_UPDATE, IOTLB_INVALIDATE, IOTLB_ACCESS_FAIL };
#define IOTLB_READ_WRITE 3

/* Look at a part of the configuration space that is asked for or set. */
static void check_config(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const char *name = check->note->message->name;
	uint64_t offset = vhu_get(check, VHU_FIELD_config_offset);
	uint64_t size = vhu_get(check, VHU_FIELD_config_size);
	uint64_t flags = vhu_get(check, VHU_FIELD_config_flags);

	if (offset == MMIO_CONFIG && size <= 8)
		vhu_report(check, VHU_RULE_AT_603, 0,
			   "%s of %" PRIu64 " bytes at offset 0x%" PRIx64
			   ": configuration begins at 0 here, at 0x100 in the registers of "
			   "virtio-mmio",
			   name, size, offset);
	if (state->spec_config_size.by && offset + size > state->spec_config_size.value)
		vhu_report(check, VHU_RULE_AT_604, state->spec_config_size.by,
			   "%s of %" PRIu64 " bytes at %" PRIu64
			   ", and the reported size of the configuration space is %" PRIu64,
			   name, size, offset, state->spec_config_size.value);
	if (size > CONFIG_MAX && vhu_report_first(check, VHU_RULE_AT_637))
		vhu_report(check, VHU_RULE_AT_637, 0,
			   "%s of %" PRIu64 " bytes; QEMU and libvhost-user have room for %d", name,
			   size, CONFIG_MAX);
	if (flags > 1)
		vhu_report(check, VHU_RULE_AT_605, 0, "%s has flags 0x%" PRIx64 ", neither 0 nor 1",
			   name, flags);
	else if (flags == 1 && !(state->context.features >> VHU_F_LOG_ALL & 1) &&
		 !state->context.postcopy && !state->log.by &&
		 vhu_report_first(check, VHU_RULE_AT_606))
		vhu_report(check, VHU_RULE_AT_606, 0,
			   "%s has flags 1, live migration, and none is under way; writable "
			   "fields are 0",
			   name);
}

/* Return whether the front-end is vhu probe, which finds the configuration's size by asking for too
 * much. */
static bool is_size_search(const struct vhu_check_context *check)
{
	return !strcmp(check->state->peer[0].comm, "vhu") && !check->state->first_kick_ns;
}

/* Look at configuration that is given. */
static void check_config_reply(struct vhu_check_context *check)
{
	uint64_t offset = vhu_get(check, VHU_FIELD_config_offset);
	uint64_t size = vhu_get(check, VHU_FIELD_config_size);

	if (!check->request.number)
		return;
	/* rust-vmm's daemons refuse by a header of offset 0 and size 0, others by no payload. */
	if (size == 0 && check->request.first[1]) {
		if (!is_size_search(check))
			vhu_report(check, VHU_RULE_AT_602, check->request.number,
				   "%" PRIu32 " bytes of configuration at %" PRIu32 " were refused",
				   check->request.first[1], check->request.first[0]);
		return;
	}
	if (offset != check->request.first[0] || size != check->request.first[1])
		vhu_report(check, VHU_RULE_AT_601, check->request.number,
			   "asked for %" PRIu32 " bytes at %" PRIu32 ", answered with %" PRIu64
			   " at %" PRIu64,
			   check->request.first[1], check->request.first[0], size, offset);
}

/* Look at an IOTLB message of either side. */
static void check_iotlb(struct vhu_check_context *check)
{
	uint64_t type = vhu_get(check, VHU_FIELD_iotlb_type);
	uint64_t permission = vhu_get(check, VHU_FIELD_iotlb_permission);
	uint64_t address = vhu_get(check, VHU_FIELD_iotlb_user_address);
	uint64_t size = vhu_get(check, VHU_FIELD_iotlb_size);
	bool from_front_end = check->record->channel == VHU_FRONT_END;
	const struct vhu_name *name = vhu_name_find(VHU_NAMES_iotlb_type, type, NULL);
	const char *type_name = name ? name->name : "message";

	if (type < IOTLB_MISS || type > IOTLB_ACCESS_FAIL)
		vhu_report(check, VHU_RULE_AT_610, 0,
			   "%s has type %" PRIu64 ", which does not exist",
			   check->note->message->name, type);
	else if (from_front_end != (type == IOTLB_UPDATE || type == IOTLB_INVALIDATE))
		vhu_report(check, VHU_RULE_AT_610, 0, "%s is a%s %s, which the %s does not send",
			   check->note->message->name, strchr("aeiou", type_name[0]) ? "n" : "",
			   type_name, from_front_end ? "front-end" : "back-end");
	else if (permission > IOTLB_READ_WRITE)
		vhu_report(check, VHU_RULE_AT_610, 0,
			   "%s has permission %" PRIu64 ", which does not exist",
			   check->note->message->name, permission);
	else if (type == IOTLB_UPDATE && check->state->regions &&
		 vhu_state_region(check->state, address, size, false) < 0)
		vhu_report(check, VHU_RULE_AT_611, check->state->memory.by,
			   "an update to 0x%" PRIx64 " bytes at 0x%" PRIx64
			   ", which lie in no memory region; %u %s known",
			   size, address, check->state->regions,
			   check->state->regions == 1 ? "is" : "are");
}

/* Look at a device status that is set. */
static void check_status(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint64_t status = vhu_get(check, check->note->layout->first);
	unsigned running = vhu_state_running(state);

	if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && !(status & VIRTIO_CONFIG_S_FEATURES_OK))
		vhu_report(check, VHU_RULE_AT_614, 0,
			   "status 0x%" PRIx64 " has DRIVER_OK without FEATURES_OK", status);
	if ((status & VIRTIO_CONFIG_S_DRIVER_OK) && state->status_got.by > state->status_set.by &&
	    (state->status_set.value & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    !(state->status_got.value & VIRTIO_CONFIG_S_FEATURES_OK))
		vhu_report(check, VHU_RULE_AT_622, state->status_got.by,
			   "status 0x%" PRIx64 " has DRIVER_OK, and by message %" PRIu64
			   " the back-end did not take FEATURES_OK",
			   status, state->status_got.by);
	if (status == 0 && running)
		vhu_report(check, VHU_RULE_AT_615, 0, "status 0 while %u vring%s", running,
			   running > 1 ? "s run" : " runs");
}

/* Look at a reset of the device. */
static void check_reset(struct vhu_check_context *check)
{
	unsigned running = vhu_state_running(check->state);

	if (running)
		vhu_report(check, VHU_RULE_AT_636, 0, "%s while %u vring%s",
			   check->note->message->name, running, running > 1 ? "s run" : " runs");
}

/* Return whether a vring is being stopped: until the answer the back-end completes requests. */
static bool is_stopping(const struct vhu_state *state)
{
	const struct vhu_pending_queue *queue = &state->channel[VHU_FRONT_END].pending;

	for (unsigned i = 0; i < queue->count; i++) {
		const struct vhu_message *message = vhu_pending_at(queue, i)->message;

		if (message && (message->id == VHU_MSG_GET_VRING_BASE ||
				message->id == VHU_MSG_GET_VRING_BASE_SKIP_DRAIN))
			return true;
	}
	return false;
}

/* Look at a request of a back-end whose vrings are all stopped. */
static void check_suspended(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	/* A disk grows also while its guest boots. */
	const enum vhu_rule_at rule = check->note->message->id == VHU_MSG_BACKEND_CONFIG_CHANGE_MSG
					  ? VHU_RULE_AT_333
					  : VHU_RULE_AT_322;
	uint64_t ns;

	if (!check->whole || !state->first_kick_ns || vhu_state_running(state) ||
	    is_stopping(state))
		return;
	/* What both sides send at once may pass in any order. */
	ns = vhu_check_since(check, state->stopped.value);
	if (ns > VHU_MOMENT_NS && vhu_report_first(check, rule))
		vhu_report(check, rule, state->stopped.by,
			   "%s while every vring is stopped, since %" PRIu64 " ms",
			   check->note->message->name, ns / 1000000);
}

/* Look at a request of the back-end. */
static void check_backend_request(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_message *message = check->note->message;
	uint64_t index = vhu_get(check, VHU_FIELD_vring_area_index);
	uint64_t size = vhu_get(check, VHU_FIELD_vring_area_size);

	check_suspended(check);
	if (message->id != VHU_MSG_BACKEND_VRING_HOST_NOTIFIER_MSG ||
	    check->note->payload.captured < 24)
		return;
	if (check->record->fds && !vhu_taken(check, VHU_PF_BACKEND_SEND_FD) &&
	    (check->whole || state->context.has_protocol_features))
		vhu_report(check, VHU_RULE_AT_205, state->protocol_features.acked.by,
			   "%s brings a descriptor, which needs BACKEND_SEND_FD, which was not "
			   "negotiated",
			   message->name);
	if (index >= vhu_check_vring_limit(check))
		vhu_report(check, VHU_RULE_AT_619, state->queue_num.by,
			   "a host notifier for vring %" PRIu64 "; there are %" PRIu64
			   " at the most",
			   index, vhu_check_vring_limit(check));
	if (!vhu_get(check, VHU_FIELD_vring_area_nofd) &&
	    (size < HOST_PAGE_MIN || (size & (size - 1))))
		vhu_report(check, VHU_RULE_AT_619, 0,
			   "the host notifier of vring %" PRIu64 " has 0x%" PRIx64
			   " bytes, which are no page",
			   index, size);
}

void vhu_rules_device(struct vhu_check_context *check)
{
	uint64_t value;

	value = check->note->layout->fields ? vhu_get(check, check->note->layout->first) : 0;
	if (check->record->channel == VHU_BACK_END && !check->note->reply)
		check_backend_request(check);
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(GET_CONFIG):
	case VHU_REQUEST(SET_CONFIG):
		check_config(check);
		break;
	case VHU_REPLY_TO(GET_CONFIG):
		check_config_reply(check);
		break;
	case VHU_REQUEST(IOTLB_MSG):
	case VHU_REQUEST(BACKEND_IOTLB_MSG):
		check_iotlb(check);
		break;
	case VHU_REQUEST(SET_STATUS):
		check_status(check);
		break;
	case VHU_REPLY_TO(GET_STATUS):
		if ((value & VIRTIO_CONFIG_S_NEEDS_RESET) &&
		    vhu_report_first(check, VHU_RULE_AT_623))
			vhu_report(check, VHU_RULE_AT_623, check->request.number,
				   "status 0x%" PRIx64
				   " has NEEDS_RESET: the back-end met an error that it cannot get "
				   "over",
				   value);
		break;
	case VHU_REQUEST(RESET_DEVICE):
		check_reset(check);
		break;
	case VHU_REQUEST(SET_VRING_ENDIAN):
		if (vhu_get(check, VHU_FIELD_vring_endian_endian) > 1)
			vhu_report(check, VHU_RULE_AT_617, 0,
				   "vring %d gets byte order %" PRIu64 ", neither 0 nor 1",
				   check->note->vring,
				   vhu_get(check, VHU_FIELD_vring_endian_endian));
		break;
	case VHU_REPLY_TO(GET_QUEUE_NUM):
	case VHU_REPLY_TO(GET_MAX_MEM_SLOTS):
		if (value == 0)
			vhu_report(check, VHU_RULE_AT_331, check->request.number,
				   "the back-end answers %s with 0", check->note->message->name);
		break;
	case VHU_REQUEST(NET_SET_MTU):
		if (value < MTU_MIN || value > MTU_MAX)
			vhu_report(check, VHU_RULE_AT_618, 0,
				   "the MTU is %" PRIu64 ", not %d to %d", value, MTU_MIN, MTU_MAX);
		break;
	}
}
