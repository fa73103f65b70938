/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another command of vhu's as a process of its own. */
#include "tools/top/sources/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/self.h"

int vhu_top_child_start(struct vhu_top_child *child, const char *const *words)
{
	int out[2], err[2], none;
	pid_t started;

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(err, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	started = none < 0
		      ? -errno
		      : vhu_self_start(words, &(struct vhu_self_stdio){none, out[1], err[1], true});
	if (none >= 0)
		close(none);
	close(out[1]);
	close(err[1]);
	if (started < 0) {
		close(out[0]);
		close(err[0]);
		return started;
	}
	child->pid = started;
	child->out = (struct vhu_top_lines){.fd = out[0]};
	child->err = (struct vhu_top_lines){.fd = err[0]};
	return 0;
}

/* Take what came by one pipe; close it at its end. */
static void read_pipe(struct vhu_top_lines *lines, void (*take)(void *with, char *line), void *with)
{
	if (lines->fd < 0 || !vhu_top_lines_read(lines, take, with))
		return;
	close(lines->fd);
	lines->fd = -1;
}

/* Forget a process that has ended. */
static void forget(struct vhu_top_child *child)
{
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	vhu_top_lines_free(&child->out);
	vhu_top_lines_free(&child->err);
}

bool vhu_top_child_read(struct vhu_top_child *child, void (*out)(void *with, char *line),
			void (*err)(void *with, char *line), void *with)
{
	if (!child->pid)
		return false;
	read_pipe(&child->out, out, with);
	read_pipe(&child->err, err, with);
	if (child->out.fd >= 0 || child->err.fd >= 0)
		return true;
	forget(child);
	return false;
}

void vhu_top_child_stop(struct vhu_top_child *child)
{
	if (!child->pid)
		return;
	if (child->out.fd >= 0)
		close(child->out.fd);
	if (child->err.fd >= 0)
		close(child->err.fd);
	kill(child->pid, SIGTERM);
	forget(child);
}
