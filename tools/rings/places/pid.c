/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions of a process, from what records them. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/duration.h"
#include "tools/rings/places/places.h"
#include "tools/rings/process/proxy.h"

/* Return whether a process has a session. @known: one whose memory is known. */
static bool has_session(const struct vhu_rings_sessions *sessions, uint32_t pid, bool known)
{
	for (unsigned i = 0; i < sessions->count; i++)
		if ((sessions->session[i]->regions || !known) &&
		    (sessions->of_proxy || sessions->session[i]->pid[VHU_RINGS_FRONT] == pid ||
		     sessions->session[i]->pid[VHU_RINGS_BACK] == pid))
			return true;
	return false;
}

/* Forget what was read. */
static void forget(struct vhu_rings_sessions *sessions)
{
	struct vhu_prologue *const prologue = sessions->prologue;
	const bool of_proxy = sessions->of_proxy;

	vhu_rings_sessions_free(sessions);
	sessions->prologue = prologue;
	sessions->of_proxy = of_proxy;
}

/* Read a capture that may lack the session. Returns whether it has one of the process. */
static bool read_capture(const struct vhu_rings_request *request, const char *path,
			 struct vhu_rings_sessions *sessions, bool known)
{
	if (vhu_rings_places_capture(request, path, sessions) == VHU_EXIT_DONE &&
	    has_session(sessions, request->pid, known))
		return true;
	forget(sessions);
	return false;
}

/* Say what to do about a proxy that has nothing to read. Returns VHU_EXIT_FAILED. */
static int say_unrecorded(const struct vhu_rings_request *request,
			  const struct vhu_rings_proxy *proxy)
{
	char who[64];

	if (proxy->pid == request->pid)
		snprintf(who, sizeof(who), " is a vhu proxy that");
	else
		snprintf(who, sizeof(who), ": its vhu proxy (pid %" PRIu32 ")", proxy->pid);
	if (proxy->flight && *proxy->file)
		return vhu_fail(request->command,
				"process %" PRIu32 "%s keeps what passes in its flight recorder: "
				"`kill -USR2 %" PRIu32 "` makes it write a file, then ask again",
				request->pid, who, proxy->pid);
	return vhu_fail(request->command,
			"process %" PRIu32 "%s says nothing of its sessions: start it with "
			"--control or -w for the next time",
			request->pid, who);
}

/* Read the latest file that the flight recorder of a proxy has written, or its capture, if no
 * process has that open. Returns an exit status. */
static int places_of_files(const struct vhu_rings_request *request,
			   const struct vhu_rings_proxy *proxy, struct vhu_rings_sessions *sessions)
{
	char path[PATH_MAX], real[PATH_MAX], age[VHU_DURATION_TEXT_SIZE];
	uint64_t age_ns;

	if (*proxy->file && !proxy->flight && !access(proxy->file, R_OK))
		return vhu_rings_places_capture(request, proxy->file, sessions);
	if (!vhu_rings_proxy_flight(proxy, path, sizeof(path), &age_ns) ||
	    !read_capture(request, path, sessions, true))
		return say_unrecorded(request, proxy);
	if (!request->again && !request->json)
		vhu_fail(request->command,
			 "%s: the flight recorder of process %" PRIu32
			 " wrote this %s ago: `kill -USR2 %" PRIu32 "` makes it write a later file",
			 realpath(path, real) ? real : path, proxy->pid,
			 vhu_duration_text(age_ns, age), proxy->pid);
	return VHU_EXIT_DONE;
}

/* Ask a proxy at its control socket. Returns an exit status. */
static int places_of_control(const struct vhu_rings_request *request,
			     const struct vhu_rings_proxy *proxy,
			     struct vhu_rings_sessions *sessions)
{
	struct vhu_rings_request at_control = *request;

	at_control.control = proxy->control;
	at_control.pid = sessions->of_proxy ? 0 : request->pid;
	return vhu_rings_places_control(&at_control, sessions);
}

/* Read what a vhu attach has recorded of the process, rather if its memory is known. Returns
 * whether one has. */
static bool read_attached(const struct vhu_rings_request *request,
			  struct vhu_rings_sessions *sessions)
{
	char path[PATH_MAX];

	for (unsigned turn = 0; turn < 2; turn++)
		for (unsigned i = 0; vhu_rings_capture_attached(i, path, sizeof(path)); i++)
			if (read_capture(request, path, sessions, turn == 0))
				return true;
	return false;
}

int vhu_rings_places_pid(const struct vhu_rings_request *request,
			 struct vhu_rings_sessions *sessions)
{
	struct vhu_rings_proxy proxy, with_control;
	char path[PATH_MAX];
	bool has_proxy;
	int status;

	if (kill((pid_t)request->pid, 0) && errno == ESRCH)
		return vhu_fail(request->command, "there is no process %" PRIu32, request->pid);
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd", request->pid);
	if (access(path, R_OK | X_OK))
		return vhu_fail(request->command,
				"cannot look into process %" PRIu32
				": %s: run as root, or with CAP_SYS_PTRACE",
				request->pid, strerror(errno));
	has_proxy = vhu_rings_proxy_of(request->pid, false, &proxy);
	sessions->of_proxy = has_proxy && proxy.pid == request->pid;
	if (sessions->of_proxy ? vhu_rings_capture_by(request->pid, path, sizeof(path))
			       : vhu_rings_capture_of(request->pid, path, sizeof(path)))
		return vhu_rings_places_capture(request, path, sessions);
	if (has_proxy && vhu_rings_proxy_of(request->pid, true, &with_control))
		return places_of_control(request, &with_control, sessions);
	if (read_attached(request, sessions))
		return VHU_EXIT_DONE;
	status = has_proxy ? places_of_files(request, &proxy, sessions)
			   : vhu_rings_places_control(request, sessions);
	if (status != VHU_EXIT_DONE)
		vhu_rings_say_facts(request->command, request->pid);
	return status;
}
