/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How connections end, and why. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/attach/session_internal.h"

bool vhu_attach_has_ended(const struct vhu_attach_sessions *sessions, uint64_t id)
{
	for (unsigned i = 0; i < VHU_ATTACH_ENDED; i++)
		if (sessions->ended[i] == (id & ~UINT64_C(1)))
			return true;
	return false;
}

void vhu_attach_connection_free(struct vhu_attach_connection *connection)
{
	struct vhu_attach_sessions *sessions = connection->sessions;

	TAILQ_REMOVE(&sessions->connection, connection, link);
	sessions->count--;
	sessions->ended[sessions->ended_next++ % VHU_ATTACH_ENDED] = connection->id;
	for (unsigned end = 0; end < 2; end++) {
		vhu_stream_free(&connection->stream[end]);
		vhu_cutter_free(&connection->cutter[end]);
	}
	if (connection->session && !--connection->session->connections)
		free(connection->session);
	free(connection);
}

/* Return which end closed first. @open: whether each is open. */
static unsigned closed_first(const struct vhu_attach_connection *connection, const bool open[2])
{
	const uint64_t *at = connection->closing_ns;

	if (open[0] != open[1])
		return open[0];
	if (at[0] && at[1])
		return at[1] < at[0];
	return at[1] != 0;
}

/* Say why a connection has ended. @first: the end that closed first. */
static void say_reason(const struct vhu_attach_connection *connection, unsigned first,
		       char reason[VHU_RECORD_TEXT_MAX + 1])
{
	bool unread = vhu_stream_has_unread(&connection->stream[!first]);

	snprintf(reason, VHU_RECORD_TEXT_MAX + 1, "%s closed%s",
		 (int)first == connection->front ? "front-end" : "back-end",
		 unread ? ", leaving bytes unread" : "");
}

/* Take what is left of what a connection's ends have sent. */
static void end_streams(struct vhu_attach_connection *connection, uint64_t time_ns)
{
	for (unsigned end = 0; end < 2 && !connection->refused; end++) {
		vhu_stream_end(&connection->stream[end], time_ns);
		vhu_cutter_end(&connection->cutter[end], time_ns);
	}
}

/* Let go of a connection that has ended. @open: whether each end is still open. */
static void let_go(struct vhu_attach_connection *connection, const bool open[2])
{
	struct vhu_attach_sessions *sessions = connection->sessions;

	for (unsigned end = 0; end < 2; end++)
		if (connection->end[end].address)
			sessions->owner->forget(sessions->context, connection->end[end].address,
						open[end]);
	vhu_attach_connection_free(connection);
}

/* End the channels of a session whose main socket was closed at @time_ns: one that was closed
 * before has a reason of its own. */
static void end_channels(const struct vhu_attach_connection *main, uint64_t time_ns)
{
	static const bool open[2] = {true, true};
	struct vhu_attach_connection *at = TAILQ_FIRST(&main->sessions->connection), *next;
	char reason[VHU_RECORD_TEXT_MAX + 1];

	for (; main->session && at; at = next) {
		unsigned first = closed_first(at, open);
		uint64_t closed_ns = at->closing_ns[first];

		next = TAILQ_NEXT(at, link);
		if (at == main || at->session != main->session)
			continue;
		snprintf(reason, sizeof(reason), "session ended");
		if (closed_ns && closed_ns < time_ns)
			say_reason(at, first, reason);
		else
			closed_ns = time_ns;
		end_streams(at, closed_ns);
		vhu_attach_record_closed(at, reason, closed_ns);
		let_go(at, open);
	}
}

/* End a connection of which an end has closed. */
static void end_connection(struct vhu_attach_connection *connection, const bool open[2],
			   uint64_t time_ns)
{
	unsigned first = closed_first(connection, open);
	char reason[VHU_RECORD_TEXT_MAX + 1];

	if (connection->closing_ns[first])
		time_ns = connection->closing_ns[first];
	end_streams(connection, time_ns);
	if (connection->channel == VHU_FRONT_END)
		end_channels(connection, time_ns);
	if (connection->session) {
		say_reason(connection, first, reason);
		vhu_attach_record_closed(connection, reason, time_ns);
	}
	let_go(connection, open);
}

bool vhu_attach_end_if_closed(struct vhu_attach_connection *connection, unsigned end)
{
	const struct vhu_attach_sessions *sessions = connection->sessions;
	const bool open[2] = {end != 0, end != 1};

	if (!connection->session || !connection->closing_ns[end] ||
	    vhu_stream_waits(&connection->stream[0]) || vhu_stream_waits(&connection->stream[1]) ||
	    !sessions->owner->is_closed(sessions->context, connection->id | end,
					connection->end[end].address))
		return false;
	end_connection(connection, open, connection->closing_ns[end]);
	return true;
}

/* Forget sockets that are closed, and belong to connections that have ended. */
static void forget_closed(struct vhu_attach_sessions *sessions,
			  const struct vhu_attach_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!state[i].open && vhu_attach_has_ended(sessions, state[i].socket))
			sessions->owner->forget(sessions->context, state[i].address, false);
}

/* Return how one end of a connection stood. */
static bool is_open(struct vhu_attach_connection *connection, unsigned end,
		    const struct vhu_attach_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (state[i].socket != (connection->id | end))
			continue;
		connection->end[end].address = state[i].address;
		return state[i].open;
	}
	return true;
}

/* Return whether the main connection of a channel's session was closed, too. */
static bool ends_with_main(const struct vhu_attach_connection *channel,
			   const struct vhu_attach_state *state, unsigned count)
{
	struct vhu_attach_connection *at;

	TAILQ_FOREACH(at, &channel->sessions->connection, link)
	{
		if (channel->session && at->session == channel->session &&
		    at->channel == VHU_FRONT_END &&
		    !(is_open(at, 0, state, count) && is_open(at, 1, state, count)))
			return true;
	}
	return false;
}

/* End the connections of a kind that are closed: sessions' main ones, or others. */
static void settle(struct vhu_attach_sessions *sessions, bool main,
		   const struct vhu_attach_state *state, unsigned count, uint64_t time_ns)
{
	struct vhu_attach_connection *at = TAILQ_FIRST(&sessions->connection), *next;

	for (; at; at = next) {
		bool is_main = at->channel == VHU_FRONT_END && !at->carried;
		bool open[2];
		unsigned before = sessions->count;

		next = TAILQ_NEXT(at, link);
		if (is_main != main)
			continue;
		for (unsigned end = 0; end < 2; end++)
			open[end] = is_open(at, end, state, count);
		/* The main one takes its channels along. */
		if ((open[0] && open[1]) || (!main && ends_with_main(at, state, count)))
			continue;
		end_connection(at, open, time_ns);
		if (before - sessions->count > 1)
			next = TAILQ_FIRST(&sessions->connection);
	}
}

void vhu_attach_sessions_settle(struct vhu_attach_sessions *sessions,
				const struct vhu_attach_state *state, unsigned count,
				uint64_t time_ns)
{
	forget_closed(sessions, state, count);
	settle(sessions, false, state, count, time_ns);
	settle(sessions, true, state, count, time_ns);
}
