/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions from a capture; the capture of a process, of the proxy on the other side of its
 * connection, or of a vhu attach that watches it. */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/reading.h"
#include "tools/rings/places/places.h"
#include "tools/rings/process/peers.h"
#include "tools/rings/process/process.h"

int vhu_rings_places_capture(const struct vhu_rings_request *request, const char *path,
			     struct vhu_rings_sessions *sessions)
{
	char *const paths[] = {(char *)path};
	struct vhu_reading reading = {
	    .command = request->command,
	    .paths = paths,
	    .count = 1,
	    .see = vhu_rings_sessions_see,
	    .with = sessions,
	};

	return vhu_reading_run(&reading);
}

/* Return whether a descriptor of a process is a capture that it writes. @path: gets its path. */
static bool is_capture(uint32_t pid, int fd, char *path, size_t size)
{
	static const char ending[] = ".pcapng";
	char target[PATH_MAX];
	struct stat stat_buffer;
	ssize_t length;

	snprintf(path, size, "/proc/%" PRIu32 "/fd/%d", pid, fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < (ssize_t)strlen(ending))
		return false;
	target[length] = '\0';
	return !strcmp(target + length - strlen(ending), ending) && !stat(path, &stat_buffer) &&
	       S_ISREG(stat_buffer.st_mode);
}

bool vhu_rings_capture_by(uint32_t pid, char *path, size_t size)
{
	struct vhu_rings_process process = {.pid = pid};
	bool found = false;

	if (!vhu_rings_process_read(&process))
		for (unsigned i = process.eventfds; i < process.opens && !found; i++)
			found = process.open[i].kind == VHU_RINGS_OTHER &&
				is_capture(pid, process.open[i].fd, path, size);
	free(process.open);
	return found;
}

/* Return whether a process is a vhu attach. */
static bool is_attach(uint32_t pid)
{
	static const char word[] = "attach";
	char path[64], line[512];
	FILE *file;
	size_t size;
	const char *first;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	size = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[size] = '\0';
	first = line + strlen(line) + 1;
	return first < line + size && !strcmp(first, word);
}

bool vhu_rings_capture_attached(unsigned nth, char *path, size_t size)
{
	struct dirent *entry;
	bool found = false;
	DIR *proc = opendir("/proc");

	while (proc && !found && (entry = readdir(proc))) {
		const uint32_t pid = (uint32_t)atoi(entry->d_name);

		if (pid && is_attach(pid) && vhu_rings_capture_by(pid, path, size))
			found = nth-- == 0;
	}
	if (proc)
		closedir(proc);
	return found;
}

/* A path that is looked for. */
struct sought {
	char *path;
	size_t size;
};

/* Look for the capture of a peer. */
static bool has_capture(uint32_t peer, void *with)
{
	struct sought *sought = with;

	return vhu_rings_capture_by(peer, sought->path, sought->size);
}

bool vhu_rings_capture_of(uint32_t pid, char *path, size_t size)
{
	return vhu_rings_peers_find(pid, has_capture, &(struct sought){path, size});
}
