/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes at the other ends of a process's connections. */
#include "tools/rings/process/peers.h"

#include <dirent.h>
#include <stdlib.h>

#include "tools/rings/process/queues.h"

/* Return whether one of these sockets is among what a process has open. */
static bool has_socket(const struct vhu_rings_process *process, const uint32_t *inode,
		       unsigned inodes)
{
	for (unsigned i = process->eventfds; i < process->opens; i++)
		for (unsigned j = 0; process->open[i].kind == VHU_RINGS_SOCKET && j < inodes; j++)
			if (process->open[i].file.known && process->open[i].file.inode == inode[j])
				return true;
	return false;
}

/* Return whether a process has one of these sockets. */
static bool is_peer(uint32_t pid, const uint32_t *inode, unsigned inodes)
{
	struct vhu_rings_process process = {.pid = pid};
	bool is = !vhu_rings_process_read(&process) && has_socket(&process, inode, inodes);

	free(process.open);
	return is;
}

bool vhu_rings_peers_find(uint32_t pid, bool (*by)(uint32_t peer, void *with), void *with)
{
	struct vhu_rings_process process = {.pid = pid};
	uint32_t *inode = NULL;
	unsigned inodes = 0;
	struct dirent *entry;
	bool found = false;
	DIR *proc;

	vhu_rings_process_read(&process);
	inodes = vhu_rings_queues_peers(&process, &inode);
	free(process.open);
	proc = inodes ? opendir("/proc") : NULL;
	while (proc && !found && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			found = is_peer((uint32_t)atoi(entry->d_name), inode, inodes) &&
				by((uint32_t)atoi(entry->d_name), with);
	if (proc)
		closedir(proc);
	free(inode);
	return found;
}
