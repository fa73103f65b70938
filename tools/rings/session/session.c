/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions whose vrings are looked at. */
#include "tools/rings/session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ringwatch/session.h"
#include "lib/util/array.h"
#include "lib/util/util.h"
#include "tools/rings/session/history.h"

/* Eventfds of sessions that were closed. */
#define CLOSED_MAX 65536

void vhu_rings_session_free(struct vhu_rings_session *session)
{
	free(session->region);
	free(session->vring);
	free(session->translation);
	free(session->old);
	free(session);
}

struct vhu_rings_session *vhu_rings_sessions_add(struct vhu_rings_sessions *sessions)
{
	struct vhu_rings_session *session = calloc(1, sizeof(*session));
	struct vhu_rings_session **more;

	more = session ? vhu_array_more(sessions->session, &sessions->count, sizeof(*more)) : NULL;
	if (!more) {
		free(session);
		return NULL;
	}
	sessions->session = more;
	sessions->session[sessions->count - 1] = session;
	return session;
}

struct vhu_rings_session *vhu_rings_sessions_find(const struct vhu_rings_sessions *sessions,
						  uint64_t number)
{
	for (unsigned i = 0; i < sessions->count; i++)
		if (sessions->session[i]->kept.session == number)
			return sessions->session[i];
	return NULL;
}

struct vhu_rings_vring *vhu_rings_session_vring(const struct vhu_rings_session *session,
						unsigned index)
{
	for (unsigned i = 0; i < session->vrings; i++)
		if (session->vring[i].index == index)
			return &session->vring[i];
	return NULL;
}

const struct vhu_rings_eventfd *vhu_rings_vring_eventfd(const struct vhu_rings_vring *vring,
							enum vhu_vring_role role, unsigned side)
{
	return side == VHU_RINGS_BACK && vring->interposed[role] ? &vring->instead[role]
								 : &vring->fd[role];
}

bool vhu_rings_session_same_vring(const struct vhu_rings_session *one,
				  const struct vhu_rings_session *other, unsigned index)
{
	const struct vhu_rings_vring *a = vhu_rings_session_vring(one, index);
	const struct vhu_rings_vring *b = vhu_rings_session_vring(other, index);

	if (index == VHU_RING_NO_VRING)
		return other->vrings == 0;
	if (!a || !b || a->size != b->size || a->descriptor != b->descriptor ||
	    a->available != b->available || a->used != b->used ||
	    a->session.started != b->session.started || a->session.enabled != b->session.enabled ||
	    a->session.stopped_by != b->session.stopped_by ||
	    a->session.base_by != b->session.base_by || a->signals.kicks != b->signals.kicks ||
	    a->signals.calls != b->signals.calls || one->regions != other->regions)
		return false;
	for (unsigned i = 0; i < VHU_VRING_ROLES; i++)
		if (a->fd[i].known != b->fd[i].known || a->fd[i].id != b->fd[i].id)
			return false;
	return true;
}

/* Keep the eventfds of a session that is closed: its back-end should not. Returns 0 or -ENOMEM. */
static int keep_closed(struct vhu_rings_sessions *sessions, struct vhu_rings_session *session,
		       uint64_t number)
{
	struct vhu_rings_closed *more;

	for (unsigned i = 0; i < VHU_VRINGS_MAX; i++)
		for (unsigned role = 0; role < VHU_VRING_ROLES; role++) {
			if (!session->seen[i].fd[role].known || sessions->closes == CLOSED_MAX)
				continue;
			more = vhu_array_more(sessions->closed, &sessions->closes, sizeof(*more));
			if (!more)
				return -ENOMEM;
			sessions->closed = more;
			sessions->closed[sessions->closes - 1] = (struct vhu_rings_closed){
			    session->pid[VHU_RINGS_BACK],
			    {session->seen[i].fd[role].id, i, role, number}};
		}
	return 0;
}

/* Return the session of a record, new if it is seen first; NULL out of memory. */
static struct vhu_rings_session *session_of(struct vhu_rings_sessions *sessions, uint64_t number)
{
	struct vhu_rings_session *session =
	    (struct vhu_rings_session *)vhu_by_session_find(&sessions->open, number);

	if (session)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	if (sessions->open.count == VHU_BY_SESSION_MAX) {
		struct vhu_kept *oldest = vhu_by_session_oldest(&sessions->open, number);

		vhu_by_session_remove(&sessions->open, oldest);
		vhu_rings_session_free((struct vhu_rings_session *)oldest);
	}
	session->kept.session = number;
	session->history = true;
	vhu_by_session_add(&sessions->open, &session->kept);
	return session;
}

/* Take who is at one side. */
static void take_peer(struct vhu_rings_session *session, unsigned side, const struct vhu_peer *peer)
{
	if (peer->known)
		session->pid[side] = peer->pid;
	snprintf(session->path[side], sizeof(session->path[side]), "%s", peer->path);
}

/* Take the memory. Returns 0 or -ENOMEM. */
static int take_regions(struct vhu_rings_session *session, const struct vhu_state *state)
{
	session->region = calloc(state->regions + 1, sizeof(*session->region));
	if (!session->region)
		return -ENOMEM;
	session->regions = state->regions;
	for (unsigned i = 0; i < state->regions; i++) {
		const struct vhu_region *from = &state->region[i];

		session->region[i] = (struct vhu_rings_region){
		    .guest = from->guest_address,
		    .user = from->user_address,
		    .size = from->size,
		    .offset = from->mmap_offset,
		    .file = {from->has_fd && from->fd.has & VHU_FD_HAS_INODE, from->fd.inode,
			     from->fd.device},
		};
	}
	return 0;
}

/* Make out what a state says of a vring. */
static struct vhu_rings_vring vring_of(const struct vhu_rings_session *session, unsigned index,
				       const struct vhu_state *state)
{
	const struct vhu_vring *from = &state->vring[index];
	const struct vhu_rings_fds *seen = &session->seen[index];
	const struct vhu_ring_place place = vhu_ringwatch_place(state, from);
	const uint64_t now = vhu_realtime_ns();
	struct vhu_rings_vring vring = {
	    .index = index,
	    .size = place.size,
	    .descriptor = place.descriptor,
	    .available = place.available,
	    .used = place.used,
	    .big_endian = place.big_endian,
	    .signals = seen->signals,
	    .session = vhu_ringwatch_session(state, from, seen->stopped, seen->disabled),
	};

	vring.signals.open_kicks = seen->turns.open;
	vring.signals.in_turn = vhu_turns_in_turn(&seen->turns);
	if (seen->turns.open && now > seen->turns.open_ns)
		vring.signals.open_ns = now - seen->turns.open_ns;
	memcpy(vring.interposed, seen->interposed, sizeof(vring.interposed));
	for (unsigned role = 0; role < VHU_VRING_ROLES; role++)
		vring.fd[role] = (struct vhu_rings_eventfd){
		    from->fd[role].number && from->fd[role].has_eventfd, from->fd[role].eventfd_id};
	return vring;
}

/* Take what a state says. Returns 0 or -ENOMEM. */
static int take_state(struct vhu_rings_session *session, const struct vhu_state *state)
{
	session->context = state->context;
	session->opened_ns = state->opened_ns;
	session->begun_before = state->begun_before;
	session->vring = calloc(state->vrings + 1, sizeof(*session->vring));
	if (!session->vring || take_regions(session, state) ||
	    vhu_ringwatch_translations(state, &session->translation, &session->translations))
		return -ENOMEM;
	for (unsigned i = 0; i < state->vrings; i++)
		if (state->vring[i].descriptor.by && state->vring[i].size.by)
			session->vring[session->vrings++] = vring_of(session, i, state);
	for (unsigned side = 0; side < VHU_RINGS_SIDES; side++)
		if (!session->pid[side])
			session->pid[side] = state->peer[side].pid;
	session->pending = vhu_ringwatch_pending(state, false);
	return 0;
}

/* Give a session the eventfds of earlier ones of the same back-end. Returns 0 or -ENOMEM. */
static int take_closed(const struct vhu_rings_sessions *sessions, struct vhu_rings_session *session)
{
	struct vhu_rings_old *more;

	for (unsigned i = 0; i < sessions->closes && session->pid[VHU_RINGS_BACK]; i++) {
		if (sessions->closed[i].pid != session->pid[VHU_RINGS_BACK])
			continue;
		more = vhu_array_more(session->old, &session->olds, sizeof(*more));
		if (!more)
			return -ENOMEM;
		session->old = more;
		session->old[session->olds - 1] = sessions->closed[i].old;
		/* It belonged to no vring of this session. */
		session->old[session->olds - 1].vring = VHU_VRINGS_MAX;
	}
	return 0;
}

/* Put a session that the capture leaves open into the list. Returns 0 or -ENOMEM. */
static int finish(struct vhu_rings_sessions *sessions, struct vhu_rings_session *session,
		  const struct vhu_state *state)
{
	struct vhu_rings_session **more =
	    vhu_array_more(sessions->session, &sessions->count, sizeof(*more));

	if (!more)
		return -ENOMEM;
	sessions->session = more;
	sessions->session[sessions->count - 1] = session;
	vhu_by_session_remove(&sessions->open, &session->kept);
	return take_state(session, state) ?: take_closed(sessions, session);
}

int vhu_rings_sessions_see(void *with, const struct vhu_record *record, uint64_t number,
			   const struct vhu_annotation *note)
{
	struct vhu_rings_sessions *sessions = with;
	uint64_t id = record ? record->session : note->state->id;
	struct vhu_rings_session *session;
	int ret = 0;

	if (id == 0)
		return 0;
	if (record && sessions->prologue)
		vhu_prologue_take(sessions->prologue, record);
	session = session_of(sessions, id);
	if (!session)
		return -ENOMEM;
	if (!record)
		return finish(sessions, session, note->state);
	if (record->type == VHU_RECORD_OPENED && record->channel == VHU_FRONT_END) {
		take_peer(session, VHU_RINGS_FRONT, &record->front_end);
		take_peer(session, VHU_RINGS_BACK, &record->back_end);
		/* The prologue of a file holds the earlier history only in part. */
		session->history = !(record->marks & (VHU_MARK_EARLIER | VHU_MARK_BEGUN));
	} else if (record->type == VHU_RECORD_MESSAGE && note->state) {
		ret = vhu_rings_history_see(session, record, number, note);
	} else if (record->type == VHU_RECORD_VRING) {
		vhu_rings_history_signal(session, record);
	} else if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END) {
		ret = keep_closed(sessions, session, number);
		vhu_by_session_remove(&sessions->open, &session->kept);
		vhu_rings_session_free(session);
	}
	return ret;
}

/* Copy an array. Returns 0 or -ENOMEM. */
static int copy_array(void *to, unsigned count, size_t size)
{
	void **array = to, *copy = count ? malloc(count * size) : NULL;

	if (copy)
		memcpy(copy, *array, count * size);
	*array = copy;
	return count && !copy ? -ENOMEM : 0;
}

/* Put a copy of an open session, with what its state says, into a list. Returns 0 or -ENOMEM. */
static int add_copy(const struct vhu_rings_sessions *sessions,
		    const struct vhu_rings_session *session, const struct vhu_state *state,
		    struct vhu_rings_sessions *to)
{
	struct vhu_rings_session *copy = vhu_rings_sessions_add(to);

	if (!copy)
		return -ENOMEM;
	*copy = *session;
	copy->kept.next = NULL;
	return copy_array(&copy->old, copy->olds, sizeof(*copy->old)) ?: take_state(copy, state)
		   ?: take_closed(sessions, copy);
}

int vhu_rings_sessions_now(const struct vhu_rings_sessions *sessions,
			   const struct vhu_sessions *known, struct vhu_rings_sessions *to)
{
	int ret = 0;

	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++)
		for (const struct vhu_kept *kept = sessions->open.bucket[b]; kept && !ret;
		     kept = kept->next) {
			const struct vhu_state *state = vhu_sessions_state(known, kept->session);

			if (state)
				ret = add_copy(sessions, (const struct vhu_rings_session *)kept,
					       state, to);
		}
	return ret;
}

void vhu_rings_sessions_free(struct vhu_rings_sessions *sessions)
{
	for (unsigned i = 0; i < sessions->count; i++)
		vhu_rings_session_free(sessions->session[i]);
	for (unsigned b = 0; b < VHU_BY_SESSION_BUCKETS; b++)
		while (sessions->open.bucket[b]) {
			struct vhu_kept *kept = sessions->open.bucket[b];

			vhu_by_session_remove(&sessions->open, kept);
			vhu_rings_session_free((struct vhu_rings_session *)kept);
		}
	free(sessions->session);
	free(sessions->closed);
	*sessions = (struct vhu_rings_sessions){0};
}
