/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another command of vhu's as a process of its own. */
#include "tools/top/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cli/options.h"

/* Words of a command line, and the NULL behind them. */
#define WORDS_MAX 32

/* Become the command. Does not return. */
static _Noreturn void become(const char *const *words, int out, int err, pid_t parent)
{
	const char *argument[WORDS_MAX] = {"vhu"};
	const int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t signals;

	for (unsigned i = 0; words[i] && i + 2 < WORDS_MAX; i++)
		argument[i + 1] = words[i];
	sigemptyset(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* Ctrl-C is the terminal's for all of its processes; vhu top ends this one itself. */
	setsid();
	if (getppid() == parent && none >= 0 && dup2(none, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
		execv("/proc/self/exe", (char *const *)argument);
	_exit(VHU_EXIT_FAILED);
}

int vhu_top_child_start(struct vhu_top_child *child, const char *const *words)
{
	const pid_t parent = getpid();
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (pipe2(err, O_CLOEXEC)) {
		close(out[0]);
		close(out[1]);
		return -errno;
	}
	child->pid = fork();
	if (!child->pid)
		become(words, out[1], err[1], parent);
	close(out[1]);
	close(err[1]);
	child->out = (struct vhu_top_lines){.fd = out[0]};
	child->err = (struct vhu_top_lines){.fd = err[0]};
	if (child->pid > 0)
		return 0;
	child->pid = 0;
	close(out[0]);
	close(err[0]);
	return -EAGAIN;
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
