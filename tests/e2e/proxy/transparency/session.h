/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One session of the transparency test: the main socket and the channels opened on the way, both
 * ends of each played here, both directions of each at work at once.
 */
#ifndef VHU_TESTS_TRANSPARENCY_SESSION_H
#define VHU_TESTS_TRANSPARENCY_SESSION_H

#include <poll.h>

#include "tests/e2e/proxy/transparency/stream.h"

/* Messages in each direction of a channel. */
#define SESSION_CHANNEL_MESSAGES 40
/* Sockets of a session: two ends of the main connection and of a channel of each kind. */
#define SESSION_SOCKETS          (2 * VHU_CHANNELS)

/* A connection: [0] belongs to the front-end, [1] to the back-end. */
struct connection {
	bool open;
	int end[2];                  /* -1 closed, or not received yet */
	bool arrived;                /* the back-end has its end */
	bool blocking;               /* how a channel's socket was sent */
	struct sender sender[2];     /* sends on end[i] */
	struct receiver receiver[2]; /* receives on end[i] what sender[!i] sent */
};

struct passed_session {
	bool open;
	unsigned int opened; /* channels so far */
	struct connection connection[VHU_CHANNELS];
};

/* Begin a session over the connected sockets @front and @back. @stream: its seed, number, count and
 * channel_every are taken. */
void session_begin(struct passed_session *session, const struct message_stream *stream, int front,
		   int back);

/* Fill @poll with the session's sockets and what they wait for. Returns how many, at most
 * SESSION_SOCKETS; *@nap becomes true where a receiver only pauses. */
unsigned int session_poll(struct passed_session *session, struct pollfd *poll, bool *nap);

/* Go on with what can be done. Returns whether anything was. */
bool session_step(struct passed_session *session);

/* Say on stderr how far each stream of @session came. */
void session_report(const struct passed_session *session);

/* Return whether a channel of kind @channel can be opened now: the last one has ended. */
bool session_channel_free(const struct passed_session *session, enum vhu_channel channel);

/* Open a channel of kind @channel. Returns the socket to send, the sender's to close. */
int session_open_channel(struct passed_session *session, enum vhu_channel channel);

/* Take @fd, which the back-end received as the end of the open channel of kind @channel; the
 * session closes it. */
void session_channel_arrived(struct passed_session *session, enum vhu_channel channel, int fd);

#endif
