/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a process of a session. */
#include "lib/ring/verdict/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/util/util.h"

const struct vhu_ring_trouble *vhu_ring_trouble(char state)
{
	static const struct vhu_ring_trouble trouble[] = {
	    {'T', "is stopped by a signal (T)",
	     "let it continue (`kill -CONT PID`), and find out who stopped it"},
	    {'t', "is stopped by a debugger (t)", "let it continue in the debugger"},
	    {'D', "is blocked in the kernel (D)",
	     "look what it waits for: /proc/PID/stack, storage, network"},
	    {'Z', "has died (Z)", "start it again; its log or its core file says why it died"},
	    {'X', "is gone", "start it again; its log or its core file says why it died"},
	};

	for (size_t i = 0; i < VHU_ARRAY_SIZE(trouble); i++)
		if (trouble[i].state == state)
			return &trouble[i];
	return NULL;
}

void vhu_ring_process_read(struct vhu_ring_process *process, uint32_t pid)
{
	char path[32], text[512];
	const char *after;
	ssize_t size;
	int fd;

	process->pid = pid;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	fd = pid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	process->known = pid && (fd >= 0 || errno == ENOENT);
	process->state = 'X';
	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	/* The name in brackets may hold anything. */
	after = strrchr(text, ')');
	if (after && after[1] == ' ' && after[2])
		process->state = after[2];
}
