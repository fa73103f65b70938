/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What messages change in what is known of a session. */
#include "lib/session/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/device.h"
#include "lib/session/internal.h"

void vhu_state_free(struct vhu_state *state)
{
	for (unsigned c = 0; c < VHU_CHANNELS; c++)
		vhu_pending_free(&state->channel[c].pending);
	free(state->region);
	free(state->removal);
	free(state->vring);
	free(state);
}

void vhu_state_forget(struct vhu_state *state)
{
	struct vhu_state fresh;

	/* Contexts are compared as bytes, with what lies between their members. */
	memset(&fresh, 0, sizeof(fresh));
	fresh.id = state->id;
	fresh.dialect_is_sure = state->dialect_is_sure;
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
	fresh.removal = state->removal;
	memcpy(fresh.peer, state->peer, sizeof(fresh.peer));
	free(state->vring);
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
			uint64_t *number)
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
	*number = pending->number;
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
	state->dialect = (struct vhu_told){dialect, number};
}

/* Return a fact that the record tells. */
static struct vhu_told told(const struct vhu_check_context *check, uint64_t value)
{
	return (struct vhu_told){value, check->number};
}

/* Return the vring that a message is about, made if it is new; NULL where there can be none or
 * memory ran out. */
static struct vhu_vring *vring_of(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	int index = check->note->vring;

	if (index < 0 || index >= VHU_VRINGS_MAX)
		return NULL;
	if ((unsigned)index >= state->vrings) {
		struct vhu_vring *more =
		    reallocarray(state->vring, (size_t)index + 1, sizeof(*more));

		if (!more)
			return NULL;
		memset(more + state->vrings, 0,
		       ((size_t)index + 1 - state->vrings) * sizeof(*more));
		state->vring = more;
		state->vrings = (unsigned)index + 1;
	}
	return &state->vring[index];
}

/* Learn from the protocol features that were taken: the proposals are older than the bits above
 * theirs, and STANDALONE wants STATUS. */
static void learn_protocol_features(struct vhu_check_context *check, uint64_t taken)
{
	struct vhu_state *state = check->state;
	const uint64_t status = UINT64_C(1) << VHU_PF_STATUS;

	state->protocol_features.acked = told(check, taken);
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
		state->device_said = told(check, said);
	device = said ? said : guess_device(check);
	if (!device)
		return;
	state->context.device = device;
	state->device = told(check, device);
}

bool vhu_vring_fd_is_replaced(const struct vhu_check_context *check, const struct vhu_vring *vring,
			      enum vhu_vring_role role)
{
	const struct vhu_vring_fd *before = &vring->fd[role];
	const struct vhu_record *record = check->record;

	/* What a ring had before it was stopped is gone with that. */
	return vring->started.value && vring->enabled.value && before->number > vring->stopped.by &&
	       !before->polling && record->fds &&
	       !(before->has_eventfd && (record->fd[0].has & VHU_FD_HAS_EVENTFD) &&
		 before->eventfd_id == record->fd[0].eventfd_id);
}

/* Take a ring's kick, call or err. A kick starts the ring. */
static void learn_vring_fd(struct vhu_check_context *check, struct vhu_vring *vring,
			   enum vhu_vring_role role)
{
	const struct vhu_record *record = check->record;
	struct vhu_vring_fd *fd = &vring->fd[role];
	bool replaced = vhu_vring_fd_is_replaced(check, vring, role);
	bool acknowledged =
	    (check->note->header.flags & VHU_FLAG_NEED_REPLY) && vhu_taken(check, VHU_PF_REPLY_ACK);

	*fd = (struct vhu_vring_fd){
	    .number = check->number,
	    .polling = record->fds == 0,
	    .replaced = fd->replaced + replaced,
	    .unacknowledged = fd->unacknowledged + (replaced && !acknowledged),
	};
	if (record->fds) {
		fd->kind = record->fd[0].kind;
		fd->has_eventfd = record->fd[0].has & VHU_FD_HAS_EVENTFD;
		fd->eventfd_id = record->fd[0].eventfd_id;
	}
	if (role != VHU_KICK || vring->started.value)
		return;
	vring->started = told(check, true);
	vring->start_ns = check->record->time_ns;
	if (!check->state->first_kick_ns)
		check->state->first_kick_ns = check->record->time_ns;
	if (check->state->context.has_features &&
	    !(check->state->context.features >> VHU_F_PROTOCOL_FEATURES & 1)) {
		vring->enabled.value = true;
		vring->enabled_with = check->state->features.acked;
	}
}

/* Note that a ring stopped, or has answered that it did. */
static void stopped(struct vhu_check_context *check)
{
	check->state->stopped = told(check, check->record->time_ns);
}

/* Stop a ring. */
static void vring_stop(struct vhu_check_context *check, struct vhu_vring *vring)
{
	stopped(check);
	vring->started.value = false;
	vring->stopped = told(check, check->record->time_ns);
	for (enum vhu_vring_role role = VHU_KICK; role < VHU_VRING_ROLES; role++)
		vring->fd[role].replaced = vring->fd[role].unacknowledged = 0;
}

/* Stop and disable all rings: the device was reset. */
static void reset(struct vhu_check_context *check)
{
	stopped(check);
	for (unsigned i = 0; i < check->state->vrings; i++) {
		vring_stop(check, &check->state->vring[i]);
		check->state->vring[i].enabled.value = false;
	}
	vhu_state_acknowledged(check->state, UINT64_MAX);
}

void vhu_state_acknowledged(struct vhu_state *state, uint64_t number)
{
	for (unsigned i = 0; i < state->vrings && state->enabled_unacknowledged; i++) {
		struct vhu_vring *vring = &state->vring[i];

		if (vring->enabled.by >= number)
			continue;
		state->enabled_unacknowledged -= vring->enabled_unacknowledged;
		vring->enabled_unacknowledged = false;
	}
}

/* Take that a ring is enabled or disabled. */
static void learn_enable(struct vhu_check_context *check, struct vhu_vring *vring, bool enable)
{
	bool unacknowledged = enable && vring->started.value && !vring->enabled.value &&
			      !(check->note->header.flags & VHU_FLAG_NEED_REPLY) &&
			      vhu_taken(check, VHU_PF_REPLY_ACK);

	check->state->enabled_unacknowledged += unacknowledged;
	check->state->enabled_unacknowledged -= vring->enabled_unacknowledged;
	vring->enabled_unacknowledged = unacknowledged;
	if (enable && !vring->enabled.value)
		vring->enabled_since = told(check, true);
	vring->enabled = told(check, enable);
	vring->enabled_ns = check->record->time_ns;
}

/* Learn from a message about one ring. */
static void learn_vring(struct vhu_check_context *check, struct vhu_vring *vring)
{
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_VRING_NUM):
		vring->size = told(check, (uint32_t)vhu_get(check, VHU_FIELD_vring_size_num));
		vring->addresses_checked = false;
		break;
	case VHU_REQUEST(SET_VRING_ADDR):
		vring->descriptor = told(check, vhu_get(check, VHU_FIELD_vring_addr_descriptor));
		vring->available = told(check, vhu_get(check, VHU_FIELD_vring_addr_available));
		vring->used = told(check, vhu_get(check, VHU_FIELD_vring_addr_used));
		vring->addresses_checked = false;
		break;
	case VHU_REQUEST(SET_VRING_BASE):
		vring->base_last = vring->base =
		    told(check, (uint32_t)vhu_get(check, VHU_FIELD_vring_index_num));
		break;
	case VHU_REQUEST(GET_VRING_BASE):
	case VHU_REQUEST(GET_VRING_BASE_SKIP_DRAIN):
		vring_stop(check, vring);
		break;
	case VHU_REPLY_TO(GET_VRING_BASE):
	case VHU_REPLY_TO(GET_VRING_BASE_SKIP_DRAIN):
		vring->base_last = vring->base_got =
		    told(check, (uint32_t)vhu_get(check, VHU_FIELD_vring_index_num));
		stopped(check);
		break;
	case VHU_REQUEST(SET_VRING_ENABLE):
		learn_enable(check, vring, vhu_get(check, VHU_FIELD_vring_enable_enable) == 1);
		break;
	case VHU_REQUEST(SET_VRING_ENDIAN):
		vring->endian = told(check, vhu_get(check, VHU_FIELD_vring_endian_endian));
		break;
	case VHU_REQUEST(SET_VRING_KICK):
		learn_vring_fd(check, vring, VHU_KICK);
		break;
	case VHU_REQUEST(SET_VRING_CALL):
		learn_vring_fd(check, vring, VHU_CALL);
		break;
	case VHU_REQUEST(SET_VRING_ERR):
		learn_vring_fd(check, vring, VHU_ERR);
		break;
	}
}

/* Take an inflight area. */
static void learn_inflight(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;

	state->inflight = told(check, (uint32_t)vhu_get(check, VHU_FIELD_inflight_num_queues));
	state->inflight_queue_size =
	    told(check, (uint32_t)vhu_get(check, VHU_FIELD_inflight_queue_size));
}

/* Learn from what a back-end says of itself. */
static void learn_answer(struct vhu_check_context *check, uint64_t value, uint32_t forced_device)
{
	struct vhu_state *state = check->state;

	switch (vhu_check_message(check)) {
	case VHU_REPLY_TO(GET_FEATURES):
		state->features.offered = told(check, value);
		learn_device(check, 0, forced_device);
		break;
	case VHU_REPLY_TO(GET_PROTOCOL_FEATURES):
		state->protocol_features.offered = told(check, value);
		break;
	case VHU_REPLY_TO(GET_QUEUE_NUM):
		state->queue_num = told(check, value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
		break;
	case VHU_REPLY_TO(GET_MAX_MEM_SLOTS):
		state->mem_slots = told(check, value < UINT32_MAX ? (uint32_t)value : UINT32_MAX);
		break;
	case VHU_REPLY_TO(SET_LOG_BASE):
		state->log_reply = check->note->layout == &vhu_layouts[VHU_LAYOUT_log]
				       ? (struct vhu_told){0}
				       : told(check, true);
		break;
	case VHU_REPLY_TO(GET_STATUS):
		/* A device that nobody has touched has status 0. */
		if (value || state->status.by)
			state->status = told(check, (uint32_t)value);
		break;
	case VHU_REPLY_TO(POSTCOPY_ADVISE):
		state->postcopy_advised = told(check, true);
		break;
	case VHU_REPLY_TO(POSTCOPY_END):
		state->context.postcopy = false;
		state->postcopy_end = told(check, true);
		break;
	case VHU_REPLY_TO(GET_INFLIGHT_FD):
		if (check->record->fds)
			learn_inflight(check);
		break;
	case VHU_REPLY_TO(GET_CONFIG):
		if (vhu_get(check, VHU_FIELD_config_offset))
			break; /* a part of it alone */
		state->config_queues =
		    told(check, vhu_device_queues(state->context.device, &check->note->payload));
		state->config_queues_with = state->device;
		break;
	case VHU_REPLY_TO(GET_BACKEND_SPECS):
		if (check->note->or_message ||
		    check->note->payload.size < check->note->layout->size)
			break;
		state->spec_device_id = told(check, (uint32_t)value);
		state->spec_config_size =
		    told(check, vhu_get(check, VHU_FIELD_backend_specs_config_size));
		state->spec_min_vqs = told(check, vhu_get(check, VHU_FIELD_backend_specs_min_vqs));
		state->spec_max_vqs = told(check, vhu_get(check, VHU_FIELD_backend_specs_max_vqs));
		learn_device(check, (uint32_t)value, forced_device);
		break;
	case VHU_REPLY_TO(GET_DEVICE_ID):
		if (check->note->or_message)
			break;
		state->spec_device_id = told(check, (uint32_t)value);
		learn_device(check, (uint32_t)value, forced_device);
		break;
	case VHU_REPLY_TO(GET_CONFIG_SIZE):
		state->spec_config_size = told(check, (uint32_t)value);
		break;
	case VHU_REPLY_TO(GET_MIN_VQ):
		state->spec_min_vqs = told(check, (uint32_t)value);
		break;
	case VHU_REPLY_TO(GPU_GET_PROTOCOL_FEATURES):
		state->gpu_features = told(check, value);
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
		state->features.acked = told(check, value);
		state->context.has_features = true;
		break;
	case VHU_REQUEST(SET_PROTOCOL_FEATURES):
		learn_protocol_features(check, value);
		break;
	case VHU_REQUEST(SET_OWNER):
		state->owner = told(check, true);
		break;
	case VHU_REQUEST(RESET_OWNER):
		state->owner_reset = told(check, true);
		reset(check);
		break;
	case VHU_REQUEST(RESET_DEVICE):
		reset(check);
		break;
	case VHU_REQUEST(SET_STATUS):
		state->status = told(check, (uint32_t)value);
		if (value == 0)
			reset(check);
		break;
	case VHU_REQUEST(SET_MEM_TABLE):
		return vhu_learn_mem_table(check);
	case VHU_REQUEST(ADD_MEM_REG):
		return vhu_learn_region(check, true);
	case VHU_REQUEST(REM_MEM_REG):
		return vhu_learn_region(check, false);
	case VHU_REQUEST(SET_LOG_BASE):
		state->log = told(check, value);
		break;
	case VHU_REQUEST(SET_INFLIGHT_FD):
		learn_inflight(check);
		break;
	case VHU_REQUEST(SET_BACKEND_REQ_FD):
		state->backend_channel = told(check, true);
		break;
	case VHU_REQUEST(POSTCOPY_LISTEN):
		if (!state->context.postcopy)
			state->postcopy = told(check, true);
		state->context.postcopy = true;
		break;
	case VHU_REQUEST(GET_CONFIG):
		if (vhu_get(check, VHU_FIELD_config_offset))
			break; /* a part of it alone */
		state->config = told(check, (uint32_t)vhu_get(check, VHU_FIELD_config_size));
		learn_device(check, 0, forced_device);
		break;
	case VHU_REQUEST(BACKEND_IOTLB_MSG):
		if (vhu_get(check, VHU_FIELD_iotlb_type) == 1) {
			state->iotlb_misses++;
			state->iotlb_miss = told(check, check->record->time_ns);
		}
		break;
	case VHU_REQUEST(IOTLB_MSG):
		state->iotlb_entries++;
		if (vhu_get(check, VHU_FIELD_iotlb_type) == 2) {
			state->iotlb_misses = 0;
			state->iotlb_miss = (struct vhu_told){0};
		}
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
	channel->last[back_end] = told(check, check->record->time_ns);
	channel->last_is_reply[back_end] = check->note->reply;
	if (check->note->reply && check->request.number) {
		channel->answered_message = check->request.message;
		channel->answered = told(check, true);
	}
}

int vhu_state_learn(struct vhu_check_context *check, uint32_t forced_device)
{
	const struct vhu_annotation *note = check->note;
	struct vhu_vring *vring;
	uint64_t value = 0;

	learn_last(check);
	if (!vhu_check_has_fields(check))
		return 0;
	if (note->vring >= 0 && note->vring < VHU_VRINGS_MAX &&
	    check->record->channel == VHU_FRONT_END) {
		vring = vring_of(check);
		if (!vring)
			return -ENOMEM;
		learn_vring(check, vring);
		return 0;
	}
	if (note->layout->fields)
		value = vhu_get(check, note->layout->first);
	if (!note->reply)
		return learn_request(check, value, forced_device);
	learn_answer(check, value, forced_device);
	return 0;
}
