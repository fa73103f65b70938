/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions that a source has, and the source that a person means. */
#include "tools/rings/places/places.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/reading.h"

int vhu_rings_places_capture(const struct vhu_rings_request *request, const char *path,
			     struct vhu_rings_sessions *sessions)
{
	char *const paths[] = {(char *)path};
	struct vhu_reading reading = {
	    .command = request->command,
	    .paths = paths,
	    .count = 1,
	    .see = vhu_rings_sessions_see,
	    .with = sessions,
	};

	return vhu_reading_run(&reading);
}

/* Leave out the sessions that were not asked for. */
static void choose(const struct vhu_rings_request *request, struct vhu_rings_sessions *sessions)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < sessions->count; i++) {
		struct vhu_rings_session *session = sessions->session[i];
		bool wanted = !request->session || session->kept.session == request->session;

		if (request->pid && !request->qmp)
			wanted &= session->pid[VHU_RINGS_FRONT] == request->pid ||
				  session->pid[VHU_RINGS_BACK] == request->pid;
		if (wanted)
			sessions->session[kept++] = session;
		else
			vhu_rings_session_free(session);
	}
	sessions->count = kept;
}

/* Return whether a process has a session. @known: one whose memory is known. */
static bool has_session(const struct vhu_rings_sessions *sessions, uint32_t pid, bool known)
{
	for (unsigned i = 0; i < sessions->count; i++)
		if ((sessions->session[i]->regions || !known) &&
		    (sessions->session[i]->pid[VHU_RINGS_FRONT] == pid ||
		     sessions->session[i]->pid[VHU_RINGS_BACK] == pid))
			return true;
	return false;
}

/* Read the sessions of the proxy that a process is connected to, or of the vhu attach that watched
 * its session from the beginning. */
static int places_of_pid(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions)
{
	struct vhu_prologue *const prologue = sessions->prologue;
	struct vhu_rings_request at_control = *request;
	char path[PATH_MAX];
	int status;

	if (kill((pid_t)request->pid, 0) && errno == ESRCH)
		return vhu_fail(request->command, "there is no process %" PRIu32, request->pid);
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd", request->pid);
	if (access(path, R_OK | X_OK))
		return vhu_fail(request->command,
				"cannot look into process %" PRIu32
				": %s: run as root, or with CAP_SYS_PTRACE",
				request->pid, strerror(errno));
	if (vhu_rings_capture_of(request->pid, path, sizeof(path)))
		return vhu_rings_places_capture(request, path, sessions);
	if (vhu_rings_control_of(request->pid, path, sizeof(path))) {
		at_control.control = path;
		return vhu_rings_places_control(&at_control, sessions);
	}
	for (unsigned turn = 0; turn < 2; turn++)
		for (unsigned i = 0; vhu_rings_capture_attached(i, path, sizeof(path)); i++) {
			if (vhu_rings_places_capture(request, path, sessions) == VHU_EXIT_DONE &&
			    has_session(sessions, request->pid, turn == 0))
				return VHU_EXIT_DONE;
			vhu_rings_sessions_free(sessions);
			sessions->prologue = prologue;
		}
	status = vhu_rings_places_control(request, sessions);
	if (status != VHU_EXIT_DONE)
		vhu_rings_say_facts(request->command, request->pid);
	return status;
}

int vhu_rings_places(const struct vhu_rings_request *request, struct vhu_rings_sessions *sessions)
{
	int status;

	if (request->qmp)
		status = vhu_rings_places_qmp(request, sessions);
	else if (request->capture)
		status = vhu_rings_places_capture(request, request->capture, sessions);
	else if (request->pid && !request->control)
		status = places_of_pid(request, sessions);
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
