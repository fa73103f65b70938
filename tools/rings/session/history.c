/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state of a session forgets and a vring's verdict needs. */
#include "tools/rings/session/history.h"

#include <errno.h>
#include <string.h>

#include "lib/protocol/field.h"
#include "lib/util/array.h"

/* More than a leak needs to be believed. */
#define OLDS_MAX 65536

/* Return which message a record is; VHU_MESSAGES if it is not known. */
static enum vhu_message_id message_of(const struct vhu_annotation *note)
{
	return note->message ? (enum vhu_message_id)(note->message - vhu_messages) : VHU_MESSAGES;
}

/* Return a field of a message, 0 if the message has not got it. */
static uint64_t field(const struct vhu_annotation *note, enum vhu_field_id id)
{
	uint64_t value = 0;

	return vhu_field_read(&note->payload, id, 0, &value) ? value : 0;
}

/* Keep where the in-flight area is. */
static void see_inflight(struct vhu_rings_session *session, const struct vhu_record *record,
			 const struct vhu_annotation *note)
{
	const struct vhu_fd_info *fd = record->fds ? &record->fd[0] : NULL;

	if (!fd || !(fd->has & VHU_FD_HAS_INODE))
		return;
	session->inflight = (struct vhu_rings_area){
	    .file = {true, fd->inode, fd->device},
	    .offset = field(note, VHU_FIELD_inflight_mmap_offset),
	    .size = field(note, VHU_FIELD_inflight_mmap_size),
	    .queues = (unsigned)field(note, VHU_FIELD_inflight_num_queues),
	};
}

/* Keep an eventfd that was replaced. Returns 0 or -ENOMEM. */
static int add_old(struct vhu_rings_session *session, unsigned vring, enum vhu_vring_role role,
		   uint64_t number)
{
	struct vhu_rings_old *more;

	if (session->olds == OLDS_MAX)
		return 0;
	more = vhu_array_more(session->old, &session->olds, sizeof(*more));
	if (!more)
		return -ENOMEM;
	session->old = more;
	session->old[session->olds - 1] =
	    (struct vhu_rings_old){session->seen[vring].fd[role].id, vring, role, number};
	return 0;
}

/* Look whether a message has given a vring another eventfd, or stopped it. Returns 0 or -ENOMEM. */
static int see_vring(struct vhu_rings_session *session, unsigned index,
		     const struct vhu_record *record, uint64_t number,
		     const struct vhu_annotation *note)
{
	const struct vhu_vring *vring = &note->state->vring[index];
	struct vhu_rings_fds *seen = &session->seen[index];
	int ret = 0;

	if (vring->stopped.by == number)
		seen->stopped = message_of(note);
	if (vring->enabled.by == number && !vring->enabled.value)
		seen->disabled = message_of(note);
	for (enum vhu_vring_role role = VHU_KICK; role < VHU_VRING_ROLES && !ret; role++) {
		const struct vhu_vring_fd *fd = &vring->fd[role];

		if (fd->number != number)
			continue;
		if (seen->fd[role].known &&
		    !(fd->has_eventfd && fd->eventfd_id == seen->fd[role].id))
			ret = add_old(session, index, role, number);
		seen->fd[role] = (struct vhu_rings_eventfd){fd->has_eventfd, fd->eventfd_id};
		seen->interposed[role] = record->marks & VHU_MARK_ALTERED && record->text &&
					 !strcmp(record->text, VHU_RECORD_INTERPOSED);
		/* Front-ends kick vrings that they start, with or without buffers. */
		if (role == VHU_KICK)
			vhu_turns_begin(&seen->turns);
		if (role == VHU_KICK && ++seen->kicks > session->resets + 1)
			session->resets = seen->kicks - 1;
	}
	return ret;
}

void vhu_rings_history_signal(struct vhu_rings_session *session, const struct vhu_record *record)
{
	const struct vhu_vring_event *event = &record->vring;
	const bool told = event->has & VHU_VRING_HAS_FATE;
	const bool lost = told && event->fate == VHU_FATE_LOST;
	const bool sent = told && event->fate == VHU_FATE_SENT;
	const bool kick = event->act == VHU_ACT_KICK;
	const uint64_t count = told ? event->signals : 1;
	struct vhu_ring_signals *signals;
	struct vhu_rings_fds *seen;
	bool *lost_before;

	if (event->vring >= VHU_VRINGS_MAX || (!kick && event->act != VHU_ACT_CALL))
		return;
	seen = &session->seen[event->vring];
	signals = &seen->signals;
	lost_before = kick ? &signals->lost_kick : &signals->lost_call;
	/* Those that are lost, the next one behind them, and those that somebody asked for are
	 * recorded even if no others are; and kicks may be recorded without calls. */
	if (!lost && !*lost_before && !sent)
		*(kick ? &seen->records_kicks : &seen->records_calls) = true;
	signals->known = seen->records_kicks && seen->records_calls;
	*lost_before = lost;
	if (lost)
		return;
	*(kick ? &signals->kicks : &signals->calls) += count;
	if (!kick)
		vhu_turns_call(&seen->turns, count);
	else if (!sent) /* one that somebody asked for need not have a call */
		vhu_turns_kick(&seen->turns, count, record->time_ns);
}

int vhu_rings_history_see(struct vhu_rings_session *session, const struct vhu_record *record,
			  uint64_t number, const struct vhu_annotation *note)
{
	int ret = 0;

	if (message_of(note) == VHU_MSG_SET_INFLIGHT_FD)
		see_inflight(session, record, note);
	if (note->vring >= 0 && (unsigned)note->vring < note->state->vrings)
		return see_vring(session, (unsigned)note->vring, record, number, note);
	/* A reset is about all vrings. */
	for (unsigned i = 0; i < note->state->vrings && !ret; i++)
		if (note->state->vring[i].stopped.by == number ||
		    note->state->vring[i].enabled.by == number)
			ret = see_vring(session, i, record, number, note);
	return ret;
}
