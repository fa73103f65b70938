/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The eventfds of vrings, from the records of sessions. */
#include "tools/latency/sources/told.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/protocol/line.h"
#include "lib/util/util.h"
#include "tools/latency/vrings/owner.h"

/* After a vring's addresses its eventfds come within this time. */
#define NAMED_NS VHU_NS_PER_S

const char *vhu_latency_pair_name(const char *front_end, const char *back_end)
{
	return *front_end ? front_end : back_end;
}

/* Return what a session is called. */
static const char *pair_of(struct vhu_rings_sessions *kept, uint64_t number)
{
	const struct vhu_rings_session *session =
	    (const struct vhu_rings_session *)vhu_by_session_find(&kept->open, number);

	return session ? vhu_latency_pair_name(session->path[VHU_RINGS_FRONT],
					       session->path[VHU_RINGS_BACK])
		       : "";
}

/* Note whether a session that began before its capture has vrings whose eventfds are not known. */
static void note_nameless(struct vhu_latency_told *told, const struct vhu_state *state)
{
	struct vhu_latency_nameless *nameless = &told->nameless;
	bool lacks = false;

	if (!state->begun_before || (nameless->session && nameless->session != state->id))
		return;
	for (unsigned i = 0; i < state->vrings; i++)
		lacks |= state->vring[i].descriptor.by && !state->vring[i].fd[VHU_KICK].number &&
			 !state->vring[i].fd[VHU_CALL].number;
	nameless->session = lacks ? state->id : 0;
	nameless->back_end = state->peer[1].pid;
}

/* Say which eventfds a session's vrings have, at @time_ns. Returns 0 or -ENOMEM. */
static int take_state(const struct vhu_latency_told *told, const struct vhu_state *state,
		      uint64_t time_ns)
{
	struct vhu_latency_vrings *vrings = told->vrings;

	for (unsigned i = 0; i < state->vrings; i++) {
		const struct vhu_vring *known = &state->vring[i];
		struct vhu_latency_vring *vring;

		if (!known->fd[VHU_KICK].number && !known->fd[VHU_CALL].number)
			continue;
		vring = vhu_latency_vrings_get(vrings, state->id, i);
		if (!vring)
			return -ENOMEM;
		if (!vring->pair && told->kept)
			vring->pair = strdup(pair_of(told->kept, state->id));
		vring->polled = known->fd[VHU_KICK].number && known->fd[VHU_KICK].polling;
		vhu_latency_owner_take(vring, state);
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

/* A kick was sent on request: the driver has no buffers for it and gets no call. */
static void take_sent(struct vhu_latency_vrings *vrings, uint64_t session, uint32_t index)
{
	for (unsigned i = 0; i < vrings->count; i++)
		if (vrings->vring[i]->session == session && vrings->vring[i]->index == index)
			vrings->vring[i]->renewed = true;
}

int vhu_latency_told_open(struct vhu_latency_told *told, struct vhu_latency_vrings *vrings,
			  bool keep)
{
	*told = (struct vhu_latency_told){.vrings = vrings, .sessions = vhu_sessions_new(false)};
	if (keep)
		told->kept = calloc(1, sizeof(*told->kept));
	return told->sessions && (told->kept || !keep) ? 0 : -ENOMEM;
}

void vhu_latency_told_close(struct vhu_latency_told *told)
{
	vhu_sessions_free(told->sessions);
	if (told->kept)
		vhu_rings_sessions_free(told->kept);
	free(told->kept);
	*told = (struct vhu_latency_told){0};
}

int vhu_latency_told_take(struct vhu_latency_told *told, const struct vhu_record *record,
			  uint64_t number, uint64_t time_ns)
{
	struct vhu_annotation note;
	int ret = vhu_session_feed(told->sessions, record, number, &note);

	if (!ret && told->kept)
		ret = vhu_rings_sessions_see(told->kept, record, number, &note);
	if (ret)
		return ret;
	if (record->type != VHU_RECORD_VRING)
		told->changed_ns = vhu_now_ns();
	else if (record->vring.has & VHU_VRING_HAS_FATE && record->vring.fate == VHU_FATE_SENT)
		take_sent(told->vrings, record->session, record->vring.vring);
	if (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END)
		end_session(told->vrings, record->session);
	else if (record->type == VHU_RECORD_MESSAGE && note.state && note.vring >= 0)
		ret = take_state(told, note.state, time_ns);
	if (record->type == VHU_RECORD_CLOSED && record->session == told->nameless.session)
		told->nameless.session = 0;
	else if (record->type == VHU_RECORD_MESSAGE && note.state && note.vring >= 0)
		note_nameless(told, note.state);
	return ret;
}

bool vhu_latency_told_nameless(struct vhu_latency_told *told, uint64_t now_ns, char *text,
			       size_t size)
{
	struct vhu_latency_nameless *nameless = &told->nameless;
	struct vhu_line line = vhu_line_in(text, size);

	if (!nameless->session || nameless->said || now_ns < told->changed_ns + NAMED_NS)
		return false;
	nameless->said = true;
	vhu_line_printf(&line,
			"session %" PRIu64
			" began before the capture, which does not name the eventfds of its "
			"vrings: kicks and calls are not counted; `vhu attach --qmp --refresh` has "
			"QEMU pass them again",
			nameless->session);
	if (nameless->back_end)
		vhu_line_printf(&line, ", `vhu latency -p %" PRIu32 "` finds them by their traffic",
				nameless->back_end);
	return true;
}
