/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command that runs when something has stalled. */
#include "tools/stall/on_stall.h"
#include "lib/util/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(struct vhu_on_stall_message) <= PIPE_BUF, "a message is written at once");

/* Put a number into the environment, or nothing. */
static void put_number(const char *name, bool known, uint64_t number)
{
	char text[24] = "";

	if (known)
		snprintf(text, sizeof(text), "%" PRIu64, number);
	setenv(name, text, 1);
}

/* Put a text into the environment, of characters that a terminal only shows. */
static void put_text(const char *name, char *text, size_t size)
{
	text[size - 1] = '\0';
	setenv(name, vhu_utf8_printable(text, text, size), 1);
}

/* Become the command. */
static _Noreturn void run_command(const char *command, struct vhu_on_stall_message *message)
{
	put_number("VHU_SESSION", message->session != 0, message->session);
	put_number("VHU_VRING", message->vring >= 0, (uint64_t)message->vring);
	put_number("VHU_FRONT_PID", message->front_end != 0, message->front_end);
	put_number("VHU_BACK_PID", message->back_end != 0, message->back_end);
	put_text("VHU_VERDICT", message->verdict, sizeof(message->verdict));
	put_text("VHU_TEXT", message->text, sizeof(message->text));
	put_text("VHU_CAPTURE", message->capture, sizeof(message->capture));
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Run @what, a command of the shell, and wait for its end, which is said unless it ends well. */
static void run_and_wait(const struct vhu_command *command, const char *what,
			 struct vhu_on_stall_message *message)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		run_command(what, message);
	if (pid < 0)
		vhu_fail(command, "--on-stall: cannot be run: %s", strerror(errno));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		vhu_fail(command, "--on-stall: was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		vhu_fail(command, "--on-stall: ended with status %d", WEXITSTATUS(status));
}

/* Be the helper: run @what for each message that comes, until its parent is gone. */
static _Noreturn void help(const struct vhu_command *command, const char *what,
			   void (*prepare)(void), int pipe)
{
	struct vhu_on_stall_message message;
	int null = open("/dev/null", O_RDWR);
	ssize_t size;

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	/* Standard output is the capture's. */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (pipe != 3)
		dup2(pipe, 3);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	close_range(4, ~0u, 0);
	if (prepare)
		prepare();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (;;) {
		size = read(3, &message, sizeof(message));
		if (size == sizeof(message))
			run_and_wait(command, what, &message);
		else if (size >= 0 || errno != EINTR)
			_exit(0);
	}
}

int vhu_on_stall_start(struct vhu_on_stall *on_stall, const struct vhu_command *command,
		       const char *what, void (*prepare)(void))
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		help(command, what, prepare, ends[0]);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return -errno;
	}
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	on_stall->pipe = ends[1];
	return 0;
}

int vhu_on_stall_open(struct vhu_on_stall *on_stall, const struct vhu_command *command,
		      const char *what, void (*prepare)(void))
{
	int error = vhu_on_stall_start(on_stall, command, what, prepare);

	return error ? vhu_fail(command, "--on-stall: cannot be prepared: %s", strerror(-error))
		     : VHU_EXIT_DONE;
}

int vhu_on_stall_run(const struct vhu_on_stall *on_stall,
		     const struct vhu_on_stall_message *message)
{
	return write(on_stall->pipe, message, sizeof(*message)) < 0 ? -errno : 0;
}

void vhu_on_stall_end(struct vhu_on_stall *on_stall)
{
	if (on_stall->pipe >= 0)
		close(on_stall->pipe);
	on_stall->pipe = -1;
}
