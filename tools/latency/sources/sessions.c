/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions without a proxy. */
#include "tools/latency/sources/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/attach/find.h"
#include "tools/self.h"

/* List the sockets of the host. Returns 0 or -errno. */
static int list(struct vhu_attach_listing *listing)
{
	const struct vhu_attach_choice choice = {.hooks = -1};
	char error[VHU_BPF_ERROR_SIZE];
	struct vhu_attach *attach;
	int ret = vhu_attach_open(&attach, &choice, error);

	if (ret)
		return ret;
	ret = vhu_attach_listing_read(attach, listing);
	vhu_attach_close(attach);
	return ret;
}

void vhu_latency_sessions_socket(uint32_t pid, char path[VHU_ATTACH_PATH_MAX + 2])
{
	struct vhu_attach_listing listing;
	const struct vhu_attach_listed *socket;
	unsigned at = 0, found = 0;

	*path = '\0';
	if (list(&listing))
		return;
	while ((socket = vhu_attach_next_listener(&listing, &at)))
		if (socket->pid == pid && !found++)
			vhu_attach_path(socket, path, VHU_ATTACH_PATH_MAX + 2);
	/* A path that is not absolute is another file here. */
	if (found > 1 || (*path != '/' && *path != '@'))
		*path = '\0';
	vhu_attach_listing_free(&listing);
}

void vhu_latency_sessions_name(uint32_t pid, char *to, size_t size)
{
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(to, (int)size, file))
		*to = '\0';
	to[strcspn(to, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* Start the recorder, whose capture goes to @out. Returns its process or -errno. */
static pid_t record(const struct vhu_latency_sessions *sessions, uint32_t process, int out)
{
	char pid[16];
	const char *words[] = {"attach", "-q", "-w", "-", NULL, NULL, NULL};

	snprintf(pid, sizeof(pid), "%u", process);
	words[4] = *sessions->socket ? "--socket" : "--pid";
	words[5] = *sessions->socket ? sessions->socket : pid;
	return vhu_self_start(words, &(struct vhu_self_stdio){-1, out, -1, false});
}

int vhu_latency_sessions_open(struct vhu_latency_sessions *sessions,
			      const struct vhu_command *command,
			      const struct vhu_latency_request *request)
{
	pid_t recorder;
	struct stat file;
	int ends[2];

	if (request->socket && strlen(request->socket) >= sizeof(sessions->socket))
		return vhu_fail(command, "%s: longer than the path of any socket", request->socket);
	/* One that is not there yet is waited for. */
	if (request->socket && *request->socket != '@' && !stat(request->socket, &file) &&
	    !S_ISSOCK(file.st_mode))
		return vhu_fail(command, "%s: not a socket", request->socket);
	if (request->socket)
		strcpy(sessions->socket, request->socket);
	else
		vhu_latency_sessions_socket(request->pid[0], sessions->socket);
	if (pipe2(ends, O_CLOEXEC))
		return vhu_fail(command, "no pipe: %s", strerror(errno));
	recorder = record(sessions, request->pid[0], ends[1]);
	close(ends[1]);
	sessions->pipe = ends[0];
	snprintf(sessions->path, sizeof(sessions->path), "/dev/fd/%d", ends[0]);
	if (recorder < 0) {
		close(ends[0]);
		return vhu_fail(command, "no process can be started: %s", strerror(-recorder));
	}
	sessions->recorder = recorder;
	return VHU_EXIT_DONE;
}

void vhu_latency_sessions_are_read(struct vhu_latency_sessions *sessions)
{
	close(sessions->pipe);
	sessions->pipe = -1;
}

void vhu_latency_sessions_close(struct vhu_latency_sessions *sessions)
{
	if (!sessions->recorder)
		return;
	if (sessions->pipe >= 0)
		close(sessions->pipe);
	kill(sessions->recorder, SIGTERM);
	while (waitpid(sessions->recorder, NULL, 0) < 0 && errno == EINTR)
		;
	sessions->recorder = 0;
}

/* Find an open session at a path. */
static void find_session(const struct vhu_attach_listing *listing, const char *path,
			 struct vhu_latency_at_socket *at)
{
	const struct vhu_attach_listed *socket, *peer;
	unsigned from = 0, found = 0;

	while ((socket = vhu_attach_next_connected(listing, &from))) {
		peer = vhu_attach_socket(listing, socket->peer);
		if (!socket->path_size || !peer || peer->pid == socket->pid ||
		    !vhu_attach_is_at(socket, path) ||
		    !vhu_attach_share(listing, socket->pid, peer->pid))
			continue;
		at->pid[0] = socket->pid;
		at->pid[1] = found++ ? 0 : peer->pid;
	}
}

/* Find who listens at a path. */
static void find_listener(const struct vhu_attach_listing *listing, const char *path,
			  struct vhu_latency_at_socket *at)
{
	const struct vhu_attach_listed *socket;
	unsigned from = 0;

	while (!at->listener && (socket = vhu_attach_next_listener(listing, &from)))
		if (vhu_attach_is_at(socket, path)) {
			at->listener = socket->pid;
			snprintf(at->comm, sizeof(at->comm), "%.16s", socket->comm);
		}
}

int vhu_latency_sessions_find(const char *path, struct vhu_latency_at_socket *at)
{
	struct vhu_attach_listing listing;
	int ret = list(&listing);

	*at = (struct vhu_latency_at_socket){0};
	if (ret)
		return ret;
	find_session(&listing, path, at);
	find_listener(&listing, path, at);
	vhu_attach_listing_free(&listing);
	return 0;
}
