/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One session of the transparency test, both ends of all of its sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/proxy/transparency/session.h"

/* Set up both directions of @connection after @stream, which says what kind it is. */
static void begin_connection(struct passed_session *session, struct connection *connection,
			     const struct message_stream *stream)
{
	memset(connection, 0, sizeof(*connection));
	connection->open = true;
	connection->end[0] = connection->end[1] = -1;
	for (int i = 0; i < 2; i++) {
		struct sender *sender = &connection->sender[i];
		struct receiver *receiver = &connection->receiver[i];

		sender->stream = receiver->stream = *stream;
		sender->stream.from_back_end = i == 1;
		receiver->stream.from_back_end = i == 0;
		sender->session = receiver->session = session;
		sender->random = stream->seed + stream->session * 31 + stream->opened;
		receiver->random = ~sender->random;
	}
}

void session_begin(struct passed_session *session, const struct message_stream *stream, int front,
		   int back)
{
	struct message_stream main_stream = *stream;

	memset(session, 0, sizeof(*session));
	session->open = true;
	main_stream.opened = 0;
	main_stream.channel = VHU_FRONT_END;
	begin_connection(session, &session->connection[VHU_FRONT_END], &main_stream);
	fcntl(front, F_SETFL, O_NONBLOCK);
	fcntl(back, F_SETFL, O_NONBLOCK);
	session->connection[VHU_FRONT_END].end[0] = front;
	session->connection[VHU_FRONT_END].end[1] = back;
	session->connection[VHU_FRONT_END].arrived = true;
}

bool session_channel_free(const struct passed_session *session, enum vhu_channel channel)
{
	return !session->connection[channel].open;
}

int session_open_channel(struct passed_session *session, enum vhu_channel channel)
{
	struct message_stream stream = session->connection[VHU_FRONT_END].sender[0].stream;
	struct connection *connection = &session->connection[channel];
	int ends[2];

	stream.opened = ++session->opened;
	stream.channel = channel;
	stream.count = SESSION_CHANNEL_MESSAGES;
	begin_connection(session, connection, &stream);
	peer_check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair: %s",
		   strerror(errno));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	connection->blocking = session->opened / VHU_CHANNELS % 2;
	if (!connection->blocking)
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
	connection->end[0] = ends[0];
	return ends[1];
}

void session_channel_arrived(struct passed_session *session, enum vhu_channel channel, int fd)
{
	struct connection *connection = &session->connection[channel];
	int flags = fcntl(fd, F_GETFL);

	/* Whoever gets the socket relies on how it was set up by whoever made it. */
	peer_check(!(flags & O_NONBLOCK) == connection->blocking,
		   "session %u: the socket of channel %u was sent %sblocking, and came %sblocking",
		   connection->sender[0].stream.session, connection->sender[0].stream.opened,
		   connection->blocking ? "" : "non-", connection->blocking ? "non-" : "");
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	connection->end[1] = fd;
	connection->arrived = true;
}

/* Return whether end @i of @connection has done its part. */
static bool end_done(const struct connection *connection, int i)
{
	return stream_sent_all(&connection->sender[i]) &&
	       stream_received_all(&connection->receiver[i]);
}

/*
 * Close end @i where it is done. Whoever is done first closes at once, though the other may have
 * much to read yet; the other must then find the end behind the last message.
 */
static bool close_when_done(struct connection *connection, int i)
{
	const struct passed_session *session = connection->sender[i].session;
	bool other_closed = connection->arrived && connection->end[!i] < 0;

	if (connection->end[i] < 0 || !end_done(connection, i))
		return false;
	if (other_closed && !connection->receiver[i].ended)
		return false;
	/* The proxy ends a session with its main socket. */
	if (connection == &session->connection[VHU_FRONT_END] &&
	    (session->connection[VHU_BACK_END].open || session->connection[VHU_GPU].open))
		return false;
	close(connection->end[i]);
	connection->end[i] = -1;
	if (other_closed)
		connection->open = false;
	return true;
}

unsigned int session_poll(struct passed_session *session, struct pollfd *poll, bool *nap)
{
	int64_t now = peer_now_ms();
	unsigned int n = 0;

	for (int c = 0; c < VHU_CHANNELS; c++) {
		struct connection *connection = &session->connection[c];

		for (int i = 0; connection->open && i < 2; i++) {
			bool reads = connection->receiver[i].nap_until_ms <= now;
			const struct sender *sender = &connection->sender[i];

			if (connection->end[i] < 0)
				continue;
			*nap |= !reads;
			poll[n].fd = connection->end[i];
			poll[n].events = reads ? POLLIN : 0;
			/* What waits for a channel to end has nothing to send yet. */
			if (sender->sent < sender->size)
				poll[n].events |= POLLOUT;
			n++;
		}
	}
	return n;
}

/* Send and receive on end @i of @connection. Returns whether anything was done. */
static bool step_end(struct connection *connection, int i)
{
	struct receiver *receiver = &connection->receiver[i];
	bool done = false;

	for (int turn = 0; turn < 8 && connection->end[i] >= 0; turn++)
		if (!stream_send(&connection->sender[i], connection->end[i]))
			break;
		else
			done = true;
	for (int turn = 0; turn < 8 && connection->end[i] >= 0; turn++) {
		if (receiver->ended || receiver->nap_until_ms > peer_now_ms())
			break;
		if (!stream_receive(receiver, connection->end[i]))
			break;
		done = true;
	}
	return close_when_done(connection, i) || done;
}

bool session_step(struct passed_session *session)
{
	bool done = false;

	for (int c = 0; c < VHU_CHANNELS; c++)
		for (int i = 0; i < 2; i++)
			if (session->connection[c].open)
				done |= step_end(&session->connection[c], i);
	session->open = false;
	for (int c = 0; c < VHU_CHANNELS; c++)
		session->open |= session->connection[c].open;
	return done;
}

void session_report(const struct passed_session *session)
{
	for (int c = 0; c < VHU_CHANNELS; c++) {
		const struct connection *connection = &session->connection[c];

		for (int i = 0; connection->open && i < 2; i++)
			fprintf(stderr, "%s: %u of %u messages received, %u sent\n",
				message_stream_name(&connection->receiver[!i].stream),
				connection->receiver[!i].number, connection->sender[i].stream.count,
				connection->sender[i].number);
	}
}
