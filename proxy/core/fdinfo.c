/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions of file descriptors and peers, as fstat, /proc and fcntl have them.
 *
 * All that is asked for is asked by number of a descriptor that is open here, so that nothing can
 * be described that has been replaced meanwhile; a peer's name alone goes by its process id.
 */
#include "proxy/core/fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/util/util.h"

#define MEMFD_PREFIX "/memfd:"
#define EVENTFD_NAME "anon_inode:[eventfd]"
#define FDINFO       "/proc/self/fdinfo/"

/* What /proc/self/fd/N names those that have no file. */
static const struct {
	const char *prefix;
	enum vhu_fd_kind kind;
} names[] = {
    {"anon_inode:[userfaultfd]", VHU_FD_USERFAULTFD},
    {"/dmabuf:", VHU_FD_DMABUF},
};

/* Files of FDINFO that are kept open. */
#define FDINFO_FILES 8

/* FDINFO, kept open: most of what reading a file there costs is to find it. -1 without. */
static int fdinfo_folder = -1;

/*
 * Files there that were read last, each by its number. What is read of one is about what has the
 * number when it is read, and the kernel gives out the lowest number that is free: what is passed
 * on has the same few numbers again and again.
 */
static struct describe_file {
	int number; /* 0 none: standard input is not described again and again */
	int file;
	bool eventfd; /* so was what had the number last */
} kept[FDINFO_FILES];

void vhu_fdinfo_start(void)
{
	if (fdinfo_folder < 0)
		fdinfo_folder = open(FDINFO, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void vhu_fdinfo_end(void)
{
	for (unsigned i = 0; i < FDINFO_FILES; i++) {
		if (kept[i].number)
			close(kept[i].file);
		kept[i].number = 0;
	}
	if (fdinfo_folder >= 0)
		close(fdinfo_folder);
	fdinfo_folder = -1;
}

/*
 * Read a small file below /proc.
 * @text: gets what it holds, terminated; "" where it cannot be read.
 * Returns its length.
 */
static size_t describe_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = -1;

	if (fd >= 0) {
		length = read(fd, text, size - 1);
		close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	return length > 0 ? (size_t)length : 0;
}

/* A line of fdinfo: a key with its colon, and a number. */
struct describe_line {
	const char *key;
	unsigned length; /* of the key */
	unsigned base;   /* of the number's text */
	bool found;
	uint64_t value;
};
#define DESCRIBE_LINE(text, in)                                                                    \
	{                                                                                          \
		.key = text, .length = sizeof(text) - 1, .base = in                                \
	}

/* Return the value of a digit; UINT_MAX if @digit is not one. */
static unsigned describe_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned)(digit - '0');
	return digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10 : UINT_MAX;
}

/* Read the number of @line, which stands at @at behind blanks. It is read of each eventfd, so what
 * strtoull(3) does for signs, prefixes and languages is left out. */
static void describe_number(struct describe_line *line, const char *at)
{
	uint64_t value = 0;
	unsigned digit;

	while (*at == ' ' || *at == '\t')
		at++;
	line->found = describe_digit(*at) < line->base;
	while ((digit = describe_digit(*at++)) < line->base) {
		line->found &= value <= (UINT64_MAX - digit) / line->base;
		value = value * line->base + digit;
	}
	line->value = value;
}

/* Find @count lines in @text, of fdinfo. */
static void describe_find(const char *text, struct describe_line *line, unsigned count)
{
	for (const char *at = text; at; at = strchr(at, '\n'), at += at != NULL) {
		for (unsigned i = 0; i < count; i++) {
			if (*at != *line[i].key || strncmp(at, line[i].key, line[i].length))
				continue;
			describe_number(&line[i], at + line[i].length);
			break;
		}
	}
}

/* Write the name of the file of fdinfo on @fd, which is its number. */
static void describe_fdinfo_name(int fd, char name[12])
{
	char digits[12], *digit = digits;

	do
		*digit++ = (char)('0' + fd % 10);
	while (fd /= 10);
	while (digit > digits)
		*name++ = *--digit;
	*name = '\0';
}

/* Return the file of fdinfo on @fd, which stays open; NULL where it cannot. */
static struct describe_file *describe_keep(int fd)
{
	struct describe_file *file = &kept[(unsigned)fd % FDINFO_FILES];
	char name[12];
	int opened;

	if (fdinfo_folder < 0 || fd <= 0)
		return NULL;
	if (file->number == fd)
		return file;
	describe_fdinfo_name(fd, name);
	opened = openat(fdinfo_folder, name, O_RDONLY | O_CLOEXEC);
	if (opened < 0)
		return NULL;
	if (file->number)
		close(file->file);
	*file = (struct describe_file){.number = fd, .file = opened};
	return file;
}

/* Read the file of fdinfo on @fd, which is kept as @file, or not (NULL). */
static void describe_read_fdinfo(int fd, const struct describe_file *file, char *text, size_t size)
{
	char path[sizeof(FDINFO) + 12] = FDINFO;
	ssize_t length;

	if (!file) {
		describe_fdinfo_name(fd, path + strlen(FDINFO));
		describe_read(path, text, size);
		return;
	}
	length = pread(file->file, text, size - 1, 0);
	text[length > 0 ? length : 0] = '\0';
}

/*
 * Describe an eventfd. Each ring has some, so they are described by one file of /proc alone, which
 * has their flags too.
 * @file: that file where it is kept, or NULL.
 * Returns whether @fd is one; where not, @info is left alone.
 */
static bool describe_eventfd(int fd, struct describe_file *file, struct vhu_fd_info *info)
{
	enum { FLAGS, COUNT, ID, SEMAPHORE, LINES };
	struct describe_line line[LINES] = {
	    [FLAGS] = DESCRIBE_LINE("flags:", 8),
	    [COUNT] = DESCRIBE_LINE("eventfd-count:", 16),
	    [ID] = DESCRIBE_LINE("eventfd-id:", 10),
	    [SEMAPHORE] = DESCRIBE_LINE("eventfd-semaphore:", 10),
	};
	char text[1024];

	describe_read_fdinfo(fd, file, text, sizeof(text));
	describe_find(text, line, LINES);
	if (file)
		file->eventfd = line[COUNT].found;
	if (!line[COUNT].found)
		return false;
	info->kind = VHU_FD_EVENTFD;
	info->eventfd_count = line[COUNT].value;
	info->has |= VHU_FD_HAS_COUNT;
	/* The descriptor's own flag is among those of what it stands for. */
	if (line[FLAGS].found)
		info->flags = (uint32_t)line[FLAGS].value & ~(uint32_t)O_CLOEXEC;
	if (line[ID].found) {
		info->eventfd_id = (uint32_t)line[ID].value;
		info->has |= VHU_FD_HAS_EVENTFD;
	}
	if (line[SEMAPHORE].found) {
		info->semaphore = line[SEMAPHORE].value != 0;
		info->has |= VHU_FD_HAS_SEMAPHORE;
	}
	return true;
}

/* Add what only files in memory have: seals, and the size of huge pages. */
static void describe_memory(int fd, struct vhu_fd_info *info)
{
	struct statfs fs;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals >= 0) {
		info->seals = (uint32_t)seals;
		info->has |= VHU_FD_HAS_SEALS;
	}
	if (!fstatfs(fd, &fs) && fs.f_type == HUGETLBFS_MAGIC) {
		info->page_size = (uint64_t)fs.f_bsize;
		info->has |= VHU_FD_HAS_PAGE_SIZE;
	}
}

/* Tell the kind of what is open from its type and its name. A file somewhere in the file system
 * that is called like a memfd has a link to it; a memfd has none. */
static enum vhu_fd_kind describe_kind(const struct stat *st, const char *name)
{
	for (size_t i = 0; i < VHU_ARRAY_SIZE(names); i++) {
		if (!strncmp(name, names[i].prefix, strlen(names[i].prefix)))
			return names[i].kind;
	}
	switch (st->st_mode & S_IFMT) {
	case S_IFSOCK:
		return VHU_FD_SOCKET;
	case S_IFIFO:
		return VHU_FD_PIPE;
	case S_IFREG:
		if (!st->st_nlink && !strncmp(name, MEMFD_PREFIX, strlen(MEMFD_PREFIX)))
			return VHU_FD_MEMFD;
		return VHU_FD_FILE;
	case S_IFBLK:
	case S_IFDIR:
		return VHU_FD_FILE;
	default:
		return VHU_FD_OTHER;
	}
}

void vhu_fdinfo_read(int fd, struct vhu_fd_info *info, char name[VHU_FDINFO_NAME])
{
	struct describe_file *file;
	char path[64];
	struct stat st;
	ssize_t length;
	int flags;

	memset(info, 0, sizeof(*info));
	info->name = name;
	name[0] = '\0';
	/* What was an eventfd last is asked for that at once. */
	file = &kept[(unsigned)fd % FDINFO_FILES];
	if (file->number == fd && file->eventfd && describe_eventfd(fd, file, info)) {
		strcpy(name, EVENTFD_NAME);
		return;
	}
	if (fstat(fd, &st))
		return;
	/* Eventfds and the like have no type of file. They share one inode, which would only
	 * mislead. */
	if (!(st.st_mode & S_IFMT) && describe_eventfd(fd, describe_keep(fd), info)) {
		strcpy(name, EVENTFD_NAME);
		return;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		info->flags = (uint32_t)flags;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, name, VHU_FDINFO_NAME - 1);
	name[length > 0 ? length : 0] = '\0';

	info->kind = describe_kind(&st, name);
	if (st.st_mode & S_IFMT) {
		info->inode = st.st_ino;
		info->device = st.st_dev;
		info->has |= VHU_FD_HAS_INODE;
	}
	if (S_ISREG(st.st_mode) || info->kind == VHU_FD_DMABUF) {
		info->size = (uint64_t)st.st_size;
		info->has |= VHU_FD_HAS_SIZE;
	}
	if (S_ISREG(st.st_mode))
		describe_memory(fd, info);
}

void vhu_fdinfo_peer(int socket, const char *path, struct vhu_peer *peer,
		     char comm[VHU_FDINFO_COMM])
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	char file[64];

	memset(peer, 0, sizeof(*peer));
	comm[0] = '\0';
	peer->path = path;
	peer->comm = comm;
	if (socket < 0 || getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return;
	peer->known = true;
	peer->pid = (uint32_t)cred.pid;
	peer->uid = cred.uid;
	peer->gid = cred.gid;
	/* A process id of 0: it lives in a process id namespace that is not seen from here. */
	if (cred.pid <= 0)
		return;
	snprintf(file, sizeof(file), "/proc/%d/comm", cred.pid);
	describe_read(file, comm, VHU_FDINFO_COMM);
	comm[strcspn(comm, "\n")] = '\0';
}
