/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies unread in the sockets of sessions. */
#include "tools/rings/process/queues.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/util/array.h"

/* Take one attribute of a socket. */
static void take_attribute(struct vhu_rings_socket *socket, const struct rtattr *attribute)
{
	size_t size = RTA_PAYLOAD(attribute);
	struct unix_diag_rqlen queue;

	switch (attribute->rta_type) {
	case UNIX_DIAG_NAME:
		if (size >= sizeof(socket->name))
			size = sizeof(socket->name) - 1;
		memcpy(socket->name, RTA_DATA(attribute), size);
		socket->name[size] = '\0';
		break;
	case UNIX_DIAG_PEER:
		if (size >= sizeof(socket->peer))
			memcpy(&socket->peer, RTA_DATA(attribute), sizeof(socket->peer));
		break;
	case UNIX_DIAG_RQLEN:
		if (size >= sizeof(queue)) {
			memcpy(&queue, RTA_DATA(attribute), sizeof(queue));
			socket->unread = queue.udiag_rqueue;
		}
		break;
	}
}

/* Take one socket. */
static void take_socket(struct vhu_rings_queues *queues, const struct nlmsghdr *header)
{
	const struct unix_diag_msg *message = NLMSG_DATA(header);
	struct vhu_rings_socket socket = {.inode = message->udiag_ino}, *more;
	int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*message));
	const struct rtattr *attribute = (const struct rtattr *)(const void *)(message + 1);

	/* A listener's queue holds connections. */
	if (left < 0 || message->udiag_state != 1 /* TCP_ESTABLISHED */)
		return;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		take_attribute(&socket, attribute);
	more = vhu_array_more(queues->socket, &queues->sockets, sizeof(*more));
	if (!more)
		return;
	queues->socket = more;
	queues->socket[queues->sockets - 1] = socket;
}

/* Take the answers. */
static void take_answers(struct vhu_rings_queues *queues, int diag)
{
	_Alignas(struct nlmsghdr) char bytes[32768];
	ssize_t got;

	while ((got = recv(diag, bytes, sizeof(bytes), 0)) > 0) {
		size_t left = (size_t)got;

		for (const struct nlmsghdr *header = (const void *)bytes; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR)
				return;
			take_socket(queues, header);
		}
	}
}

/* Order sockets by inode. */
static int by_inode(const void *left, const void *right)
{
	const struct vhu_rings_socket *a = left, *b = right;

	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

/* List the connected sockets. */
static void list(struct vhu_rings_queues *queues)
{
	const struct {
		struct nlmsghdr header;
		struct unix_diag_req ask;
	} question = {
	    .header = {.nlmsg_len = sizeof(question),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	    .ask = {.sdiag_family = AF_UNIX,
		    .udiag_states = ~0u,
		    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN},
	};
	int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (diag < 0)
		return;
	if (send(diag, &question, sizeof(question), 0) == (ssize_t)sizeof(question))
		take_answers(queues, diag);
	close(diag);
	if (queues->sockets)
		qsort(queues->socket, queues->sockets, sizeof(*queues->socket), by_inode);
}

void vhu_rings_queues_read(struct vhu_rings_queues *queues, const struct vhu_rings_targets *targets)
{
	bool waits = false;

	*queues = (struct vhu_rings_queues){0};
	for (unsigned i = 0; i < targets->memories; i++)
		waits |= targets->memory[i].session->pending.number != 0;
	if (waits)
		list(queues);
}

/* Find a socket; NULL for none. */
static const struct vhu_rings_socket *find(const struct vhu_rings_queues *queues, uint64_t inode)
{
	const struct vhu_rings_socket key = {.inode = (uint32_t)inode};

	return queues->sockets
		   ? bsearch(&key, queues->socket, queues->sockets, sizeof(key), by_inode)
		   : NULL;
}

/* Return whether two paths may name the same socket: one may be relative to some folder. */
static bool same_path(const char *one, const char *other)
{
	const char *a = strrchr(one, '/'), *b = strrchr(other, '/');

	if (*one == '/' && *other == '/')
		return !strcmp(one, other);
	return *one && !strcmp(a ? a + 1 : one, b ? b + 1 : other);
}

uint64_t vhu_rings_queues_unread(const struct vhu_rings_queues *queues,
				 const struct vhu_rings_memory *memory, unsigned side)
{
	const struct vhu_rings_process *process = memory->process[side];
	const char *path = memory->session->path[side];
	uint64_t unread = 0;

	for (unsigned i = process ? process->eventfds : 0; process && i < process->opens; i++) {
		const struct vhu_rings_open *open = &process->open[i];
		const struct vhu_rings_socket *socket, *peer;

		if (open->kind != VHU_RINGS_SOCKET || !open->file.known)
			continue;
		socket = find(queues, open->file.inode);
		peer = socket ? find(queues, socket->peer) : NULL;
		/* Who has accepted a connection has the path of where it listened. */
		if (socket && socket->unread > unread &&
		    (same_path(socket->name, path) || (peer && same_path(peer->name, path))))
			unread = socket->unread;
	}
	return unread;
}

void vhu_rings_queues_free(struct vhu_rings_queues *queues)
{
	free(queues->socket);
	*queues = (struct vhu_rings_queues){0};
}

unsigned vhu_rings_queues_peers(const struct vhu_rings_process *process, uint32_t **peer)
{
	struct vhu_rings_queues queues = {0};
	unsigned count = 0;

	list(&queues);
	*peer = calloc(process->opens + 1, sizeof(**peer));
	for (unsigned i = process->eventfds; *peer && i < process->opens; i++) {
		const struct vhu_rings_open *open = &process->open[i];
		const struct vhu_rings_socket *socket =
		    open->kind == VHU_RINGS_SOCKET && open->file.known
			? find(&queues, open->file.inode)
			: NULL;

		if (socket && socket->peer)
			(*peer)[count++] = socket->peer;
	}
	vhu_rings_queues_free(&queues);
	return count;
}
