/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another command of vhu's as a process of its own. */
#include "tools/self.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/cli/options.h"

/* Words of a command line, and the NULL behind them. */
#define WORDS_MAX 32

/* Have @fd, unless it is -1, as descriptor @at. Returns whether that worked. */
static bool put(int fd, int at)
{
	return fd < 0 || dup2(fd, at) >= 0;
}

/* Become the command. Does not return. */
static _Noreturn void become(const char *const *words, const struct vhu_self_stdio *stdio,
			     pid_t parent)
{
	const char *argument[WORDS_MAX] = {"vhu"};
	sigset_t none;

	for (unsigned i = 0; words[i] && i + 2 < WORDS_MAX; i++)
		argument[i + 1] = words[i];
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (stdio->apart)
		setsid();
	/* A parent that was gone before it could be watched ends nothing. */
	if (getppid() == parent && put(stdio->in, STDIN_FILENO) && put(stdio->out, STDOUT_FILENO) &&
	    put(stdio->err, STDERR_FILENO))
		execv("/proc/self/exe", (char *const *)argument);
	_exit(VHU_EXIT_FAILED);
}

pid_t vhu_self_start(const char *const *words, const struct vhu_self_stdio *stdio)
{
	const pid_t parent = getpid(), child = fork();

	if (!child)
		become(words, stdio, parent);
	return child < 0 ? -errno : child;
}
