/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vrings to watch, and all that is needed for that. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/capture/pcapng/pcapng.h"
#include "tools/latency/run/run.h"
#include "tools/latency/vrings/owner.h"

/* Watch what is wanted. Returns how many vrings are watched, or -errno. */
int vhu_latency_wire(struct vhu_latency_run *run)
{
	int ret;

	pthread_mutex_lock(&run->vrings.lock);
	ret = vhu_latency_vrings_wire(&run->vrings);
	pthread_mutex_unlock(&run->vrings.lock);
	return ret;
}

/* Want the vrings that were given by the ids of their eventfds. Returns an exit status. */
static int want_given(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;

	for (unsigned i = 0; i < request->vrings_given; i++) {
		struct vhu_latency_vring *vring = vhu_latency_vrings_get(&run->vrings, 0, i);

		if (!vring)
			return vhu_fail(run->command, "out of memory");
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++)
			vhu_latency_vrings_want(&run->vrings, vring, which,
						request->given[i].set[which],
						request->given[i].id[which]);
	}
	vhu_latency_wire(run);
	for (unsigned i = 0; i < run->vrings.count; i++)
		for (enum vhu_vring_role which = VHU_KICK; which < VHU_LATENCY_ROLES; which++) {
			const struct vhu_latency_fd *fd = &run->vrings.vring[i]->fd[which];

			if (fd->wanted && !fd->wired)
				return vhu_fail(run->command, "eventfd %u: not open in any process",
						fd->id);
		}
	return VHU_EXIT_DONE;
}

/* Look whether the processes to watch are there. Returns an exit status. */
int vhu_latency_find_processes(const struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;

	for (unsigned i = 0; i < request->pids; i++)
		if (kill((pid_t)request->pid[i], 0) && errno == ESRCH)
			return vhu_fail(run->command, "pid %u: no such process", request->pid[i]);
	return VHU_EXIT_DONE;
}

/* Return whether sessions without a proxy are to be recorded. */
bool vhu_latency_needs_sessions(const struct vhu_latency_request *request)
{
	return request->socket || (request->pids && request->follow);
}

/* Read a capture. Returns an exit status. */
static int open_capture(struct vhu_latency_run *run, const char *path, bool follow)
{
	const struct vhu_latency_capture_choice choice = {
	    .follow = follow, .keep = run->stall || run->metrics, .epoch_ns = run->events.epoch_ns};

	return vhu_latency_capture_open(&run->capture, run->command, &run->vrings, path, &choice);
}

/* Say that no session is open at the socket, and what to check. */
static void say_waiting_at(const struct vhu_latency_run *run,
			   const struct vhu_latency_at_socket *at)
{
	const char *socket = run->request->socket;

	if (at->listener)
		vhu_fail(run->command, "%s: %s (pid %u) listens there: waiting for a session",
			 socket, at->comm, at->listener);
	else
		vhu_fail(run->command,
			 "%s: no process listens there: waiting for a session; is the path right, "
			 "and does the back-end run?",
			 socket);
}

/* Say that a process has no session now, and what to check. */
static void say_waiting_of(const struct vhu_latency_run *run)
{
	const char *socket = run->sessions.socket;

	vhu_fail(run->command,
		 "pid %u shares no eventfd with another process: waiting for a session%s%s",
		 run->request->pid[0], *socket ? " at " : "; is it a back-end?", socket);
}

/* Read what is recorded of sessions without a proxy, and learn the vrings of one that began before.
 * Returns an exit status. */
static int find_sessions(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;
	struct vhu_latency_at_socket at = {.pid = {request->pid[0], request->pid[1]}};
	int status = open_capture(run, run->sessions.path, true), ret = 0;

	vhu_latency_sessions_are_read(&run->sessions);
	if (status != VHU_EXIT_DONE)
		return status;
	if (!request->pids)
		ret = vhu_latency_sessions_find(request->socket, &at);
	if (at.pid[0])
		vhu_learn_start(&run->learn, &run->vrings, at.pid[0], at.pid[1]);
	if (run->learn || ret || request->json)
		return status;
	if (request->pids)
		say_waiting_of(run);
	else
		say_waiting_at(run, &at);
	return status;
}

/* Look whether the files can be read and written, before the probes are loaded. Returns an exit
 * status. */
int vhu_latency_find_files(const struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;
	struct vhu_pcapng_reader *reader;
	char error[VHU_PCAPNG_ERROR_SIZE];
	struct stat file;

	/* What comes by a pipe can be read once. */
	if (request->capture && strcmp(request->capture, "-") != 0 &&
	    (stat(request->capture, &file) || S_ISREG(file.st_mode))) {
		if (vhu_pcapng_reader_open(&reader, request->capture, false, error))
			return vhu_fail(run->command, "%s: %s", request->capture, error);
		vhu_pcapng_reader_close(reader);
	}
	if (request->write_to && access(request->write_to, W_OK) && errno != ENOENT)
		return vhu_fail(run->command, "%s: %s", request->write_to, strerror(errno));
	return VHU_EXIT_DONE;
}

/* Find the vrings to watch. Returns an exit status. */
int vhu_latency_find_vrings(struct vhu_latency_run *run)
{
	const struct vhu_latency_request *request = run->request;
	char text[512];
	int status;

	if (request->vrings_given)
		return want_given(run);
	if (vhu_latency_needs_sessions(request))
		return find_sessions(run);
	if (request->pids)
		return vhu_learn_open(&run->learn, run->command, &run->vrings, request->pid[0],
				      request->pid[1]);
	status = open_capture(run, request->capture, request->follow);
	if (status != VHU_EXIT_DONE || request->follow)
		return status;
	if (!run->vrings.count && vhu_latency_told_nameless(vhu_latency_capture_told(run->capture),
							    UINT64_MAX, text, sizeof(text)))
		return vhu_fail(run->command, "%s: %s", request->capture, text);
	if (!run->vrings.count)
		return vhu_fail(run->command, "%s: no session told of a vring", request->capture);
	if (vhu_latency_wire(run) > 0)
		return VHU_EXIT_DONE;
	for (unsigned i = 0; i < run->vrings.count; i++)
		if (run->vrings.vring[i]->polled)
			return vhu_fail(run->command,
					"%s: its vrings are polled and have no eventfds: vhu rings "
					"looks into them",
					request->capture);
	if (vhu_latency_owner_why(&run->vrings, text, sizeof(text)))
		return vhu_fail(run->command, "%s: %s", request->capture, text);
	return vhu_fail(run->command, "%s: none of its vrings' eventfds is open any more%s",
			request->capture, run->vrings.changed ? "" : ": its sessions ended");
}
