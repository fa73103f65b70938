/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What messages change in what is known of vrings, and where their areas are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session/state/internal.h"

void vhu_vring_areas(const struct vhu_vring *vring, bool packed, struct vhu_vring_area area[3])
{
	const uint64_t size = vring->size.value;
	const uint64_t available = vring->available.value, used = vring->used.value;

	area[0] = (struct vhu_vring_area){"descriptor", vring->descriptor.value, 16 * size, 16};
	if (packed) {
		area[1] = (struct vhu_vring_area){"driver event", available, 4, 4};
		area[2] = (struct vhu_vring_area){"device event", used, 4, 4};
	} else {
		area[1] = (struct vhu_vring_area){"available", available, 4 + 2 * size, 2};
		area[2] = (struct vhu_vring_area){"used", used, 4 + 8 * size, 4};
	}
}

/* Return the vring that a message is about, made if it is new; NULL out of memory. */
static struct vhu_vring *vring_of(struct vhu_check_context *check)
{
	struct vhu_state *state = check->state;
	const unsigned index = (unsigned)check->note->vring;

	if (index >= state->vrings) {
		struct vhu_vring *more = reallocarray(state->vring, index + 1, sizeof(*more));

		if (!more)
			return NULL;
		memset(more + state->vrings, 0, (index + 1 - state->vrings) * sizeof(*more));
		state->vring = more;
		state->vrings = index + 1;
	}
	return &state->vring[index];
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

/* Forget that a ring was stopped while it was in use. */
static void forget_stopped_in_use(struct vhu_check_context *check, struct vhu_vring *vring)
{
	check->state->stopped_in_use -= vring->stopped_in_use;
	vring->stopped_in_use = false;
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
	vring->started = vhu_told(check, true);
	vring->stopped_before = vring->stopped;
	vring->start_ns = check->record->time_ns;
	vring->kick_may_be_lost = vring->called = false;
	vring->kicked_by = 0;
	forget_stopped_in_use(check, vring);
	if (!check->state->first_kick_ns)
		check->state->first_kick_ns = check->record->time_ns;
	if (check->state->context.has_features &&
	    !(check->state->context.features >> VHU_F_PROTOCOL_FEATURES & 1)) {
		vring->enabled_by_start |= !vring->enabled.value;
		vring->enabled.value = true;
		vring->enabled_with = check->state->features.acked;
	}
	if (!vring->enabled.value && !check->state->started_disabled_ns)
		check->state->started_disabled_ns = check->record->time_ns;
}

/* Note that a ring stopped, or has answered that it did. */
static void stopped(struct vhu_check_context *check)
{
	check->state->stopped = vhu_told(check, check->record->time_ns);
}

/* Stop a ring. */
static void vring_stop(struct vhu_check_context *check, struct vhu_vring *vring)
{
	stopped(check);
	check->state->enabled_unacknowledged -= vring->enabled_unacknowledged;
	vring->enabled_unacknowledged = false;
	/* It was enabled for as long as it ran. */
	if (vring->enabled_by_start)
		vring->enabled.value = vring->enabled_by_start = false;
	vring->started.value = false;
	vring->stopped = vhu_told(check, check->record->time_ns);
	for (enum vhu_vring_role role = VHU_KICK; role < VHU_VRING_ROLES; role++)
		vring->fd[role].replaced = vring->fd[role].unacknowledged = 0;
}

/* Note whether a ring that is stopped is in use: no message disabled it before. A driver may reset
 * one ring alone where RING_RESET was acked. */
static void learn_stopped_in_use(struct vhu_check_context *check, struct vhu_vring *vring)
{
	if (!vring->started.value || !vring->enabled.value || !vring->enabled.by ||
	    (check->state->context.features >> VHU_F_RING_RESET & 1))
		return;
	vring->stopped_in_use = true;
	check->state->stopped_in_use++;
}

void vhu_learn_vring_event(struct vhu_check_context *check)
{
	const struct vhu_vring_event *event = &check->record->vring;
	struct vhu_vring *vring;

	if (event->vring >= check->state->vrings)
		return;
	vring = &check->state->vring[event->vring];
	if (event->act == VHU_ACT_CALL) {
		vring->called |= vring->kicked_by != 0;
	} else if (event->act == VHU_ACT_KICK && vring->started.value && !vring->kicked_by &&
		   !((event->has & VHU_VRING_HAS_FATE) && event->fate == VHU_FATE_LOST)) {
		vring->kicked_by = check->number;
		vring->kicked_ns = check->record->time_ns;
	}
}

void vhu_learn_reset(struct vhu_check_context *check)
{
	stopped(check);
	vhu_learn_unmapped(check->state);
	for (unsigned i = 0; i < check->state->vrings; i++) {
		forget_stopped_in_use(check, &check->state->vring[i]);
		vring_stop(check, &check->state->vring[i]);
		check->state->vring[i].enabled.value = false;
		check->state->vring[i].disabled = vhu_told(check, true);
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
	bool acknowledged =
	    (check->note->header.flags & VHU_FLAG_NEED_REPLY) && vhu_taken(check, VHU_PF_REPLY_ACK);
	bool unacknowledged =
	    enable && vring->started.value && !vring->enabled.value && !acknowledged;

	check->state->enabled_unacknowledged += unacknowledged;
	check->state->enabled_unacknowledged -= vring->enabled_unacknowledged;
	vring->enabled_unacknowledged = unacknowledged;
	if (enable && (!vring->enabled.value || vring->enabled_by_start)) {
		vring->enabled_since = vhu_told(check, true);
		vring->disabled_before = vring->disabled;
	}
	if (!enable) {
		vring->disabled = vhu_told(check, true);
		forget_stopped_in_use(check, vring);
	}
	vring->enabled_by_start = false;
	vring->enabled = vhu_told(check, enable);
	vring->enabled_ns = check->record->time_ns;
}

int vhu_learn_vring(struct vhu_check_context *check)
{
	struct vhu_vring *vring = vring_of(check);

	if (!vring)
		return -ENOMEM;
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_VRING_NUM):
		vring->size = vhu_told(check, (uint32_t)vhu_get(check, VHU_FIELD_vring_size_num));
		vring->addresses_checked = false;
		break;
	case VHU_REQUEST(SET_VRING_ADDR):
		vring->descriptor =
		    vhu_told(check, vhu_get(check, VHU_FIELD_vring_addr_descriptor));
		vring->available = vhu_told(check, vhu_get(check, VHU_FIELD_vring_addr_available));
		vring->used = vhu_told(check, vhu_get(check, VHU_FIELD_vring_addr_used));
		vring->addresses_checked = false;
		break;
	case VHU_REQUEST(SET_VRING_BASE):
		vring->base_last = vring->base =
		    vhu_told(check, (uint32_t)vhu_get(check, VHU_FIELD_vring_index_num));
		break;
	case VHU_REQUEST(GET_VRING_BASE):
	case VHU_REQUEST(GET_VRING_BASE_SKIP_DRAIN):
		learn_stopped_in_use(check, vring);
		vring_stop(check, vring);
		break;
	case VHU_REPLY_TO(GET_VRING_BASE):
	case VHU_REPLY_TO(GET_VRING_BASE_SKIP_DRAIN):
		vring->base_last = vring->base_got =
		    vhu_told(check, (uint32_t)vhu_get(check, VHU_FIELD_vring_index_num));
		stopped(check);
		break;
	case VHU_REQUEST(SET_VRING_ENABLE):
		learn_enable(check, vring, vhu_get(check, VHU_FIELD_vring_enable_enable) == 1);
		break;
	case VHU_REQUEST(SET_VRING_ENDIAN):
		vring->endian = vhu_told(check, vhu_get(check, VHU_FIELD_vring_endian_endian));
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
	return 0;
}
