/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of the control socket; client.h has its theory of operation. */
#include "proxy/control/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Lines taken in one turn of the loop, before sessions have theirs. */
#define CLIENT_TURNS 16u

/* Return how many bytes are queued. */
static size_t client_queued(const struct vhu_client *client)
{
	return client->to - client->from;
}

/* Let the client's watch wait for @events. One that cannot be watched has ended. */
static void client_watch(struct vhu_client *client, uint32_t events)
{
	if (vhu_loop_watch(client->loop, &client->watch, events))
		client->gone = true;
}

/* See to it that the watch is served in the next turn of the loop. */
static void client_wake(struct vhu_client *client)
{
	client_watch(client, client->watch.events | EPOLLOUT);
}

/* Make room for @size more bytes in the queue. Returns whether there is. */
static bool client_make_room(struct vhu_client *client, size_t size)
{
	size_t room = client->room ? client->room : 4096;
	char *queue;

	if (client->room - client->to >= size)
		return true;
	if (client->from) {
		memmove(client->queue, client->queue + client->from, client_queued(client));
		client->to -= client->from;
		client->from = 0;
	}
	while (room - client->to < size)
		room *= 2;
	queue = room > client->room ? realloc(client->queue, room) : client->queue;
	if (!queue)
		return false;
	client->queue = queue;
	client->room = room;
	return true;
}

void vhu_client_send(struct vhu_client *client, const char *bytes, size_t size)
{
	if (client->gone || !size)
		return;
	if (client_make_room(client, size)) {
		memcpy(client->queue + client->to, bytes, size);
		client->to += size;
	} else {
		client->gone = true;
	}
	client_wake(client);
}

bool vhu_client_is_full(const struct vhu_client *client)
{
	return client_queued(client) >= VHU_CLIENT_HIGH;
}

bool vhu_client_offer(struct vhu_client *client, const struct iovec *part, unsigned parts)
{
	size_t size = client_queued(client);

	for (unsigned i = 0; i < parts; i++)
		size += part[i].iov_len;
	if (size > VHU_CLIENT_HIGH)
		return false;
	for (unsigned i = 0; i < parts; i++)
		vhu_client_send(client, part[i].iov_base, part[i].iov_len);
	return true;
}

void vhu_client_resume(struct vhu_client *client)
{
	client->busy = false;
	client_wake(client);
}

/* Write what the socket takes of the queue. */
static void client_write(struct vhu_client *client)
{
	while (client_queued(client) && !client->gone) {
		ssize_t n = send(client->watch.fd, client->queue + client->from,
				 client_queued(client), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			client->from += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			client->gone = true;
	}
	client->from = client->to = 0;
	if (client->room > VHU_CLIENT_LOW) {
		free(client->queue);
		client->queue = NULL;
		client->room = 0;
	}
}

/* Read what there is room for. */
static void client_receive(struct vhu_client *client)
{
	ssize_t n;

	if (client->ended || client->closing || client->got == VHU_CLIENT_LINE)
		return;
	/* Descriptors that come along are not taken: the kernel closes them. */
	n = recv(client->watch.fd, client->line + client->got, VHU_CLIENT_LINE - client->got,
		 MSG_DONTWAIT);
	if (n > 0)
		client->got += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client->ended = true;
}

/* Return the end of the first line that came; NULL where none is whole. */
static char *client_line_end(struct vhu_client *client)
{
	char *end = memchr(client->line, '\n', client->got);

	/* Nothing more comes: the last one needs no end. */
	if (!end && client->ended && client->got)
		end = client->line + client->got;
	return end;
}

/* Return whether a line may be taken now. */
static bool client_takes_lines(const struct vhu_client *client)
{
	return !client->busy && !client->closing && !client->gone &&
	       client_queued(client) <= VHU_CLIENT_LOW;
}

/* Hand over lines that came. */
static void client_take_lines(struct vhu_client *client)
{
	for (unsigned i = 0; i < CLIENT_TURNS && client_takes_lines(client); i++) {
		char *end = client_line_end(client);
		size_t size;

		if (!end && client->got == VHU_CLIENT_LINE) {
			client->owner->too_long(client);
			client->closing = true;
		}
		if (!end)
			return;
		size = (size_t)(end - client->line);
		*end = '\0';
		client->owner->line(client, client->line, size);
		if (size < client->got)
			size++;
		client->got -= size;
		memmove(client->line, client->line + size, client->got);
	}
}

/* Return whether there is nothing left to do for @client. */
static bool client_is_done(struct vhu_client *client)
{
	if (client->gone)
		return true;
	if (client_queued(client))
		return false;
	return client->closing ||
	       (client->ended && !client->busy && !client->holds && !client->got);
}

/* Wait for what is to come, or end @client. */
static void client_settle(struct vhu_client *client)
{
	uint32_t events = 0;

	if (client_is_done(client)) {
		client->owner->gone(client);
		vhu_client_free(client);
		return;
	}
	/* Writable at once: so lines that are left have their turn after the sessions. */
	if (client_queued(client) || client->busy ||
	    (client_takes_lines(client) && client_line_end(client)))
		events |= EPOLLOUT;
	if (!client->ended && client_takes_lines(client) && client->got < VHU_CLIENT_LINE)
		events |= EPOLLIN;
	client_watch(client, events);
}

/* Something happened on the socket, or there is something to send. */
static void client_ready(struct vhu_watch *watch, uint32_t events)
{
	struct vhu_client *client = (struct vhu_client *)watch;

	if (events & ~(uint32_t)EPOLLOUT && client_takes_lines(client))
		client_receive(client);
	client_take_lines(client);
	client_write(client);
	if (!client_queued(client) && client->busy && !client->gone)
		client->owner->drained(client);
	/* It reads nothing more; what it had sent was taken as far as it came whole. */
	if (events & (EPOLLHUP | EPOLLERR) && (client->ended || !client_takes_lines(client)) &&
	    !client_line_end(client))
		client->gone = true;
	client_settle(client);
}

struct vhu_client *vhu_client_new(struct vhu_loop *loop, int fd,
				  const struct vhu_client_owner *owner, void *context)
{
	struct vhu_client *client = malloc(sizeof(*client));

	if (!client)
		return NULL;
	memset(client, 0, offsetof(struct vhu_client, line));
	client->loop = loop;
	client->owner = owner;
	client->context = context;
	client->watch.fd = fd;
	client->watch.ready = client_ready;
	if (vhu_loop_watch(loop, &client->watch, EPOLLIN)) {
		free(client);
		return NULL;
	}
	return client;
}

void vhu_client_free(struct vhu_client *client)
{
	client_write(client);
	vhu_loop_unwatch(client->loop, &client->watch);
	close(client->watch.fd);
	free(client->queue);
	free(client);
}
