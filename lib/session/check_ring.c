/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about vrings. */
#include <inttypes.h>
#include <linux/virtio_ids.h>

#include "lib/session/internal.h"

#define RING_SIZE_MAX 32768

/* How many rings a device type has at the most, where that is fixed. */
static const struct {
	uint32_t device, rings;
} rings_of[] = {
	{VIRTIO_ID_RNG, 1},   /* requests */
	{VIRTIO_ID_GPU, 2},   /* control, cursor */
	{VIRTIO_ID_INPUT, 2}, /* event, status */
	{VIRTIO_ID_VSOCK, 3}, /* receive, transmit, event */
	{VIRTIO_ID_SOUND, 4}, /* control, event, transmit, receive */
};

/* Return whether the ring format is known, and in *@packed which it is. */
static bool format_known(const struct vhu_look *look, bool *packed)
{
	*packed = look->state->context.features >> VHU_F_RING_PACKED & 1;
	return look->state->context.has_features;
}

/* Return how many vrings there can be: network back-ends count pairs, and one more for control. */
static uint64_t index_limit(const struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	uint64_t queues = state->queue_num;

	if (!state->queue_num_by)
		return VHU_VRINGS_MAX;
	if (state->context.device == VIRTIO_ID_NET || !state->context.device)
		queues = 2 * queues + 1;
	return queues < VHU_VRINGS_MAX ? queues : VHU_VRINGS_MAX;
}

/* Look at the index of a vring that is set up. */
static void check_index(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;
	int vring = look->note->vring;

	if ((uint64_t)vring >= index_limit(look))
		vhu_report(look, VHU_RULE_AT_309, state->queue_num_by,
			   "%s for vring %d, of %" PRIu32 "%s", look->note->message->name, vring,
			   state->queue_num_by ? state->queue_num : VHU_VRINGS_MAX,
			   state->queue_num_by ? "" : " at the most");
	if (state->context.has_protocol_features || state->protocol_features.offered_by) {
		bool offered = state->protocol_features.offered >> VHU_PF_MQ & 1;
		int several = state->context.device == VIRTIO_ID_NET || !state->context.device ? 2 : 1;

		if (!offered && vring >= several && vhu_look_at(look) == VHU_REQUEST(SET_VRING_KICK) &&
		    vhu_report_first(look, VHU_RULE_AT_311))
			vhu_report(look, VHU_RULE_AT_311, state->protocol_features.offered_by,
				   "vring %d is used, and the back-end does not offer MQ", vring);
	}
}

/* Look at the number of rings that run, against what the device type has. */
static void check_count(struct vhu_look *look)
{
	const struct vhu_state *state = look->state;

	for (unsigned i = 0; i < sizeof(rings_of) / sizeof(rings_of[0]); i++)
		if (rings_of[i].device == state->context.device &&
		    (unsigned)look->note->vring >= rings_of[i].rings &&
		    vhu_report_first(look, VHU_RULE_AT_312))
			vhu_report(look, VHU_RULE_AT_312, 0, "vring %d is used; a %s device has %" PRIu32,
				   look->note->vring, vhu_device_name(state->context.device),
				   rings_of[i].rings);
}

/* Look at a ring's size. */
static void check_size(struct vhu_look *look)
{
	uint64_t size = vhu_get(look, VHU_FIELD_vring_size_num);
	bool packed, known = format_known(look, &packed);

	if (size == 0 || size > RING_SIZE_MAX)
		vhu_report(look, VHU_RULE_AT_313, 0, "vring %d has size %" PRIu64, look->note->vring,
			   size);
	else if (known && !packed && (size & (size - 1)))
		vhu_report(look, VHU_RULE_AT_313, look->state->features.taken_by,
			   "vring %d is split and its size %" PRIu64 " is no power of two",
			   look->note->vring, size);
}

/* Look at where a ring goes on. */
static void check_base(struct vhu_look *look, const struct vhu_vring *vring)
{
	uint64_t base = vhu_get(look, VHU_FIELD_vring_index_num);
	bool packed, known = format_known(look, &packed);

	if (known && !packed && base > UINT16_MAX)
		vhu_report(look, VHU_RULE_AT_318, look->state->features.taken_by,
			   "vring %d is split and its base is 0x%" PRIx64, look->note->vring, base);
	else if (known && packed && vring && vring->size_by && (base & 0x7fff) >= vring->size)
		vhu_report(look, VHU_RULE_AT_318, vring->size_by,
			   "vring %d is packed, of size %" PRIu32 ", and its base says index %" PRIu64,
			   look->note->vring, vring->size, base & 0x7fff);
	/* A driver that starts anew begins at 0, or at the wrap counters' first turn. */
	if (vring && vring->base_got_by && base != vring->base_got && base != 0 &&
	    !(packed && (base & 0x7fff) == 0))
		vhu_report(look, VHU_RULE_AT_320, vring->base_got_by,
			   "vring %d was stopped at 0x%" PRIx32 " and goes on at 0x%" PRIx64,
			   look->note->vring, vring->base_got, base);
}

/* Look at a ring's end. */
static void check_stop(struct vhu_look *look, const struct vhu_vring *vring)
{
	uint64_t num = vhu_get(look, VHU_FIELD_vring_index_num);
	unsigned replaced = vring ? vring->fd[VHU_CALL].replaced : 0;

	if (num && !vhu_taken(look, VHU_PF_GET_VRING_BASE_INFLIGHT) &&
	    vhu_report_first(look, VHU_RULE_AT_321))
		vhu_report(look, VHU_RULE_AT_321, 0, "%s for vring %d has num %" PRIu64,
			   look->note->message->name, look->note->vring, num);
	if (replaced)
		vhu_report(look, VHU_RULE_AT_304, vring->fd[VHU_CALL].number,
			   "the call descriptor of vring %d was replaced %u time%s while it ran",
			   look->note->vring, replaced, replaced > 1 ? "s" : "");
}

/* Look at where a ring was when it stopped. */
static void check_base_got(struct vhu_look *look, const struct vhu_vring *vring)
{
	uint64_t base = vhu_get(look, VHU_FIELD_vring_index_num);

	if (vring && base == 0 && vring->base_by && vring->base && vring->started_by > vring->base_by)
		vhu_report(look, VHU_RULE_AT_319, vring->base_by,
			   "vring %d began at 0x%" PRIx32 " and ends at 0", look->note->vring,
			   vring->base);
}

/* Look at a kick, call or err that is set. */
static void check_vring_fd(struct vhu_look *look, const struct vhu_vring *vring,
			   enum vhu_vring_role role)
{
	const struct vhu_note *note = look->note;
	bool nofd = vhu_get(look, VHU_FIELD_vring_fd_nofd);
	const struct vhu_vring_fd *before = vring ? &vring->fd[role] : NULL;
	bool acknowledged = note->header.flags & VHU_FLAG_NEED_REPLY;

	if (vhu_get(look, VHU_FIELD_vring_fd_reserved))
		vhu_report(look, VHU_RULE_AT_308, 0, "%s for vring %d has reserved bits set",
			   note->message->name, note->vring);
	if (nofd != (look->record->fds == 0) && !(look->record->marks & VHU_MARK_TRUNCATED))
		vhu_report(look, VHU_RULE_AT_305, 0,
			   nofd ? "%s for vring %d says that it has no descriptor, and has one"
				: "%s for vring %d has no descriptor, and does not say so",
			   note->message->name, note->vring);
	else if (nofd && role != VHU_ERR)
		vhu_report(look, VHU_RULE_AT_307, 0, "vring %d has no %s: it is polled", note->vring,
			   role == VHU_KICK ? "kick" : "call");
	if (role == VHU_ERR || !vring || !vring->started || acknowledged || !before->number ||
	    !vhu_taken(look, VHU_PF_REPLY_ACK) || !look->record->fds)
		return;
	if (before->has_eventfd && (look->record->fd[0].has & VHU_FD_HAS_EVENTFD) &&
	    before->eventfd_id == look->record->fd[0].eventfd_id)
		return;
	/* One window a ring and run is enough to know of; how many there were is told at its end. */
	if (before->replaced == 0)
		vhu_report(look, VHU_RULE_AT_303, before->number,
			   "%s replaces the %s of vring %d, which runs, and asks for no reply",
			   note->message->name, role == VHU_KICK ? "kick" : "call", note->vring);
}

/* Look at rings that are enabled. */
static void check_enable(struct vhu_look *look, const struct vhu_vring *vring)
{
	uint64_t enable = vhu_get(look, VHU_FIELD_vring_enable_enable);
	const struct vhu_context *context = &look->state->context;
	bool acknowledged = look->note->header.flags & VHU_FLAG_NEED_REPLY;

	if (enable > 1)
		vhu_report(look, VHU_RULE_AT_215, 0, "vring %d is enabled by %" PRIu64,
			   look->note->vring, enable);
	if (context->has_features && !(context->features >> VHU_F_PROTOCOL_FEATURES & 1) &&
	    vhu_report_first(look, VHU_RULE_AT_214))
		vhu_report(look, VHU_RULE_AT_214, look->state->features.taken_by,
			   "%s, and bit 30 was not taken", look->note->message->name);
	if (enable == 1 && vring && vring->started && !vring->enabled && !acknowledged &&
	    vhu_taken(look, VHU_PF_REPLY_ACK) && vhu_report_first(look, VHU_RULE_AT_302))
		vhu_report(look, VHU_RULE_AT_302, vring->started_by,
			   "vring %d had its kick before and its enabling asks for no reply",
			   look->note->vring);
}

void vhu_check_ring(struct vhu_look *look)
{
	const struct vhu_vring *vring;

	if (look->note->vring < 0 || look->record->channel != VHU_FRONT_END)
		return;
	vring = vhu_state_vring(look->state, (uint64_t)look->note->vring);
	if (!look->note->reply)
		check_index(look);
	switch (vhu_look_at(look)) {
	case VHU_REQUEST(SET_VRING_NUM):
		check_size(look);
		break;
	case VHU_REQUEST(SET_VRING_ADDR):
		if (look->whole && !look->state->regions)
			vhu_report(look, VHU_RULE_AT_317, 0,
				   "addresses of vring %d, and no memory is known", look->note->vring);
		break;
	case VHU_REQUEST(SET_VRING_BASE):
		check_base(look, vring);
		break;
	case VHU_REQUEST(GET_VRING_BASE):
		check_stop(look, vring);
		break;
	case VHU_REPLY_TO(GET_VRING_BASE):
	case VHU_REPLY_TO(GET_VRING_BASE_SKIP_DRAIN):
		check_base_got(look, vring);
		break;
	case VHU_REQUEST(SET_VRING_ENABLE):
		check_enable(look, vring);
		break;
	case VHU_REQUEST(SET_VRING_KICK):
		check_vring_fd(look, vring, VHU_KICK);
		check_count(look);
		break;
	case VHU_REQUEST(SET_VRING_CALL):
		check_vring_fd(look, vring, VHU_CALL);
		break;
	case VHU_REQUEST(SET_VRING_ERR):
		check_vring_fd(look, vring, VHU_ERR);
		break;
	}
}

/* An area of a ring. */
struct area {
	const char *name;
	uint64_t address, size;
	unsigned alignment;
};

/* Fill in a ring's areas: "Split Virtqueues", "Packed Virtqueues" of the virtio specification. The
 * split ring's last two bytes, used_event and avail_event, belong to it with EVENT_IDX. */
static void areas_of(const struct vhu_vring *vring, bool packed, struct area area[3])
{
	uint64_t size = vring->size;

	area[0] = (struct area){"descriptor", vring->descriptor, 16 * size, 16};
	if (packed) {
		area[1] = (struct area){"driver event", vring->available, 4, 4};
		area[2] = (struct area){"device event", vring->used, 4, 4};
	} else {
		area[1] = (struct area){"available", vring->available, 4 + 2 * size, 2};
		area[2] = (struct area){"used", vring->used, 4 + 8 * size, 4};
	}
}

/* Look at where an area lies. */
static void check_area(struct vhu_look *look, int index, const struct vhu_vring *vring,
		       const struct area *area)
{
	bool as_guest = vhu_taken(look, VHU_PF_GPA_ADDRESSES);

	if (area->address % area->alignment)
		vhu_report(look, VHU_RULE_AT_316, vring->addresses_by,
			   "the %s area of vring %d at 0x%" PRIx64 " is not aligned to %u bytes",
			   area->name, index, area->address, area->alignment);
	if (vhu_state_region(look->state, area->address, area->size, as_guest) >= 0)
		return;
	if (as_guest && vhu_state_region(look->state, area->address, area->size, false) >= 0) {
		if (vhu_report_first(look, VHU_RULE_AT_206))
			vhu_report(look, VHU_RULE_AT_206, look->state->protocol_features.taken_by,
				   "bit 21 was taken, GPA_ADDRESSES, and vring %d has the front-end's "
				   "addresses: to one side bit 21 is an older SHMEM",
				   index);
		return;
	}
	vhu_report(look, VHU_RULE_AT_315, vring->addresses_by,
		   "the %s area of vring %d, 0x%" PRIx64 " bytes at 0x%" PRIx64
		   ", does not lie in one of %u memory regions",
		   area->name, index, area->size, area->address, look->state->regions);
}

/* Look at where a ring lies, once all that is needed to tell is known. */
static void check_addresses(struct vhu_look *look, int index, struct vhu_vring *vring)
{
	struct area area[3];
	bool packed;

	/* With an IOMMU these are addresses that are translated when they are used. */
	if (!format_known(look, &packed) || vring->addresses_checked || !vring->addresses_by ||
	    !vring->size_by || !look->state->regions || !vring->size ||
	    vring->size > RING_SIZE_MAX ||
	    (look->state->context.features >> VHU_F_ACCESS_PLATFORM & 1))
		return;
	vring->addresses_checked = true;
	areas_of(vring, packed, area);
	for (unsigned i = 0; i < 3; i++)
		check_area(look, index, vring, &area[i]);
	for (unsigned i = 0; i < 3; i++) {
		const struct area *a = &area[i], *b = &area[(i + 1) % 3];

		if (a->address < b->address + b->size && b->address < a->address + a->size)
			vhu_report(look, VHU_RULE_AT_314, vring->size_by,
				   "the %s and %s areas of vring %d overlap with size %" PRIu32, a->name,
				   b->name, index, vring->size);
	}
}

/* Look at a ring that was just started. */
static void check_started(struct vhu_look *look, int index, const struct vhu_vring *vring)
{
	struct vhu_state *state = look->state;
	const struct vhu_channel_state *channel = &state->channel[VHU_FRONT_END];

	if (look->whole && !state->context.has_features)
		vhu_report(look, VHU_RULE_AT_210, 0, "vring %d starts, and no features were set", index);
	if (state->context.has_features && state->context.has_protocol_features &&
	    !(state->context.features >> VHU_F_PROTOCOL_FEATURES & 1) &&
	    vhu_report_first(look, VHU_RULE_AT_213))
		vhu_report(look, VHU_RULE_AT_213, state->features.taken_by,
			   "vring %d starts enabled: protocol features are in use, bit 30 was not taken",
			   index);
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *other = &state->vring[i];

		/* The other was enabled after this one was set up, and nothing was answered since. */
		if ((int)i != index && other->enabled && vring->addresses_by &&
		    other->enabled_by > vring->addresses_by &&
		    channel->answered_number < vring->addresses_by) {
			vhu_report(look, VHU_RULE_AT_301, other->enabled_by,
				   "vring %d gets its kick after vring %u was enabled", index, i);
			return;
		}
	}
}

void vhu_check_ring_start(struct vhu_look *look)
{
	int index = look->note->vring;
	struct vhu_vring *vring;

	if (index < 0 || (unsigned)index >= look->state->vrings || look->note->reply ||
	    look->record->channel != VHU_FRONT_END)
		return;
	vring = &look->state->vring[index];
	if (vhu_look_at(look) == VHU_REQUEST(SET_VRING_ADDR) ||
	    vhu_look_at(look) == VHU_REQUEST(SET_VRING_KICK))
		check_addresses(look, index, vring);
	if (vhu_look_at(look) == VHU_REQUEST(SET_VRING_KICK) && vring->started_by == look->number)
		check_started(look, index, vring);
}
