/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child: a peer as a command of ours. */
#include "proxy/core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Be @child of @parent. What hinders that is written to @report as an errno. */
static _Noreturn void child_become(const struct vhu_child *child, pid_t parent, int report)
{
	int error;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* It may have died before that. */
	if (getppid() != parent)
		_exit(1);
	if (child->quiet_output)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (child->pass >= 0)
		fcntl(child->pass, F_SETFD, 0);
	if (child->prepare)
		child->prepare();
	execvp(child->argv[0], child->argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0) {
		/* Whoever would read it is gone. */
	}
	_exit(VHU_CHILD_NOT_FOUND);
}

/* Wait until @pid runs its command. Returns 0; -errno where it could not, and it is gone. */
static int child_began(pid_t pid, int report)
{
	int error = 0;
	ssize_t size;

	do
		size = read(report, &error, sizeof(error));
	while (size < 0 && errno == EINTR);
	if (size != sizeof(error))
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return -error;
}

int vhu_child_start(struct vhu_child *child, struct vhu_loop *loop)
{
	pid_t parent = getpid(), pid;
	int report[2], error;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	/* Whoever started us may not have cared; we do. */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid)
		child_become(child, parent, report[1]);
	error = pid < 0 ? -errno : 0;
	close(report[1]);
	if (!error)
		error = child_began(pid, report[0]);
	close(report[0]);
	if (error)
		return error;
	child->pid = pid;
	child->ends.fd = pidfd_open(pid, 0);
	error = child->ends.fd < 0 ? -errno : vhu_loop_watch(loop, &child->ends, EPOLLIN);
	if (error)
		vhu_child_end(child, loop);
	return error;
}

/* Return whether @child has ended, without waiting. */
static bool child_has_ended(struct vhu_child *child)
{
	if (child->pid && waitpid(child->pid, &child->status, WNOHANG))
		child->pid = 0;
	return !child->pid;
}

bool vhu_child_wait(struct vhu_child *child, int patience_ms, int hurry)
{
	struct pollfd ask[2] = {{.fd = child->ends.fd, .events = POLLIN},
				{.fd = hurry, .events = POLLIN}};
	uint64_t until = vhu_now_ns() + (uint64_t)patience_ms * VHU_NS_PER_MS, now;

	while (!child_has_ended(child)) {
		now = vhu_now_ns();
		if (now >= until || ask[1].revents)
			return false;
		if (poll(ask, 2, (int)((until - now) / VHU_NS_PER_MS) + 1) < 0)
			ask[1].revents = 0;
	}
	return true;
}

/* Return whether @child is about to end: its sockets close before it can be waited for. */
static bool child_is_ending(const struct vhu_child *child)
{
	/* PF_EXITING of the kernel; proc_pid_stat(5) has the flags. */
	const unsigned exiting = 0x4;
	char path[32], text[512];
	const char *after;
	unsigned flags = 0;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	/* The name in brackets may hold anything. */
	after = strrchr(text, ')');
	return after && sscanf(after, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & exiting;
}

bool vhu_child_fate(const struct vhu_child *child, int patience_ms, char *to, size_t size)
{
	struct pollfd ask = {.fd = child->ends.fd, .events = POLLIN};
	siginfo_t info = {0};

	/* It stays to be waited for. */
	if (!child->pid || poll(&ask, 1, child_is_ending(child) ? patience_ms : 0) != 1 ||
	    waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return false;
	if (info.si_code == CLD_EXITED)
		snprintf(to, size, "exited with status %d", info.si_status);
	else
		snprintf(to, size, "killed by signal %d (%s)", info.si_status,
			 strsignal(info.si_status));
	return info.si_code != CLD_EXITED || info.si_status;
}

void vhu_child_signal(const struct vhu_child *child, int number)
{
	if (child->pid)
		kill(child->pid, number);
}

void vhu_child_end(struct vhu_child *child, struct vhu_loop *loop)
{
	vhu_child_signal(child, SIGKILL);
	while (child->pid) {
		if (waitpid(child->pid, &child->status, 0) == child->pid || errno != EINTR)
			child->pid = 0;
	}
	if (child->ends.fd < 0)
		return;
	vhu_loop_unwatch(loop, &child->ends);
	close(child->ends.fd);
	child->ends.fd = -1;
}

int vhu_child_exit_status(const struct vhu_child *child)
{
	return WIFSIGNALED(child->status) ? 128 + WTERMSIG(child->status)
					  : WEXITSTATUS(child->status);
}
