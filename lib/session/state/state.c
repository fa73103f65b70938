/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What messages change in what is known of a session. */
#include "lib/session/state/state.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/device.h"
#include "lib/session/state/internal.h"

void vhu_state_free(struct vhu_state *state)
{
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		vhu_pending_free(&state->channel[c].pending);
	free(state->region);
	free(state->vring);
	free(state->shmem);
	free(state->object);
	free(state->object_by);
	free(state->translation);
	free(state->translation_by);
	free(state);
}

void vhu_state_forget(struct vhu_state *state)
{
	struct vhu_state fresh;

	/* Contexts are compared as bytes, with what lies between their members. */
	memset(&fresh, 0, sizeof(fresh));
	fresh.id = state->id;
	fresh.dialect_is_sure = state->dialect_is_sure;
	fresh.dialect_told_at = state->dialect_told_at;
	fresh.context.dialect = state->context.dialect;
	fresh.context.device = state->context.device;
	/* What the lists have room for is used again. */
	for (unsigned c = 0; c < VHU_CHANNELS; c++) {
		struct vhu_pending_queue *pending = &fresh.channel[c].pending;

		*pending = state->channel[c].pending;
		vhu_pending_forget(pending, pending->count);
	}
	fresh.region = state->region;
	fresh.region_room = state->region_room;
	memcpy(fresh.peer, state->peer, sizeof(fresh.peer));
	free(state->vring);
	free(state->shmem);
	free(state->object);
	free(state->object_by);
	free(state->translation);
	free(state->translation_by);
	*state = fresh;
}

int vhu_state_ask(struct vhu_state *state, enum vhu_channel channel,
		  const struct vhu_pending *request)
{
	return vhu_pending_ask(&state->channel[channel].pending, request);
}

bool vhu_state_answer(struct vhu_state *state, enum vhu_channel channel, uint32_t request,
		      uint64_t number, struct vhu_pending *pending, struct vhu_pending *skipped)
{
	struct vhu_pending_queue *queue = &state->channel[channel].pending;
	const int at = vhu_pending_find(queue, request);

	if (at < 0)
		return false;
	for (unsigned older = 0; older < (unsigned)at; older++) {
		struct vhu_pending *before = vhu_pending_at(queue, older);

		if (before->due && !before->passed_by && !skipped->number)
			*skipped = *before;
		if (!before->passed_by)
			before->passed_by = number;
	}
	*pending = vhu_pending_answered(queue, (unsigned)at);
	return true;
}

bool vhu_state_withhold(struct vhu_state *state, enum vhu_channel channel, uint32_t request,
			struct vhu_pending *asked)
{
	struct vhu_pending_queue *queue = &state->channel[channel].pending;
	const int at = vhu_pending_find(queue, request);
	struct vhu_pending *pending;

	if (at < 0)
		return false;
	pending = vhu_pending_at(queue, (unsigned)at);
	if (pending->altered)
		return false;
	pending->withheld = true;
	*asked = *pending;
	vhu_state_alter(state, pending->number);
	return true;
}

void vhu_state_alter(struct vhu_state *state, uint64_t number)
{
	state->altered[state->alterations++ % VHU_ALTERED_MAX] = number;
}

bool vhu_state_is_altered(const struct vhu_state *state, uint64_t number)
{
	for (unsigned i = 0; number && i < VHU_ALTERED_MAX; i++)
		if (state->altered[i] == number)
			return true;
	return false;
}

int vhu_state_region(const struct vhu_state *state, uint64_t address, uint64_t size, bool guest)
{
	for (unsigned i = 0; i < state->regions; i++) {
		const struct vhu_region *region = &state->region[i];
		uint64_t from = guest ? region->guest_address : region->user_address;

		if (address >= from && address - from <= region->size &&
		    region->size - (address - from) >= size)
			return (int)i;
	}
	return -1;
}

bool vhu_state_is_used(const struct vhu_state *state)
{
	return state->features.acked.by || state->memory.by || state->vrings ||
	       state->backend_channel.by;
}

unsigned vhu_state_running(const struct vhu_state *state)
{
	unsigned running = 0;

	for (unsigned i = 0; i < state->vrings; i++)
		running += state->vring[i].started.value;
	return running;
}

void vhu_state_learn_dialect(struct vhu_state *state, enum vhu_dialect dialect, bool sure,
			     uint64_t number)
{
	if (dialect == VHU_ANY || state->dialect_is_sure)
		return;
	state->context.dialect = dialect;
	state->dialect_is_sure = sure;
	state->dialect_told_at = sure ? number : VHU_NEVER;
	state->dialect = (struct vhu_told){dialect, number};
}

/* Learn from the protocol features that were taken: the proposals are older than the bits above
 * theirs, and STANDALONE wants STATUS. */
static void learn_protocol_features(struct vhu_check_context *check, uint64_t taken)
{
	struct vhu_state *state = check->state;
	const uint64_t status = UINT64_C(1) << VHU_PF_STATUS;

	state->protocol_features.acked = vhu_told(check, taken);
	state->context.protocol_features = taken;
	state->context.has_protocol_features = true;
	if (taken >> VHU_PF_DEVICE_STATE || ((taken >> VHU_PF_SHARED_OBJECT & 1) &&
					     !(state->protocol_features.offered.value & status)))
		vhu_state_learn_dialect(state, VHU_UPSTREAM, false, check->number);
}

/* Guess which device it is from what is known now. Returns 0 where that gives no new guess. */
static uint32_t guess_device(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;

	if (state->device_said.by || state->guessed.count == VHU_GUESSES_MAX)
		return 0;
	if (state->guessed.count && state->guessed.features == state->features.offered.value &&
	    state->guessed.config_size == state->config.value)
		return 0;
	state->guessed.features = state->features.offered.value;
	state->guessed.config_size = state->config.value;
	state->guessed.by[state->guessed.count++] = check->number;
	return vhu_device_guess(state->features.offered.value, state->config.value);
}

/* Learn which device it is. @said: as the back-end said itself, which no guess stands against. */
static void learn_device(struct vhu_check_context *check, uint32_t said, uint32_t forced)
{
	struct vhu_state *state = check->state;
	uint32_t device;

	if (forced)
		return;
	if (said && !state->device_said.by)
		state->device_said = vhu_told(check, said);
	device = said ? said : guess_device(check);
	if (!device)
		return;
	state->context.device = device;
	state->device = vhu_told(check, device);
}

/* Learn which device it is from a message that this one alone has, or is said to have. A guess that
 * was made before stands. */
static void imply_device(struct vhu_check_context *check, uint32_t device, uint32_t forced)
{
	if (forced || check->state->context.device)
		return;
	check->state->context.device = device;
	check->state->device = vhu_told(check, device);
}

/* Take an inflight area. */
static void learn_inflight(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;

	state->inflight = vhu_told(check, (uint32_t)vhu_get(check, VHU_FIELD_inflight_num_queues));
	state->inflight_queue_size =
	    vhu_told(check, (uint32_t)vhu_get(check, VHU_FIELD_inflight_queue_size));
}

struct vhu_inflight_area vhu_check_inflight_area(const struct vhu_check_context *check)
{
	const struct vhu_fd_info *fd = check->record->fds ? check->record->fd : NULL;
	const bool known = fd && (fd->has & VHU_FD_HAS_INODE);

	return (struct vhu_inflight_area){
	    .size = vhu_get(check, VHU_FIELD_inflight_mmap_size),
	    .offset = vhu_get(check, VHU_FIELD_inflight_mmap_offset),
	    .queues = (unsigned)vhu_get(check, VHU_FIELD_inflight_num_queues),
	    .queue_size = (unsigned)vhu_get(check, VHU_FIELD_inflight_queue_size),
	    .before_format = !check->state->context.has_features,
	    .file = {known, known ? fd->inode : 0, known ? fd->device : 0},
	};
}

/* Learn from what a back-end says of itself. */
static void learn_answer(struct vhu_check_context *check, uint64_t value, uint32_t forced_device)
{
	struct vhu_state *state = check->state;

	switch (vhu_check_message(check)) {
	case VHU_REPLY_TO(GET_FEATURES):
		state->features.offered = vhu_told(check, value);
		learn_device(check, 0, forced_device);
		break;
	case VHU_REPLY_TO(GET_PROTOCOL_FEATURES):
		state->protocol_features.offered = vhu_told(check, value);
		/* Few features of its own make a network device no clear guess by themselves. */
		if (value & (UINT64_C(1) << VHU_PF_RARP | UINT64_C(1) << VHU_PF_MTU) &&
		    vhu_device_has_features(VIRTIO_ID_NET, state->features.offered.value))
			imply_device(check, VIRTIO_ID_NET, forced_device);
		break;
	case VHU_REPLY_TO(GET_QUEUE_NUM):
		state->queue_num =
		    vhu_told(check, value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
		break;
	case VHU_REPLY_TO(GET_MAX_MEM_SLOTS):
		state->mem_slots =
		    vhu_told(check, value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
		break;
	case VHU_REPLY_TO(SET_LOG_BASE):
		state->log_reply =
		    vhu_told(check, check->note->layout != &vhu_layouts[VHU_LAYOUT_log]);
		break;
	case VHU_REPLY_TO(GET_STATUS):
		/* An untouched device has status 0, which says nothing. */
		state->status = value || state->status_set.by ? vhu_told(check, (uint32_t)value)
							      : (struct vhu_told){0};
		state->status_got = vhu_told(check, (uint32_t)value);
		break;
	case VHU_REPLY_TO(POSTCOPY_ADVISE):
		state->postcopy_advised = vhu_told(check, true);
		break;
	case VHU_REPLY_TO(POSTCOPY_END):
		state->context.postcopy = false;
		state->postcopy_end = vhu_told(check, true);
		break;
	case VHU_REPLY_TO(GET_INFLIGHT_FD):
		if (!check->record->fds)
			break;
		learn_inflight(check);
		state->inflight_got = vhu_told(check, true);
		state->inflight_area = vhu_check_inflight_area(check);
		break;
	case VHU_REPLY_TO(SET_DEVICE_STATE_FD):
		if (!vhu_get(check, VHU_FIELD_device_state_reply_error))
			state->transfer = vhu_told(check, true);
		break;
	case VHU_REPLY_TO(GET_CONFIG):
		if (vhu_get(check, VHU_FIELD_config_offset))
			break; /* a part of it alone */
		state->config_queues = vhu_told(
		    check, vhu_device_queues(state->context.device, &check->note->payload));
		state->config_queues_with = state->device;
		break;
	case VHU_REPLY_TO(GET_BACKEND_SPECS):
		if (check->note->or_message ||
		    check->note->payload.size < check->note->layout->size)
			break;
		state->spec_device_id = vhu_told(check, (uint32_t)value);
		state->spec_config_size =
		    vhu_told(check, vhu_get(check, VHU_FIELD_backend_specs_config_size));
		state->spec_min_vqs =
		    vhu_told(check, vhu_get(check, VHU_FIELD_backend_specs_min_vqs));
		state->spec_max_vqs =
		    vhu_told(check, vhu_get(check, VHU_FIELD_backend_specs_max_vqs));
		learn_device(check, (uint32_t)value, forced_device);
		break;
	case VHU_REPLY_TO(GET_DEVICE_ID):
		if (check->note->or_message)
			break;
		state->spec_device_id = vhu_told(check, (uint32_t)value);
		learn_device(check, (uint32_t)value, forced_device);
		break;
	case VHU_REPLY_TO(GET_CONFIG_SIZE):
		state->spec_config_size = vhu_told(check, (uint32_t)value);
		break;
	case VHU_REPLY_TO(GET_MIN_VQ):
		state->spec_min_vqs = vhu_told(check, (uint32_t)value);
		break;
	case VHU_REPLY_TO(GPU_GET_PROTOCOL_FEATURES):
		state->gpu_features = vhu_told(check, value);
		break;
	}
}

/* Learn from a request that is not about one ring. */
static int learn_request(struct vhu_check_context *check, uint64_t value, uint32_t forced_device)
{
	struct vhu_state *state = check->state;

	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_FEATURES):
		state->context.features = value;
		state->features.acked = vhu_told(check, value);
		state->context.has_features = true;
		break;
	case VHU_REQUEST(SET_PROTOCOL_FEATURES):
		learn_protocol_features(check, value);
		break;
	case VHU_REQUEST(SET_OWNER):
		state->owner = vhu_told(check, true);
		break;
	case VHU_REQUEST(RESET_OWNER):
		state->owner_reset = vhu_told(check, true);
		vhu_learn_reset(check);
		break;
	case VHU_REQUEST(RESET_DEVICE):
		vhu_learn_reset(check);
		break;
	case VHU_REQUEST(SET_STATUS):
		state->status = vhu_told(check, (uint32_t)value);
		state->status_set = vhu_told(check, (uint32_t)value);
		if (value == 0)
			vhu_learn_reset(check);
		break;
	case VHU_REQUEST(SET_MEM_TABLE):
		return vhu_learn_mem_table(check);
	case VHU_REQUEST(ADD_MEM_REG):
		return vhu_learn_region(check, true);
	case VHU_REQUEST(REM_MEM_REG):
		return vhu_learn_region(check, false);
	case VHU_REQUEST(SET_LOG_BASE):
		state->log = vhu_told(check, value);
		break;
	case VHU_REQUEST(SET_INFLIGHT_FD):
		learn_inflight(check);
		break;
	case VHU_REQUEST(GPU_SET_SOCKET):
		imply_device(check, VIRTIO_ID_GPU, forced_device);
		break;
	case VHU_REQUEST(SEND_RARP):
	case VHU_REQUEST(NET_SET_MTU):
		imply_device(check, VIRTIO_ID_NET, forced_device);
		break;
	case VHU_REQUEST(SET_BACKEND_REQ_FD):
		state->backend_channel = vhu_told(check, true);
		break;
	case VHU_REQUEST(POSTCOPY_LISTEN):
		if (!state->context.postcopy)
			state->postcopy = vhu_told(check, true);
		state->context.postcopy = true;
		break;
	case VHU_REQUEST(CHECK_DEVICE_STATE):
		state->transfer_check = vhu_told(check, true);
		break;
	case VHU_REQUEST(BACKEND_CONFIG_CHANGE_MSG):
		state->config_change = vhu_told(check, check->record->time_ns);
		break;
	case VHU_REQUEST(GET_CONFIG):
		state->config_asked = vhu_told(check, true);
		if (vhu_get(check, VHU_FIELD_config_offset))
			break; /* a part of it alone */
		state->config = vhu_told(check, (uint32_t)vhu_get(check, VHU_FIELD_config_size));
		learn_device(check, 0, forced_device);
		break;
	}
	return 0;
}

/* Note who did what last on a channel. */
static void learn_last(struct vhu_check_context *check)
{
	struct vhu_channel_state *channel = &check->state->channel[check->record->channel];
	bool back_end = check->record->from_back_end;

	channel->open = true;
	channel->last_message[back_end] = check->note->message;
	channel->last[back_end] = vhu_told(check, check->record->time_ns);
	channel->last_is_reply[back_end] = check->note->reply;
	if (check->note->reply && check->request.number) {
		channel->answered_message = check->request.message;
		channel->answered = vhu_told(check, true);
	}
}

int vhu_state_learn(struct vhu_check_context *check, uint32_t forced_device)
{
	const struct vhu_annotation *note = check->note;
	uint64_t value = 0;

	learn_last(check);
	if (!vhu_check_has_fields(check))
		return 0;
	if (note->vring >= 0 && note->vring < VHU_VRINGS_MAX &&
	    check->record->channel == VHU_FRONT_END)
		return vhu_learn_vring(check);
	if (note->layout->fields)
		value = vhu_get(check, note->layout->first);
	if (note->reply)
		learn_answer(check, value, forced_device);
	else if (learn_request(check, value, forced_device))
		return -ENOMEM;
	if (vhu_learn_iotlb(check))
		return -ENOMEM;
	return vhu_learn_object(check);
}
