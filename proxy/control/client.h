/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client: somebody connected to the control socket. Lines come from it, and lines go to it.
 *
 * Theory of operation
 *
 * What is sent to a client is queued, and written when its socket takes it: the proxy does not wait
 * for a client. Answers are always queued; but while more than VHU_CLIENT_LOW bytes are, no further
 * line is taken from it, so that one who asks and does not read has no more than an answer waiting.
 * What comes unasked goes through vhu_client_offer, which refuses it when VHU_CLIENT_HIGH bytes
 * wait.
 *
 * A client that has shut down its sending is served until all its lines are answered and no holder
 * is left. A client that is gone is freed at once, after the lines it had sent were handled.
 *
 * Ownership: a client owns its socket and its queue. When it has ended, it
 * notifies its owner and frees itself. Only its watch does that: no function here ends a client.
 */
#ifndef VHU_PROXY_CONTROL_CLIENT_H
#define VHU_PROXY_CONTROL_CLIENT_H

#include <stddef.h>
#include <sys/uio.h>

#include "proxy/core/loop.h"

/* The longest line taken, with its end. */
#define VHU_CLIENT_LINE 65536u
#define VHU_CLIENT_LOW  65536u
#define VHU_CLIENT_HIGH (1u << 20)

struct vhu_client;

/* What a client's owner has to do. */
struct vhu_client_owner {
	/* A line came: @size bytes and a NUL, without its end. */
	void (*line)(struct vhu_client *client, const char *line, size_t size);
	/* A longer one than is taken came: what is sent to the client now is the last. */
	void (*too_long)(struct vhu_client *client);
	/* All that was queued has gone while the client was busy: go on with the answer. */
	void (*drained)(struct vhu_client *client);
	/* It has ended, and is freed when this returns. */
	void (*gone)(struct vhu_client *client);
};

struct vhu_client {
	struct vhu_watch watch;
	struct vhu_loop *loop;
	const struct vhu_client_owner *owner;
	void *context;  /* the owner's */
	unsigned holds; /* reasons to stay connected with one that sends nothing more */
	bool busy;      /* its last line is still being answered: no other is taken */
	bool ended;     /* it sends nothing more */
	bool closing;   /* it is closed when all that is queued has gone */
	bool gone;      /* nothing can be sent to it any more */
	char *queue;    /* bytes `from` to `to` of it are to be sent */
	size_t from, to, room;
	size_t got; /* bytes in `line` */
	char line[VHU_CLIENT_LINE + 1];
};

/*
 * Make a client of the connected socket @fd, which it owns from now on, and read from it.
 * Returns it; NULL where that is not possible, and @fd stays the caller's.
 */
struct vhu_client *vhu_client_new(struct vhu_loop *loop, int fd,
				  const struct vhu_client_owner *owner, void *context);

/* Queue @size bytes. Where there is no memory for them the client is closed. */
void vhu_client_send(struct vhu_client *client, const char *bytes, size_t size);

/* Return whether so much is queued that nothing can be offered. */
bool vhu_client_is_full(const struct vhu_client *client);

/* Queue @parts one after the other, or none of them if much is queued already. Returns whether that
 * was done. */
bool vhu_client_offer(struct vhu_client *client, const struct iovec *part, unsigned parts);

/* The line that kept it busy is answered: take the next. */
void vhu_client_resume(struct vhu_client *client);

/* Send what its socket takes at once, and free @client without telling its owner. */
void vhu_client_free(struct vhu_client *client);

#endif
