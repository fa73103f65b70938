/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors as vhu attach saw them pass. */
#include "lib/attach/describe.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

/* The kernel's number of a device has its minor in so many bits. */
#define MINOR_BITS 20
/* EFD_SEMAPHORE */
#define SEMAPHORE  1u

/* Return a device's number as in stat(2). */
static uint64_t device_of(const struct vhu_attach_file *file)
{
	return makedev(file->device >> MINOR_BITS, file->device & ((1u << MINOR_BITS) - 1));
}

/* Describe an eventfd. */
static void describe_eventfd(const struct vhu_attach_file *file, struct vhu_fd_info *info)
{
	info->kind = VHU_FD_EVENTFD;
	/* The descriptor's own flag is not one of what it stands for. */
	info->flags &= ~(uint32_t)O_CLOEXEC;
	info->eventfd_id = file->eventfd_id;
	info->eventfd_count = file->eventfd_count;
	info->semaphore = file->eventfd_flags & SEMAPHORE;
	info->has = VHU_FD_HAS_EVENTFD | VHU_FD_HAS_COUNT | VHU_FD_HAS_SEMAPHORE;
}

/* Describe what has an inode of its own, and a size if it is a regular file. */
static void describe_inode(const struct vhu_attach_file *file, struct vhu_fd_info *info)
{
	bool regular = S_ISREG(file->mode), memory = file->magic == TMPFS_MAGIC;
	bool huge = file->magic == HUGETLBFS_MAGIC;

	if (file->mode & S_IFMT) {
		info->inode = file->inode;
		info->device = device_of(file);
		info->has |= VHU_FD_HAS_INODE;
	}
	if (regular || info->kind == VHU_FD_DMABUF) {
		info->size = file->size;
		info->has |= VHU_FD_HAS_SIZE;
	}
	if (regular && (memory || huge)) {
		info->seals = file->seals;
		info->has |= VHU_FD_HAS_SEALS;
	}
	if (regular && huge) {
		info->page_size = file->block_size;
		info->has |= VHU_FD_HAS_PAGE_SIZE;
	}
}

/* Return what kind a file is. */
static enum vhu_fd_kind kind_of(const struct vhu_attach_file *file)
{
	bool memory = file->magic == TMPFS_MAGIC || file->magic == HUGETLBFS_MAGIC;

	if (file->magic == ANON_INODE_FS_MAGIC)
		return strcmp(file->name, "[userfaultfd]") ? VHU_FD_OTHER : VHU_FD_USERFAULTFD;
	if (file->magic == DMA_BUF_MAGIC)
		return VHU_FD_DMABUF;
	switch (file->mode & S_IFMT) {
	case S_IFSOCK:
		return VHU_FD_SOCKET;
	case S_IFIFO:
		return VHU_FD_PIPE;
	case S_IFREG:
		return memory && !file->links && !strncmp(file->name, "memfd:", 6) ? VHU_FD_MEMFD
										   : VHU_FD_FILE;
	case S_IFBLK:
	case S_IFDIR:
		return VHU_FD_FILE;
	default:
		return VHU_FD_OTHER;
	}
}

/* Look for the path of a file among those that a process has open. Returns whether it is there. */
static bool find_path(const struct vhu_attach_file *file, uint32_t pid, char *name, size_t size)
{
	char path[64], link[128];
	const struct dirent *entry;
	bool found = false;
	struct stat st;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/fd", pid);
	folder = pid ? opendir(path) : NULL;
	while (folder && !found && (entry = readdir(folder))) {
		ssize_t length;

		snprintf(link, sizeof(link), "%s/%.32s", path, entry->d_name);
		if (stat(link, &st) || st.st_ino != file->inode || st.st_dev != device_of(file))
			continue;
		length = readlink(link, name, size - 1);
		name[length > 0 ? length : 0] = '\0';
		found = length > 0;
	}
	if (folder)
		closedir(folder);
	return found;
}

/* Name a file as /proc does. */
static void name_file(const struct vhu_attach_file *file, enum vhu_fd_kind kind, uint32_t pid,
		      char *name, size_t size)
{
	if (file->magic == ANON_INODE_FS_MAGIC) {
		snprintf(name, size, "anon_inode:%.240s", file->name);
		return;
	}
	switch (kind) {
	case VHU_FD_SOCKET:
		snprintf(name, size, "socket:[%" PRIu64 "]", file->inode);
		return;
	case VHU_FD_MEMFD:
		snprintf(name, size, "/%.240s (deleted)", file->name);
		return;
	case VHU_FD_DMABUF:
		snprintf(name, size, "/dmabuf:");
		return;
	case VHU_FD_PIPE:
		if (!*file->name) {
			snprintf(name, size, "pipe:[%" PRIu64 "]", file->inode);
			return;
		}
		break;
	default:
		break;
	}
	if (!find_path(file, pid, name, size))
		snprintf(name, size, "%s", file->name);
}

void vhu_attach_describe(const struct vhu_attach_file *file, uint32_t pid, struct vhu_fd_info *info,
			 char name[VHU_RECORD_TEXT_MAX + 1])
{
	memset(info, 0, sizeof(*info));
	info->name = name;
	info->flags = file->flags;
	info->kind = kind_of(file);
	if (file->magic == ANON_INODE_FS_MAGIC && !strcmp(file->name, "[eventfd]"))
		describe_eventfd(file, info);
	else if (file->magic != ANON_INODE_FS_MAGIC)
		describe_inode(file, info);
	name_file(file, info->kind, pid, name, VHU_RECORD_TEXT_MAX + 1);
}
