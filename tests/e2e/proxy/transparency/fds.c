/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors that the transparency test sends, and how it knows them again. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/e2e/proxy/transparency/fds.h"
#include "tests/lib/peer.h"

struct pooled {
	int fd;
	enum vhu_fd_kind kind;
	struct stat stat;
	unsigned int eventfd_id;
};

static struct pooled pool[FDS_POOL];

/* Return the kernel-wide id of the eventfd @fd; -1 if it is not an eventfd or the kernel has no
 * ids. */
static long eventfd_id(int fd)
{
	char path[64], line[128];
	long id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "eventfd-id: %ld", &id) == 1)
			break;
	fclose(file);
	return id;
}

/* Return a new memfd of a size that tells it from the others. */
static int make_memfd(unsigned int index)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "region %u", index);
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && ftruncate(fd, (off_t)4096 * (index + 1)))
		return -1;
	return fd;
}

/* Return one end of a new pipe or pair of sockets; the other stays open and unused. */
static int make_pair(unsigned int index, unsigned int what)
{
	int ends[2];
	int rc = what ? socketpair(AF_UNIX, (int)what | SOCK_CLOEXEC, 0, ends)
		      : pipe2(ends, O_CLOEXEC | O_NONBLOCK);

	return rc ? -1 : ends[index / FDS_KINDS & 1];
}

/* Return a new file in @folder. */
static int make_file(unsigned int index, const char *folder)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/sent-%u", folder, index);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Make descriptor @index of the pool. Returns it; -1 with errno. */
static int make_one(unsigned int index, const char *folder, enum vhu_fd_kind *kind)
{
	*kind = VHU_FD_OTHER;
	switch (index % FDS_KINDS) {
	case 0:
	case 1:
		*kind = VHU_FD_MEMFD;
		return make_memfd(index);
	case 2:
	case 3:
		*kind = VHU_FD_EVENTFD;
		return eventfd(index, EFD_CLOEXEC | EFD_NONBLOCK);
	case 4:
		*kind = VHU_FD_EVENTFD;
		return eventfd(index, EFD_CLOEXEC | EFD_SEMAPHORE);
	case 5:
		*kind = VHU_FD_PIPE;
		return make_pair(index, 0);
	case 6:
		*kind = VHU_FD_SOCKET;
		return make_pair(index, SOCK_STREAM);
	case 7:
		*kind = VHU_FD_SOCKET;
		return make_pair(index, SOCK_SEQPACKET);
	case 8:
		*kind = VHU_FD_FILE;
		return make_file(index, folder);
	case 9:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 10:
		return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	default:
		return epoll_create1(EPOLL_CLOEXEC);
	}
}

void fds_make(const char *folder)
{
	for (unsigned int i = 0; i < FDS_POOL; i++) {
		struct pooled *pooled = &pool[i];
		long id;

		pooled->fd = make_one(i, folder, &pooled->kind);
		peer_check(pooled->fd >= 0, "descriptor %u of the pool: %s", i, strerror(errno));
		peer_check(!fstat(pooled->fd, &pooled->stat), "fstat: %s", strerror(errno));
		id = eventfd_id(pooled->fd);
		peer_check(pooled->kind != VHU_FD_EVENTFD || id >= 0,
			   "this kernel tells no eventfd-id in fdinfo");
		pooled->eventfd_id = (unsigned int)id;
	}
}

int fds_get(unsigned int index)
{
	return pool[index].fd;
}

bool fds_is_socket(unsigned int index)
{
	return pool[index].kind == VHU_FD_SOCKET;
}

const char *fds_differ(unsigned int index, int received)
{
	static char text[256];
	const struct pooled *sent = &pool[index];
	char path[64], link[100] = "?";
	struct stat stat;
	pid_t self = getpid();
	bool same;

	peer_check(!fstat(received, &stat), "fstat of what was received: %s", strerror(errno));
	same = stat.st_dev == sent->stat.st_dev && stat.st_ino == sent->stat.st_ino;
	if (same && sent->kind == VHU_FD_EVENTFD)
		same = eventfd_id(received) == (long)sent->eventfd_id;
	/* Where kcmp is not built in it fails, and inode and id have to do. */
	if (same && syscall(SYS_kcmp, self, self, KCMP_FILE, sent->fd, received) <= 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", received);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		link[0] = '\0';
	snprintf(text, sizeof(text), "is %s, inode %lu, %s; %s inode %lu eventfd-id %ld was sent",
		 link, (unsigned long)stat.st_ino, same ? "another open file" : "another file",
		 vhu_fd_kind_name(sent->kind), (unsigned long)sent->stat.st_ino,
		 sent->kind == VHU_FD_EVENTFD ? (long)sent->eventfd_id : -1L);
	return text;
}

const char *fds_differ_described(unsigned int index, const struct vhu_fd_info *info)
{
	static char text[256];
	const struct pooled *sent = &pool[index];
	bool same = true;

	/* All eventfds share one inode, and so do others without a file; it says nothing of them.
	 */
	if (sent->kind == VHU_FD_EVENTFD)
		same = info->eventfd_id == sent->eventfd_id;
	else if (sent->kind != VHU_FD_OTHER)
		same = info->inode == sent->stat.st_ino && info->device == sent->stat.st_dev;
	if (same && sent->kind == VHU_FD_MEMFD)
		same = info->size == (uint64_t)sent->stat.st_size;
	if (same && info->kind == sent->kind)
		return NULL;
	snprintf(
	    text, sizeof(text),
	    "is described as %s, inode %lu of device %lx, size %lu, eventfd-id %u; sent was %s "
	    "%lu of %lx, size %lu, %d",
	    vhu_fd_kind_name(info->kind), (unsigned long)info->inode, (unsigned long)info->device,
	    (unsigned long)info->size, info->eventfd_id, vhu_fd_kind_name(sent->kind),
	    (unsigned long)sent->stat.st_ino, (unsigned long)sent->stat.st_dev,
	    (unsigned long)sent->stat.st_size,
	    sent->kind == VHU_FD_EVENTFD ? (int)sent->eventfd_id : -1);
	return text;
}
