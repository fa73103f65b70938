/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions that a source has, and the source that a person means. */
#include "tools/rings/places/places.h"

#include <inttypes.h>

/* Leave out the sessions that were not asked for. */
static void choose(const struct vhu_rings_request *request, struct vhu_rings_sessions *sessions)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < sessions->count; i++) {
		struct vhu_rings_session *session = sessions->session[i];
		bool wanted = !request->session || session->kept.session == request->session;

		if (request->pid && !request->qmp && !sessions->of_proxy)
			wanted &= session->pid[VHU_RINGS_FRONT] == request->pid ||
				  session->pid[VHU_RINGS_BACK] == request->pid;
		if (wanted)
			sessions->session[kept++] = session;
		else
			vhu_rings_session_free(session);
	}
	sessions->count = kept;
}

int vhu_rings_places(const struct vhu_rings_request *request, struct vhu_rings_sessions *sessions)
{
	int status;

	if (request->qmp)
		status = vhu_rings_places_qmp(request, sessions);
	else if (request->capture)
		status = vhu_rings_places_capture(request, request->capture, sessions);
	else if (request->pid && !request->control)
		status = vhu_rings_places_pid(request, sessions);
	else
		status = vhu_rings_places_control(request, sessions);
	if (status != VHU_EXIT_DONE)
		return status;
	choose(request, sessions);
	if (sessions->count || request->again)
		return VHU_EXIT_DONE;
	if (request->session)
		return vhu_fail(request->command, "no session %" PRIu64 " is open",
				request->session);
	if (request->pid)
		return vhu_fail(request->command, "no session of process %" PRIu32 " is open",
				request->pid);
	return vhu_fail(request->command, "%s: %s",
			request->capture   ? request->capture
			: request->control ? request->control
			: request->qmp     ? request->qmp
					   : "the proxy",
			*sessions->none ? sessions->none : "no session is open");
}
