/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes: what they have open, and what they map. */
#include "tools/rings/process/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/array.h"
#include "lib/util/util.h"

/* Read the field @name, a number in @base, of a file of /proc. Returns whether it is there. */
static bool read_field(FILE *file, const char *name, int base, uint64_t *value)
{
	char line[256];
	size_t length = strlen(name);

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length)) {
			*value = strtoull(line + length, NULL, base);
			return true;
		}
	return false;
}

/* Open a file of a process's /proc. Returns it or NULL. */
static FILE *proc_open(uint32_t pid, const char *what, int number)
{
	char path[64];

	snprintf(path, sizeof(path),
		 number < 0 ? "/proc/%" PRIu32 "/%s" : "/proc/%" PRIu32 "/%s/%d", pid, what,
		 number);
	return fopen(path, "re");
}

/* Return what kind of descriptor a link of /proc/PID/fd names. */
static enum vhu_rings_kind kind_of(const char *link)
{
	static const struct {
		const char *begin;
		enum vhu_rings_kind kind;
	} kinds[] = {
	    {"anon_inode:[eventfd]", VHU_RINGS_EVENTFD},
	    {"anon_inode:[eventpoll]", VHU_RINGS_EPOLL},
	    {"anon_inode:[io_uring]", VHU_RINGS_URING},
	    {"socket:[", VHU_RINGS_SOCKET},
	};

	for (size_t i = 0; i < VHU_ARRAY_SIZE(kinds); i++)
		if (!strncmp(link, kinds[i].begin, strlen(kinds[i].begin)))
			return kinds[i].kind;
	return VHU_RINGS_OTHER;
}

/* Describe a descriptor of a process. Returns false if it has been closed, or says nothing. */
static bool describe(const struct vhu_rings_process *process, int folder, const char *name,
		     struct vhu_rings_open *open)
{
	char link[128];
	ssize_t length = readlinkat(folder, name, link, sizeof(link) - 1);
	struct stat stat_buffer;
	uint64_t id = 0;
	FILE *file;

	if (length < 0)
		return false;
	link[length] = '\0';
	*open = (struct vhu_rings_open){.fd = atoi(name), .kind = kind_of(link)};
	if (open->kind == VHU_RINGS_EVENTFD) {
		file = proc_open(process->pid, "fdinfo", open->fd);
		/* Without eventfd ids in this kernel, an eventfd cannot be found. */
		if (!file || !read_field(file, "eventfd-id:", 10, &id))
			open->kind = VHU_RINGS_OTHER;
		open->id = (uint32_t)id;
		if (file)
			fclose(file);
	} else if (!fstatat(folder, name, &stat_buffer, 0)) {
		open->file = (struct vhu_rings_file){true, stat_buffer.st_ino, stat_buffer.st_dev};
	}
	return true;
}

/* Order descriptors: eventfds by id, then the others. */
static int by_kind(const void *left, const void *right)
{
	const struct vhu_rings_open *a = left, *b = right;
	bool other_a = a->kind != VHU_RINGS_EVENTFD, other_b = b->kind != VHU_RINGS_EVENTFD;

	if (other_a != other_b)
		return other_a ? 1 : -1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

/* Read the name of a process. */
static void read_name(struct vhu_rings_process *process)
{
	FILE *file = proc_open(process->pid, "comm", -1);

	if (!file)
		return;
	if (fgets(process->comm, sizeof(process->comm), file))
		process->comm[strcspn(process->comm, "\n")] = '\0';
	fclose(file);
}

int vhu_rings_process_read(struct vhu_rings_process *process)
{
	struct vhu_rings_open *more;
	struct dirent *entry;
	char path[64];
	DIR *folder;

	process->opens = process->eventfds = 0;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd", process->pid);
	folder = opendir(path);
	process->error = folder ? 0 : errno == ENOENT ? -ESRCH : -errno;
	while (folder && (entry = readdir(folder))) {
		struct vhu_rings_open open;

		if (entry->d_name[0] == '.' ||
		    !describe(process, dirfd(folder), entry->d_name, &open))
			continue;
		more = vhu_array_more(process->open, &process->opens, sizeof(*more));
		if (!more) {
			process->error = -ENOMEM;
			break;
		}
		process->open = more;
		process->open[process->opens - 1] = open;
		process->eventfds += open.kind == VHU_RINGS_EVENTFD;
		process->uring |= open.kind == VHU_RINGS_URING;
	}
	if (folder)
		closedir(folder);
	if (process->opens)
		qsort(process->open, process->opens, sizeof(*process->open), by_kind);
	return process->error;
}

/* Read what files a process has mapped. */
static void read_maps(struct vhu_rings_process *process)
{
	FILE *file = proc_open(process->pid, "maps", -1);
	struct vhu_rings_map *more;
	char *line = NULL;
	size_t room = 0;

	process->maps_known = file != NULL;
	while (file && getline(&line, &room, file) > 0) {
		struct vhu_rings_map map;
		char shared;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*c%*c%*c%c %" SCNx64 " %*x:%*x %" SCNu64,
			   &map.start, &map.end, &shared, &map.offset, &map.inode) != 5 ||
		    map.inode == 0)
			continue;
		map.private_map = shared == 'p';
		more = vhu_array_more(process->map, &process->maps, sizeof(*more));
		if (!more)
			break;
		process->map = more;
		process->map[process->maps - 1] = map;
	}
	free(line);
	if (file)
		fclose(file);
}

/* Add a process to a list. Returns it; NULL out of memory. */
static struct vhu_rings_process *add(struct vhu_rings_processes *processes, uint32_t pid)
{
	struct vhu_rings_process *process = calloc(1, sizeof(*process)), **more;

	more =
	    process ? vhu_array_more(processes->process, &processes->count, sizeof(*more)) : NULL;
	if (!more) {
		free(process);
		return NULL;
	}
	processes->process = more;
	processes->process[processes->count - 1] = process;
	process->pid = pid;
	return process;
}

struct vhu_rings_process *vhu_rings_process(struct vhu_rings_processes *processes, uint32_t pid)
{
	struct vhu_rings_process *process;

	for (unsigned i = 0; i < processes->count; i++)
		if (processes->process[i]->pid == pid && !processes->process[i]->ended)
			return processes->process[i];
	process = add(processes, pid);
	if (!process)
		return NULL;
	read_name(process);
	vhu_rings_process_read(process);
	read_maps(process);
	return process;
}

struct vhu_rings_process *vhu_rings_process_ended(struct vhu_rings_processes *processes,
						  uint32_t pid)
{
	struct vhu_rings_process *process = add(processes, pid);

	if (process) {
		process->ended = true;
		process->error = -ESRCH;
		process->state = 'X';
	}
	return process;
}

void vhu_rings_process_begin(struct vhu_rings_process *process)
{
	process->polls = process->looks = process->awake = 0;
	process->in_kernel = process->sorted = false;
}

const struct vhu_rings_open *vhu_rings_process_eventfd(const struct vhu_rings_process *process,
						       uint32_t id)
{
	const struct vhu_rings_open wanted = {.kind = VHU_RINGS_EVENTFD, .id = id, .fd = -1};
	unsigned low = 0, high = process->eventfds;

	/* The first that is not before any of this id. */
	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (by_kind(&process->open[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < process->eventfds && process->open[low].id == id ? &process->open[low] : NULL;
}

struct vhu_ring_counter vhu_rings_process_counter(const struct vhu_rings_process *process,
						  const struct vhu_rings_open *eventfd)
{
	FILE *file = proc_open(process->pid, "fdinfo", eventfd->fd);
	uint64_t count = 0, id = 0;
	bool known;

	if (!file)
		return (struct vhu_ring_counter){0};
	/* The descriptor may be another file by now. */
	known = read_field(file, "eventfd-count:", 16, &count) &&
		read_field(file, "eventfd-id:", 10, &id) && id == eventfd->id;
	fclose(file);
	return known ? (struct vhu_ring_counter){true, eventfd->id, count}
		     : (struct vhu_ring_counter){0};
}

const struct vhu_rings_map *vhu_rings_process_map(const struct vhu_rings_process *process,
						  uint64_t address)
{
	for (unsigned i = 0; i < process->maps; i++)
		if (address >= process->map[i].start && address < process->map[i].end)
			return &process->map[i];
	return NULL;
}

bool vhu_rings_process_has(const struct vhu_rings_process *process,
			   const struct vhu_rings_file *file, unsigned count)
{
	for (unsigned f = 0; f < count; f++) {
		for (unsigned i = process->eventfds; i < process->opens; i++)
			if (process->open[i].file.known &&
			    process->open[i].file.inode == file[f].inode &&
			    process->open[i].file.device == file[f].device)
				return true;
		for (unsigned i = 0; i < process->maps; i++)
			if (process->map[i].inode == file[f].inode)
				return true;
	}
	return false;
}

/* Open a descriptor or a mapping again. Returns ours, if it is the file, or -errno. */
static int open_same(const char *path, const struct vhu_rings_file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat stat_buffer;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &stat_buffer) && stat_buffer.st_ino == file->inode &&
	    stat_buffer.st_dev == file->device && S_ISREG(stat_buffer.st_mode))
		return fd;
	close(fd);
	return -ENOENT;
}

int vhu_rings_process_open_file(const struct vhu_rings_process *process,
				const struct vhu_rings_file *file)
{
	int ret = process->error ? process->error : -ENOENT;
	char path[96];

	for (unsigned i = process->eventfds; i < process->opens && ret < 0; i++) {
		const struct vhu_rings_open *open = &process->open[i];

		if (open->kind != VHU_RINGS_OTHER || !open->file.known ||
		    open->file.inode != file->inode || open->file.device != file->device)
			continue;
		snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd/%d", process->pid, open->fd);
		ret = open_same(path, file);
	}
	/* A process may have closed what it has mapped. */
	for (unsigned i = 0; i < process->maps && ret < 0; i++) {
		const struct vhu_rings_map *map = &process->map[i];

		if (map->inode != file->inode)
			continue;
		snprintf(path, sizeof(path), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64,
			 process->pid, map->start, map->end);
		ret = open_same(path, file);
	}
	return ret;
}

int vhu_rings_open_file_anywhere(const struct vhu_rings_file *file)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int ret = -ENOENT;

	while (proc && ret < 0 && (entry = readdir(proc))) {
		struct vhu_rings_process process = {.pid = (uint32_t)atoi(entry->d_name)};

		if (process.pid == 0)
			continue;
		if (!vhu_rings_process_read(&process))
			ret = vhu_rings_process_open_file(&process, file);
		free(process.open);
	}
	if (proc)
		closedir(proc);
	return ret < 0 ? -ENOENT : ret;
}

void vhu_rings_processes_free(struct vhu_rings_processes *processes)
{
	for (unsigned i = 0; i < processes->count; i++) {
		free(processes->process[i]->open);
		free(processes->process[i]->map);
		free(processes->process[i]->polled);
		free(processes->process[i]);
	}
	free(processes->process);
	*processes = (struct vhu_rings_processes){0};
}
