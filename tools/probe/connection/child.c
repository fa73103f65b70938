/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The back-end as a command of ours. */
#include "tools/probe/connection/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/util.h"

/* How long an end that was asked for is waited for. */
#define END_MS  2000
/* Between two looks. */
#define LOOK_MS 5

/* Remove a socket file that the command left behind when it died: many cannot start over one.
 * Nobody listens there, or the file stays. */
static void remove_stale(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path) || lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

/* Become the command. */
static _Noreturn void become(const struct vhu_probe_child *child, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	dup2(null, STDIN_FILENO);
	dup2(child->verbose ? STDERR_FILENO : null, STDOUT_FILENO);
	if (!child->verbose)
		dup2(null, STDERR_FILENO);
	execvp(child->argv[0], child->argv);
	_exit(127);
}

int vhu_probe_child_start(struct vhu_probe_child *child)
{
	pid_t parent = getpid(), pid;

	if (!child->argv || child->pid)
		return 0;
	if (child->started)
		remove_stale(child->path);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(child, parent);
	child->pid = pid;
	child->ended_by_us = false;
	child->started++;
	return 0;
}

bool vhu_probe_child_has_ended(struct vhu_probe_child *child, unsigned patience_ms)
{
	uint64_t until = vhu_now_ms() + patience_ms;

	if (!child->pid)
		return true;
	while (waitpid(child->pid, &child->status, WNOHANG) != child->pid) {
		if (vhu_now_ms() >= until)
			return false;
		poll(NULL, 0, LOOK_MS);
	}
	child->pid = 0;
	return true;
}

void vhu_probe_child_text(const struct vhu_probe_child *child, char *to, size_t size)
{
	if (child->ended_by_us)
		snprintf(to, size, "hung and was ended by us");
	else if (WIFSIGNALED(child->status))
		snprintf(to, size, "died of signal %d (%s)", WTERMSIG(child->status),
			 strsignal(WTERMSIG(child->status)));
	else
		snprintf(to, size, "ended with status %d", WEXITSTATUS(child->status));
}

void vhu_probe_child_end(struct vhu_probe_child *child)
{
	if (!child->pid)
		return;
	child->ended_by_us = true;
	kill(child->pid, SIGTERM);
	if (vhu_probe_child_has_ended(child, END_MS))
		return;
	kill(child->pid, SIGKILL);
	vhu_probe_child_has_ended(child, END_MS);
}
