/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the records of sessions tell of vrings. */
#include "tools/latency/sources/told.h"

#include <errno.h>

/* Say which eventfds a session's vrings have, at @time_ns. Returns 0 or -ENOMEM. */
static int take_state(struct vhu_latency_vrings *vrings, const struct vhu_state *state,
		      uint64_t time_ns)
{
	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *known = &state->vring[i];
		struct vhu_latency_vring *vring;

		if (!known->fd[VHU_KICK].number && !known->fd[VHU_CALL].number)
			continue;
		vring = vhu_latency_vrings_get(vrings, state->id, i);
		if (!vring)
			return -ENOMEM;
		vring->polled = known->fd[VHU_KICK].number && known->fd[VHU_KICK].polling;
		vring->peer[VHU_LATENCY_FRONT_END] = state->peer[0].pid;
		vring->peer[VHU_LATENCY_BACK_END] = state->peer[1].pid;
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++) {
			const struct vhu_vring_fd *fd = &known->fd[which];

			if (fd->number && fd->has_eventfd)
				vhu_latency_vrings_told(vrings, vring, which, fd->eventfd_id,
							fd->number, time_ns);
			else
				vhu_latency_vrings_want(vrings, vring, which, false, 0);
		}
	}
	return 0;
}

/* Let the vrings of a session that closed have nothing. */
static void end_session(struct vhu_latency_vrings *vrings, uint64_t session)
{
	for (unsigned i = 0; i < vrings->count; i++)
		if (vrings->vring[i]->session == session)
			for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES;
			     which++)
				vhu_latency_vrings_want(vrings, vrings->vring[i], which, false, 0);
}

int vhu_latency_told_take(struct vhu_latency_vrings *vrings, struct vhu_sessions *sessions,
			  const struct vhu_record *record, uint64_t number, uint64_t time_ns)
{
	struct vhu_annotation note;
	int ret = vhu_session_feed(sessions, record, number, &note);

	if (ret)
		return ret;
	if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END)
		end_session(vrings, record->session);
	else if (record->type == VHU_RECORD_MESSAGE && note.state && note.vring >= 0)
		ret = take_state(vrings, note.state, time_ns);
	return ret;
}
