/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How connections end, and why. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/attach/session_internal.h"
#include "lib/attach/stream_sent.h"
#include "lib/util/util.h"

/* An end is closed that so many lists lack, one after the other: a list that is made while sockets
 * come may pass one over. */
#define GONE     2
/* By this long after a sending, the kernel side has noted whether its SENT event was whole. */
#define NOTED_NS (10 * VHU_NS_PER_MS)

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

/* Return the earlier of two times; 0 stands for no time. */
static unsigned first_of(const uint64_t at[2])
{
	return at[0] && at[1] ? at[1] < at[0] : at[1] != 0;
}

/* Return which end closed first. @open: whether each is open. Who sends no more has begun. */
static unsigned closed_first(const struct vhu_attach_connection *connection, const bool open[2])
{
	const uint64_t *at = connection->closing_ns, *shut = connection->shut_ns;

	if (shut[0] || shut[1]) {
		unsigned first = first_of(shut);

		if (!at[!first] || shut[first] < at[!first])
			return first;
	}
	if (open[0] != open[1])
		return open[0];
	return first_of(at);
}

/* Return when a connection closed; @else_ns where it was not said. */
static uint64_t closed_ns(const struct vhu_attach_connection *connection, uint64_t else_ns)
{
	const uint64_t at = connection->closing_ns[first_of(connection->closing_ns)];

	return at ? at : else_ns;
}

/* Say why a connection has ended. @first: the end that closed first. */
static void say_reason(const struct vhu_attach_connection *connection, unsigned first,
		       char reason[VHU_RECORD_TEXT_MAX + 1])
{
	bool unread =
	    vhu_stream_has_unread(&connection->stream[!first]) || connection->waiting[!first];

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

	for (unsigned end = 0; end < 2; end++) {
		/* It sends nothing more. When it is closed, it is forgotten. */
		const bool alone = open[end] && !open[!end];

		if (connection->end[end].address && !alone)
			sessions->owner->forget(sessions->context, connection->id | end,
						connection->end[end].address, open[end]);
	}
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
		uint64_t at_ns = closed_ns(at, time_ns);

		next = TAILQ_NEXT(at, link);
		if (at == main || at->session != main->session)
			continue;
		snprintf(reason, sizeof(reason), "session ended");
		if (at_ns < time_ns)
			say_reason(at, closed_first(at, open), reason);
		else
			at_ns = time_ns;
		end_streams(at, at_ns);
		vhu_attach_record_closed(at, reason, at_ns);
		let_go(at, open);
	}
}

/* End a connection when one of its ends has closed. */
static void end_connection(struct vhu_attach_connection *connection, const bool open[2],
			   uint64_t time_ns)
{
	unsigned first = closed_first(connection, open);
	char reason[VHU_RECORD_TEXT_MAX + 1];

	time_ns = closed_ns(connection, time_ns);
	end_streams(connection, time_ns);
	if (connection->channel == VHU_FRONT_END)
		end_channels(connection, time_ns);
	if (connection->session) {
		say_reason(connection, first, reason);
		vhu_attach_record_closed(connection, reason, time_ns);
	}
	let_go(connection, open);
}

/* Return whether a list of how sockets stand has an end of a connection. */
static bool is_listed(const struct vhu_attach_connection *connection, unsigned end,
		      const struct vhu_attach_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (state[i].socket == (connection->id | end))
			return true;
	return false;
}

/* Learn which ends are closed by now because other sockets are at their addresses. @from_ns: when
 * the list was begun. */
static void learn_gone(struct vhu_attach_sessions *sessions, const struct vhu_attach_state *state,
		       unsigned count, uint64_t from_ns)
{
	struct vhu_attach_connection *at;

	TAILQ_FOREACH(at, &sessions->connection, link)
	{
		for (unsigned end = 0; end < 2; end++) {
			if (is_listed(at, end, state, count)) {
				at->gone[end] = 0;
				continue;
			}
			/* The socket is gone: whether waiting buffers were taken is unknown. */
			at->waiting[end] = 0;
			if (at->since_ns < from_ns)
				at->gone[end]++;
		}
	}
}

/* Return how one end of a connection stood. */
static bool is_open(struct vhu_attach_connection *connection, unsigned end,
		    const struct vhu_attach_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (state[i].socket != (connection->id | end))
			continue;
		connection->end[end].address = state[i].address;
		connection->waiting[end] = state[i].waiting;
		return state[i].open;
	}
	return connection->gone[end] < GONE;
}

/* Return whether all that an end had sent was taken, by how its socket stood. */
static bool is_told(const struct vhu_attach_connection *connection,
		    const struct vhu_attach_state *state)
{
	const struct vhu_stream *stream = &connection->stream[state->socket & 1];

	return !connection->sessions->sees_sending ||
	       vhu_stream_is_told(stream, state->begun, state->sent);
}

/* Return whether nothing is still to come of what was sent in a connection's session. */
static bool is_all_told(const struct vhu_attach_connection *connection,
			const struct vhu_attach_state *state, unsigned count)
{
	const struct vhu_attach_connection *at;

	TAILQ_FOREACH(at, &connection->sessions->connection, link)
	{
		if (at->session != connection->session)
			continue;
		if (vhu_stream_waits(&at->stream[0]) || vhu_stream_waits(&at->stream[1]))
			return false;
		for (unsigned i = 0; i < count; i++)
			if ((state[i].socket & ~UINT64_C(1)) == at->id && !is_told(at, &state[i]))
				return false;
	}
	return true;
}

bool vhu_attach_end_if_closed(struct vhu_attach_connection *connection, unsigned end)
{
	const struct vhu_attach_sessions *sessions = connection->sessions;
	struct vhu_attach_state *state;
	bool open[2], ends;
	int count;

	if (!connection->session || !connection->closing_ns[end])
		return false;
	count = sessions->owner->look(sessions->context, &state);
	if (count < 0)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		bool listed = is_listed(connection, i, state, (unsigned)count);

		/* Another one is at the address by now of one that was closed. */
		if (!listed)
			connection->waiting[i] = 0;
		open[i] = is_open(connection, i, state, (unsigned)count) &&
			  (listed || !connection->closing_ns[i]);
	}
	/* The event of closing comes before it is closed: the other end may send meanwhile. */
	ends = !open[end] && is_all_told(connection, state, (unsigned)count);
	free(state);
	if (ends)
		end_connection(connection, open, connection->closing_ns[end]);
	return ends;
}

/* Return whether there is a connection with a socket. */
static bool is_there(const struct vhu_attach_sessions *sessions, uint64_t socket)
{
	const struct vhu_attach_connection *at;

	TAILQ_FOREACH(at, &sessions->connection, link)
	{
		if (at->id == (socket & ~UINT64_C(1)))
			return true;
	}
	return false;
}

/* Forget sockets that are closed, and belong to connections that have ended, or that nothing was
 * told of. */
static void forget_closed(struct vhu_attach_sessions *sessions,
			  const struct vhu_attach_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!state[i].open && !is_there(sessions, state[i].socket))
			sessions->owner->forget(sessions->context, state[i].socket,
						state[i].address, false);
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

/* Return how much waits at a socket to be taken; -1 not known. */
static unsigned queued_at(uint64_t socket, const struct vhu_attach_state *state, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (state[i].socket == socket && state[i].open)
			return state[i].queued;
	return -1u;
}

/* Learn how many buffers the ends of connections have sent, and how many of them wait to be taken.
 */
static void expect(struct vhu_attach_sessions *sessions, const struct vhu_attach_state *state,
		   unsigned count, uint64_t from_ns, uint64_t time_ns)
{
	struct vhu_attach_connection *at;

	TAILQ_FOREACH(at, &sessions->connection, link)
	{
		for (unsigned i = 0; i < count && sessions->sees_sending; i++) {
			struct vhu_stream *stream = &at->stream[state[i].socket & 1];

			if ((state[i].socket & ~UINT64_C(1)) != at->id)
				continue;
			vhu_stream_expect(stream, state[i].begun, state[i].sent);
			vhu_stream_pass_taken(
			    stream, &(struct vhu_stream_standing){
					.queued = queued_at(state[i].socket ^ 1, state, count),
					.waiting = state[i].waiting,
					.noted_ns = from_ns - NOTED_NS,
					.from_ns = from_ns,
					.time_ns = time_ns,
				    });
		}
	}
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
		/* One that is not listed is closed most likely, and no later than that says so. */
		for (unsigned end = 0; end < 2; end++)
			open[end] = open[end] && !at->gone[end];
		end_connection(at, open, time_ns);
		if (before - sessions->count > 1)
			next = TAILQ_FIRST(&sessions->connection);
	}
}

bool vhu_attach_sessions_differ(const struct vhu_attach_sessions *sessions,
				const struct vhu_attach_state *state, unsigned count)
{
	const struct vhu_attach_connection *at;

	for (unsigned i = 0; i < count; i++) {
		if (!state[i].open)
			return true;
		TAILQ_FOREACH(at, &sessions->connection, link)
		{
			if ((state[i].socket & ~UINT64_C(1)) == at->id && !is_told(at, &state[i]))
				return true;
		}
	}
	TAILQ_FOREACH(at, &sessions->connection, link)
	{
		if (!is_listed(at, 0, state, count) || !is_listed(at, 1, state, count) ||
		    vhu_stream_waits(&at->stream[0]) || vhu_stream_waits(&at->stream[1]))
			return true;
	}
	return false;
}

void vhu_attach_sessions_end(struct vhu_attach_sessions *sessions, uint64_t time_ns)
{
	struct vhu_attach_connection *at;

	TAILQ_FOREACH(at, &sessions->connection, link)
	{
		for (unsigned end = 0; end < 2 && at->session; end++)
			vhu_stream_end(&at->stream[end], time_ns);
	}
}

void vhu_attach_sessions_settle(struct vhu_attach_sessions *sessions,
				const struct vhu_attach_state *state, unsigned count,
				uint64_t from_ns, uint64_t time_ns)
{
	learn_gone(sessions, state, count, from_ns);
	forget_closed(sessions, state, count);
	expect(sessions, state, count, from_ns, time_ns);
	settle(sessions, false, state, count, time_ns);
	settle(sessions, true, state, count, time_ns);
}
