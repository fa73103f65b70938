/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about vrings. */
#include <inttypes.h>
#include <linux/virtio_net.h>

#include "lib/session/device.h"
#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"
#include "lib/session/state/learn.h"

/* "Vring descriptor indices for packed virtqueues": the index, of each half. */
#define PACKED_INDEX 0x7fff

/* Look at the index of a vring that is set up. */
static void check_index(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const char *name = check->note->message->name;
	int vring = check->note->vring;

	if ((uint64_t)vring < vhu_check_vring_limit(check))
		return;
	if (vring >= VHU_VRINGS_MAX)
		vhu_report(check, VHU_RULE_AT_309, 0, "%s for vring %d: indexes end at %d", name,
			   vring, VHU_VRINGS_MAX - 1);
	else if (!state->queue_num.by && vhu_report_first(check, VHU_RULE_AT_309))
		vhu_report(check, VHU_RULE_AT_309, state->spec_max_vqs.by,
			   "%s for vring %d: the device has %" PRIu64 " at most", name, vring,
			   state->spec_max_vqs.value);
	else if (state->queue_num.by && vhu_report_first(check, VHU_RULE_AT_309))
		vhu_report(check, VHU_RULE_AT_309, state->queue_num.by,
			   "%s for vring %d: the back-end told of %" PRIu64 " %s%s", name, vring,
			   state->queue_num.value, vhu_check_counts_pairs(state) ? "pair" : "queue",
			   state->queue_num.value == 1 ? "" : "s");
}

/* Look at a ring that is started against what the back-end offered. */
static void check_offered(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	int vring = check->note->vring;
	bool mq = state->protocol_features.offered.value >> VHU_PF_MQ & 1;

	if (!mq && state->protocol_features.offered.by &&
	    vring >= (vhu_check_counts_pairs(state) ? 2 : 1) &&
	    vhu_report_first(check, VHU_RULE_AT_311))
		vhu_report(check, VHU_RULE_AT_311, state->protocol_features.offered.by,
			   "vring %d is used, and the back-end does not offer MQ", vring);
	if (state->queue_num.by && vhu_check_counts_pairs(state) &&
	    (uint32_t)vring == 2 * state->queue_num.value && state->context.has_features &&
	    !(state->context.features >> VIRTIO_NET_F_CTRL_VQ & 1) &&
	    vhu_report_first(check, VHU_RULE_AT_310))
		vhu_report(check, VHU_RULE_AT_310, state->queue_num.by,
			   "vring %d is used, and the back-end told of %" PRIu64
			   ": were these pairs, it would be for control, and CTRL_VQ was not acked",
			   vring, state->queue_num.value);
}

/* Look at a ring that is started against how many the device has. */
static void check_count(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	uint32_t device = state->context.device;
	uint64_t vring = (uint64_t)check->note->vring;
	unsigned fixed = vhu_device_queues_fixed(device);

	if (fixed && vring >= fixed) {
		if (vhu_report_first(check, VHU_RULE_AT_312))
			vhu_report(check, VHU_RULE_AT_312, 0,
				   "vring %d is used, and %s devices have %u", check->note->vring,
				   vhu_device_name(device), fixed);
	} else if (state->config_queues.value && vring >= state->config_queues.value &&
		   !state->queue_num.by) {
		/* Front-ends show the driver a number of their own where they asked for it. */
		if (vhu_report_first(check, VHU_RULE_AT_312))
			vhu_report(check, VHU_RULE_AT_312, state->config_queues.by,
				   "vring %d is used, and by its configuration this %s device has "
				   "%" PRIu64,
				   check->note->vring, vhu_device_name(device),
				   state->config_queues.value);
	}
}

/* Look at a ring's size. */
static void check_size(struct vhu_check_context *check)
{
	uint64_t size = vhu_get(check, VHU_FIELD_vring_size_num);
	bool packed, known = vhu_check_format(check, &packed);

	if (size == 0 || size > VHU_RING_SIZE_MAX)
		vhu_report(check, VHU_RULE_AT_313, 0,
			   "vring %d has size %" PRIu64 ", which is not 1 to %d",
			   check->note->vring, size, VHU_RING_SIZE_MAX);
	else if (known && !packed && (size & (size - 1)))
		vhu_report(check, VHU_RULE_AT_313, check->state->features.acked.by,
			   "vring %d is split and its size %" PRIu64 " is no power of two",
			   check->note->vring, size);
}

/* Look at the format of a ring's place, as it is set or told. */
static void check_base_format(struct vhu_check_context *check, const struct vhu_vring *vring,
			      uint64_t base)
{
	const char *whose = check->note->reply ? "answer" : "base";
	bool packed, known = vhu_check_format(check, &packed);

	if (known && !packed && base > UINT16_MAX)
		vhu_report(check, VHU_RULE_AT_318, check->state->features.acked.by,
			   "vring %d is split and its %s is 0x%" PRIx64
			   ": above its 16 bits stands what only packed rings have",
			   check->note->vring, whose, base);
	else if (known && packed && vring && vring->size.by &&
		 ((base & PACKED_INDEX) >= vring->size.value ||
		  (base >> 16 & PACKED_INDEX) >= vring->size.value))
		vhu_report(check, VHU_RULE_AT_318, vring->size.by,
			   "vring %d is packed, of size %" PRIu64 ", and its %s 0x%" PRIx64
			   " says indexes %" PRIu64 " and %" PRIu64,
			   check->note->vring, vring->size.value, whose, base, base & PACKED_INDEX,
			   base >> 16 & PACKED_INDEX);
}

/* Look at where a ring goes on. */
static void check_base(struct vhu_check_context *check, const struct vhu_vring *vring)
{
	uint64_t base = vhu_get(check, VHU_FIELD_vring_index_num), got, index;
	bool packed, known = vhu_check_format(check, &packed);

	check_base_format(check, vring, base);
	if (!vring || !vring->base_got.by || !known)
		return;
	/* Some peers tell no more of packed rings than the available half. */
	got = packed ? vring->base_got.value & UINT16_MAX : vring->base_got.value;
	index = packed ? base & UINT16_MAX : base;
	/* A driver that starts again begins at 0, of packed rings in any turn. */
	if (index != got && (packed ? index & PACKED_INDEX : index))
		vhu_report(check, VHU_RULE_AT_320, vring->base_got.by,
			   "vring %d was stopped at 0x%" PRIx64 " and goes on at 0x%" PRIx64
			   ": what lies between is lost or done twice",
			   check->note->vring, vring->base_got.value, base);
}

/* Look at a ring's end. */
static void check_stop(struct vhu_check_context *check, const struct vhu_vring *vring)
{
	uint64_t num = vhu_get(check, VHU_FIELD_vring_index_num);

	if (num && !vhu_taken(check, VHU_PF_GET_VRING_BASE_INFLIGHT) &&
	    vhu_report_first(check, VHU_RULE_AT_321))
		vhu_report(check, VHU_RULE_AT_321, 0,
			   "%s for vring %d has num %" PRIu64 ", which is to be 0",
			   check->note->message->name, check->note->vring, num);
	if (vring && vring->started.value && vring->fd[VHU_CALL].replaced)
		vhu_report_replaced(check, (unsigned)check->note->vring, &vring->fd[VHU_CALL]);
}

/* Look at where a ring was when it stopped. */
static void check_base_got(struct vhu_check_context *check, const struct vhu_vring *vring)
{
	uint64_t base = vhu_get(check, VHU_FIELD_vring_index_num);
	bool packed;

	vhu_check_format(check, &packed);
	check_base_format(check, vring, base);
	if (vring && base == 0 && vring->base.by &&
	    (vring->base.value & (packed ? PACKED_INDEX : UINT16_MAX)) &&
	    vring->started.by > vring->base.by)
		vhu_report(check, VHU_RULE_AT_319, vring->base.by,
			   "vring %d began at 0x%" PRIx64 " and ends at 0: its place was lost",
			   check->note->vring, vring->base.value);
}

/* Look at a kick, call or err that is set. */
static void check_vring_fd(struct vhu_check_context *check, const struct vhu_vring *vring,
			   enum vhu_vring_role role)
{
	const struct vhu_annotation *note = check->note;
	bool nofd = vhu_get(check, VHU_FIELD_vring_fd_nofd);
	bool acknowledged = note->header.flags & VHU_FLAG_NEED_REPLY;

	if (vhu_get(check, VHU_FIELD_vring_fd_reserved))
		vhu_report(check, VHU_RULE_AT_308, 0,
			   "%s for vring %d has reserved bits set: 0x%" PRIx64, note->message->name,
			   note->vring,
			   vhu_integer_read(note->payload.bytes, 8, note->payload.big_endian));
	if (nofd != (check->record->fds == 0) && !(check->record->marks & VHU_MARK_TRUNCATED))
		vhu_report(
		    check, VHU_RULE_AT_305, 0,
		    nofd ? "%s for vring %d says by bit 8 that it has no descriptor, and has one"
			 : "%s for vring %d has no descriptor, and bit 8 does not say so",
		    note->message->name, note->vring);
	else if (nofd && role != VHU_ERR && !vhu_taken(check, VHU_PF_INBAND_NOTIFICATIONS))
		vhu_report(check, VHU_RULE_AT_307, 0, "vring %d has no %s: it is polled",
			   note->vring, vhu_vring_role_name(role));
	/* Report one window for each run of a vring; a finding at its end counts them.
	 */
	if (role != VHU_ERR && vring && !acknowledged && vhu_taken(check, VHU_PF_REPLY_ACK) &&
	    vhu_vring_fd_is_replaced(check, vring, role) && !vring->fd[role].unacknowledged)
		vhu_report(check, VHU_RULE_AT_303, vring->fd[role].number,
			   "%s replaces the %s of vring %d, which runs, and asks for no reply: "
			   "until the back-end takes the new one, %s",
			   note->message->name, vhu_vring_role_name(role), note->vring,
			   role == VHU_KICK ? "kicks of the old one may be lost"
					    : "its calls go to the old one");
}

/* Look at rings that are enabled. */
static void check_enable(struct vhu_check_context *check)
{
	uint64_t enable = vhu_get(check, VHU_FIELD_vring_enable_enable);
	const struct vhu_context *context = &check->state->context;

	if (enable > 1)
		vhu_report(check, VHU_RULE_AT_215, 0,
			   "vring %d is enabled by %" PRIu64 ", which is neither 0 nor 1",
			   check->note->vring, enable);
	if (context->has_features && !(context->features >> VHU_F_PROTOCOL_FEATURES & 1) &&
	    vhu_report_first(check, VHU_RULE_AT_214))
		vhu_report(check, VHU_RULE_AT_214, check->state->features.acked.by,
			   "%s, and message %" PRIu64
			   " did not take bit 30: vrings are enabled already",
			   check->note->message->name, check->state->features.acked.by);
}

/* Look at a size or a place that is set. */
static void check_running(struct vhu_check_context *check, const struct vhu_vring *vring)
{
	/* An unchanged size does no harm. */
	if (!vring || !vring->started.value ||
	    (check->note->message->id == VHU_MSG_SET_VRING_NUM &&
	     vring->size.value == vhu_get(check, VHU_FIELD_vring_size_num)))
		return;
	vhu_report(check, VHU_RULE_AT_325, vring->started.by,
		   "%s for vring %d, which runs since message %" PRIu64, check->note->message->name,
		   check->note->vring, vring->started.by);
}

/* Look at a notification in the channel. */
static void check_notification(struct vhu_check_context *check)
{
	const char *name = check->note->message->name;
	const int index = check->note->vring;
	const struct vhu_vring *vring = vhu_state_vring(check->state, (uint64_t)index);
	const uint64_t num = vhu_get(check, VHU_FIELD_vring_index_num);
	const uint64_t limit = vhu_check_vring_limit(check);

	if (num && vhu_report_first(check, VHU_RULE_AT_327))
		vhu_report(check, VHU_RULE_AT_327, 0,
			   "%s for vring %d has num %" PRIu64 ", which must be 0", name, index,
			   num);
	if ((uint64_t)index >= limit && check->record->channel == VHU_BACK_END)
		vhu_report(check, VHU_RULE_AT_328, check->state->queue_num.by,
			   "%s for vring %d; there are %" PRIu64 " at most", name, index, limit);
	else if (check->whole && !(vring && vring->size.by && vring->descriptor.by) &&
		 (uint64_t)index < limit && vhu_report_first(check, VHU_RULE_AT_328))
		vhu_report(check, VHU_RULE_AT_328, 0, "%s for vring %d, which was not set up", name,
			   index);
}

void vhu_rules_ring(struct vhu_check_context *check)
{
	const struct vhu_vring *vring;

	switch (vhu_check_message(check)) {
	case VHU_REQUEST(VRING_KICK):
	case VHU_REQUEST(BACKEND_VRING_CALL):
	case VHU_REQUEST(BACKEND_VRING_ERR):
		check_notification(check);
		break;
	}
	if (check->note->vring < 0 || check->record->channel != VHU_FRONT_END)
		return;
	vring = vhu_state_vring(check->state, (uint64_t)check->note->vring);
	if (!check->note->reply)
		check_index(check);
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_VRING_NUM):
		check_size(check);
		check_running(check, vring);
		break;
	case VHU_REQUEST(SET_VRING_ADDR):
		if (check->whole && !check->state->regions)
			vhu_report(check, VHU_RULE_AT_317, check->state->memory.by,
				   "%s for vring %d, and there is no memory yet that it could "
				   "point to",
				   check->note->message->name, check->note->vring);
		break;
	case VHU_REQUEST(SET_VRING_BASE):
		check_base(check, vring);
		check_running(check, vring);
		break;
	case VHU_REQUEST(GET_VRING_BASE):
	case VHU_REQUEST(GET_VRING_BASE_SKIP_DRAIN):
		check_stop(check, vring);
		break;
	case VHU_REPLY_TO(GET_VRING_BASE):
	case VHU_REPLY_TO(GET_VRING_BASE_SKIP_DRAIN):
		check_base_got(check, vring);
		break;
	case VHU_REQUEST(SET_VRING_ENABLE):
		check_enable(check);
		break;
	case VHU_REQUEST(SET_VRING_KICK):
		check_vring_fd(check, vring, VHU_KICK);
		check_offered(check);
		check_count(check);
		break;
	case VHU_REQUEST(SET_VRING_CALL):
		check_vring_fd(check, vring, VHU_CALL);
		break;
	case VHU_REQUEST(SET_VRING_ERR):
		check_vring_fd(check, vring, VHU_ERR);
		break;
	}
}
