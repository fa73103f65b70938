/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that vhu attach was given. */
#include "tools/attach/processes.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int vhu_attach_processes_open(struct vhu_attach_processes *processes,
			      const struct vhu_command *command,
			      const struct vhu_attach_request *request)
{
	memset(processes, 0, sizeof(*processes));
	for (unsigned i = 0; i < request->pids; i++) {
		const uint32_t pid = request->pid[i];
		int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0), error = errno;

		if (fd >= 0) {
			processes->process[processes->count++] =
			    (struct vhu_attach_process){.pid = pid, .fd = fd};
			continue;
		}
		vhu_attach_processes_close(processes);
		if (error == ESRCH)
			return vhu_fail(command, "pid %u: no such process", pid);
		/* So kernels refuse the id of a thread. */
		if (error == EINVAL || error == ENOENT)
			return vhu_fail(command, "pid %u: a thread, not a process", pid);
		return vhu_fail(command, "pid %u: %s", pid, strerror(error));
	}
	return VHU_EXIT_DONE;
}

void vhu_attach_processes_close(struct vhu_attach_processes *processes)
{
	for (unsigned i = 0; i < processes->count; i++)
		close(processes->process[i].fd);
	processes->count = 0;
}

bool vhu_attach_processes_have(const struct vhu_attach_processes *processes, uint32_t pid)
{
	for (unsigned i = 0; i < processes->count; i++)
		if (processes->process[i].pid == pid)
			return true;
	return false;
}

uint32_t vhu_attach_processes_take_ended(struct vhu_attach_processes *processes)
{
	for (unsigned i = 0; i < processes->count; i++) {
		const struct vhu_attach_process process = processes->process[i];
		struct pollfd ask = {.fd = process.fd, .events = POLLIN};

		if (poll(&ask, 1, 0) != 1)
			continue;
		close(process.fd);
		processes->process[i] = processes->process[--processes->count];
		return process.pid;
	}
	return 0;
}
