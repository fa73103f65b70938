/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The holder of a socket file: who listens there, as sock_diag(7) and /proc tell. */
#include "proxy/endpoint/socket_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The kernel fills answers of up to 32 KiB. */
#define HOLDER_ANSWER 32768

/* What is looked for, and found. */
struct holder {
	uint32_t inode, device; /* of the file, as the kernel numbers them */
	uint32_t socket;        /* the socket's own inode */
	bool found, ended;
	int error;
};

/* Ask for all Unix sockets with the files that they are bound to. Returns 0 or -errno. */
static int holder_ask(int netlink)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req ask;
	} request = {
	    .head = {.nlmsg_len = sizeof(request),
		     .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	    .ask = {.sdiag_family = AF_UNIX,
		    .udiag_states = UINT32_MAX,
		    .udiag_show = UDIAG_SHOW_VFS},
	};

	return send(netlink, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* Look at one socket: @size bytes of the kernel's description. */
static void holder_look(struct holder *holder, const void *told, size_t size)
{
	const uint8_t *bytes = told;
	size_t at = NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	struct unix_diag_msg socket;
	struct unix_diag_vfs file;
	struct rtattr attribute;

	if (size < at)
		return;
	memcpy(&socket, bytes, sizeof(socket));
	while (at + sizeof(attribute) <= size) {
		memcpy(&attribute, bytes + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > size - at)
			return;
		if (attribute.rta_type == UNIX_DIAG_VFS &&
		    attribute.rta_len >= sizeof(attribute) + sizeof(file)) {
			memcpy(&file, bytes + at + RTA_LENGTH(0), sizeof(file));
			if (file.udiag_vfs_ino == holder->inode &&
			    file.udiag_vfs_dev == holder->device) {
				holder->found = true;
				holder->socket = socket.udiag_ino;
			}
		}
		at += RTA_ALIGN(attribute.rta_len);
	}
}

/* Look at one answer: @size bytes. */
static void holder_read(struct holder *holder, const uint8_t *answer, size_t size)
{
	struct nlmsghdr head;

	for (size_t at = 0; at + sizeof(head) <= size; at += NLMSG_ALIGN(head.nlmsg_len)) {
		memcpy(&head, answer + at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > size - at)
			return;
		if (head.nlmsg_type == NLMSG_DONE) {
			holder->ended = true;
			return;
		}
		if (head.nlmsg_type == NLMSG_ERROR) {
			struct nlmsgerr error = {.error = -EIO};

			if (head.nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
				memcpy(&error, answer + at + NLMSG_HDRLEN, sizeof(error));
			holder->error = error.error;
			return;
		}
		holder_look(holder, answer + at + NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
	}
}

/* Ask the kernel. Returns 0 or -errno. */
static int holder_search(struct holder *holder)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	uint8_t *answer = malloc(HOLDER_ANSWER);
	int error = netlink < 0 ? -errno : !answer ? -ENOMEM : holder_ask(netlink);

	while (!error && !holder->ended && !holder->error) {
		ssize_t size = recv(netlink, answer, HOLDER_ANSWER, 0);

		if (size > 0)
			holder_read(holder, answer, (size_t)size);
		else if (size == 0 || errno != EINTR)
			error = size == 0 ? -EIO : -errno;
	}
	free(answer);
	if (netlink >= 0)
		close(netlink);
	return error ? error : holder->error;
}

/* Return whether process @pid has the socket open whose link in /proc is @wanted. */
static bool holder_has(const char *pid, const char *wanted)
{
	char path[300], link[64];
	struct dirent *entry;
	bool has = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	fds = opendir(path);
	while (fds && !has && (entry = readdir(fds))) {
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);

		link[length > 0 ? length : 0] = '\0';
		has = !strcmp(link, wanted);
	}
	if (fds)
		closedir(fds);
	return has;
}

/* Return a process that has the socket with @inode open, 0 where none is found: those of other
 * users are not seen by everybody. */
static pid_t holder_pid(uint32_t inode)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	char wanted[64];
	pid_t pid = 0;

	snprintf(wanted, sizeof(wanted), "socket:[%u]", inode);
	while (processes && !pid && (entry = readdir(processes))) {
		if (isdigit((unsigned char)entry->d_name[0]) && holder_has(entry->d_name, wanted))
			pid = atoi(entry->d_name);
	}
	if (processes)
		closedir(processes);
	return pid;
}

int vhu_socket_owner_find(dev_t device, ino_t inode, pid_t *pid)
{
	/* The kernel has 12 bits for the major number and 20 for the minor one here, and the lower
	 * half of an inode's number: one more that fits is not probable, and errs on the safe side.
	 */
	struct holder holder = {
	    .inode = (uint32_t)inode,
	    .device = (uint32_t)(major(device) << 20 | minor(device)),
	};
	int error = holder_search(&holder);

	*pid = 0;
	if (error)
		return error;
	if (holder.found)
		*pid = holder_pid(holder.socket);
	return holder.found;
}
