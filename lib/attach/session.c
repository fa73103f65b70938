/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions of watched connections; session.h has their theory of operation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/attach/session_internal.h"
#include "lib/protocol/field.h"
#include "lib/util/util.h"

/* What began in the middle, and has no message among so many buffers, is no vhost-user. */
#define PASSED_MAX 64

/* Return the end that a stream's, or a cutter's, bytes come from. */
static unsigned end_of(const struct vhu_attach_connection *connection, const void *part)
{
	return part == &connection->stream[1] || part == &connection->cutter[1];
}

/* What is said of a connection is not vhost-user: look at it no more. */
static void refuse(struct vhu_attach_connection *connection)
{
	struct vhu_attach_sessions *sessions = connection->sessions;

	connection->refused = true;
	for (unsigned end = 0; end < 2; end++)
		if (connection->end[end].address)
			sessions->owner->forget(sessions->context, connection->id | end,
						connection->end[end].address, true);
}

/* Return whether a request is one that conversations begin with. */
static bool is_first(uint32_t request)
{
	return request == vhu_messages[VHU_MSG_GET_FEATURES].request ||
	       request == vhu_messages[VHU_MSG_SET_OWNER].request ||
	       request == vhu_messages[VHU_MSG_GET_PROTOCOL_FEATURES].request;
}

int vhu_attach_open_session(struct vhu_attach_connection *connection, unsigned from,
			    struct vhu_header header, uint64_t time_ns)
{
	struct vhu_attach_sessions *sessions = connection->sessions;
	struct vhu_attach_session *session = calloc(1, sizeof(*session));
	const bool reply = header.flags & VHU_FLAG_REPLY;

	if (!session)
		return -ENOMEM;
	connection->session = session;
	connection->front = (int)(reply ? !from : from);
	session->connections = 1;
	connection->before |= connection->guessed && (reply || !is_first(header.request));
	connection->before |= connection->missed;
	session->number = ++sessions->counts.sessions;
	if (!connection->asked)
		sessions->owner->identify(sessions->context, connection->id, connection->name,
					  connection->end);
	connection->asked = true;
	/* What the other side says begins with a message, too. */
	if (!connection->before)
		connection->cutter[!from].in_step = true;
	vhu_attach_record_opened(connection, time_ns);
	if (connection->missed)
		vhu_attach_record_lost(connection, from, 0, time_ns);
	return 0;
}

/* Return the connection with an id; NULL without. */
static struct vhu_attach_connection *find(const struct vhu_attach_sessions *sessions, uint64_t id)
{
	struct vhu_attach_connection *connection;

	TAILQ_FOREACH(connection, &sessions->connection, link)
	{
		if (connection->id == (id & ~UINT64_C(1)))
			return connection;
	}
	return NULL;
}

/* A message has passed that carried a channel's socket: what is said there belongs to its session.
 */
static void open_channel(struct vhu_attach_connection *main, enum vhu_channel channel,
			 const struct vhu_cut_message *message)
{
	const uint64_t id = message->file[0].socket;
	struct vhu_attach_connection *inner = id ? find(main->sessions, id) : NULL;

	if (!inner || inner->session || inner == main)
		return;
	inner->channel = channel;
	inner->carried = false;
	inner->session = main->session;
	inner->session->connections++;
	/* The back-end is given its end. */
	inner->front = !(id & 1);
	inner->end[inner->front].who = main->end[main->front].who;
	inner->end[inner->front].known = main->end[main->front].known;
	inner->end[!inner->front].who = main->end[!main->front].who;
	inner->end[!inner->front].known = main->end[!main->front].known;
	memcpy(inner->end[inner->front].path, main->end[main->front].path,
	       sizeof(inner->end[0].path));
	memcpy(inner->end[!inner->front].path, main->end[!main->front].path,
	       sizeof(inner->end[0].path));
	for (unsigned end = 0; end < 2; end++) {
		inner->cutter[end].channel = channel;
		inner->cutter[end].in_step = true;
	}
	vhu_attach_record_opened(inner, message->time_ns);
}

/* Return whether a connection is between the processes of another. */
static bool is_between(const struct vhu_attach_connection *at,
		       const struct vhu_attach_connection *inner)
{
	const uint32_t one = inner->end[0].who.pid, other = inner->end[1].who.pid;

	return (at->end[0].who.pid == one && at->end[1].who.pid == other) ||
	       (at->end[0].who.pid == other && at->end[1].who.pid == one);
}

/*
 * Return the only session between the processes of a connection; NULL without. What is said on its
 * channel may be the first that is heard of it.
 */
static struct vhu_attach_connection *find_session(const struct vhu_attach_connection *inner,
						  unsigned back, uint64_t time_ns)
{
	struct vhu_attach_connection *at, *found = NULL;

	TAILQ_FOREACH(at, &inner->sessions->connection, link)
	{
		if (at->carried || at->refused || at->channel != VHU_FRONT_END ||
		    !is_between(at, inner))
			continue;
		if (found && !found->session == !at->session)
			return NULL;
		if (!found || at->session)
			found = at;
	}
	if (found && !found->session &&
	    vhu_attach_open_session(found, found->end[0].who.pid == inner->end[back].who.pid,
				    (struct vhu_header){0}, time_ns))
		return NULL;
	return found;
}

/* A message came on a connection without a name that was found: it is a channel of the only session
 * between its processes. Returns whether it is. */
static bool join_session(struct vhu_attach_connection *inner, unsigned from, bool reply,
			 uint64_t time_ns)
{
	const unsigned back = reply ? !from : from;
	const struct vhu_attach_connection *main = find_session(inner, back, time_ns);

	if (!main)
		return false;
	inner->channel = inner->cutter[from].channel;
	inner->carried = false;
	inner->session = main->session;
	inner->session->connections++;
	inner->front = !back;
	vhu_attach_record_opened(inner, time_ns);
	return true;
}

/* A message is whole. */
static void take_message(struct vhu_cutter *cutter, const struct vhu_cut_message *message)
{
	struct vhu_attach_connection *connection = cutter->context;
	unsigned from = end_of(connection, cutter);
	struct vhu_header header = {0};
	enum vhu_channel opens;

	if (message->kept >= VHU_HEADER_SIZE)
		header = vhu_header_read(message->bytes, vhu_host_is_big_endian());
	if (connection->inner && !connection->session &&
	    !join_session(connection, from, header.flags & VHU_FLAG_REPLY, message->time_ns))
		return;
	if (!connection->session &&
	    vhu_attach_open_session(connection, from, header, message->time_ns))
		return;
	vhu_attach_record_message(connection, from, message);
	if (message->partial || (int)from != connection->front || message->described != 1)
		return;
	opens = vhu_message_opens(connection->channel, header.request);
	if (opens != VHU_FRONT_END)
		open_channel(connection, opens, message);
}

/* Something is missing of what an end sent. */
static void take_lost(struct vhu_cutter *cutter, uint64_t bytes, uint64_t time_ns)
{
	struct vhu_attach_connection *connection = cutter->context;

	if (connection->session)
		vhu_attach_record_lost(connection, end_of(connection, cutter), bytes, time_ns);
	/* What was said before a connection was watched is not missing. */
	else if (!connection->before)
		connection->missed = true;
}

static const struct vhu_cutter_owner cutter_owner = {.message = take_message, .lost = take_lost};

/* A connection without a name that was found may be a GPU's channel: of the two only that has no
 * version in its flags. */
static void tell_channels_apart(struct vhu_attach_connection *connection, const uint8_t *bytes,
				size_t size)
{
	if (size < VHU_HEADER_SIZE || vhu_header_looks_right(bytes, VHU_BACK_END) ||
	    !vhu_header_looks_right(bytes, VHU_GPU))
		return;
	for (unsigned end = 0; end < 2; end++)
		connection->cutter[end].channel = VHU_GPU;
}

/* Bytes of a connection come. */
static void take_bytes(struct vhu_stream *stream, const uint8_t *bytes, size_t size, bool first,
		       uint64_t time_ns, struct vhu_stream_fds *fds)
{
	struct vhu_attach_connection *connection = stream->context;
	struct vhu_cutter *cutter = &connection->cutter[end_of(connection, stream)];

	if (connection->refused)
		return;
	if (connection->inner && !connection->session && first)
		tell_channels_apart(connection, bytes, size);
	vhu_cutter_take(cutter, bytes, size, first, time_ns, fds);
	if (connection->session || connection->carried || cutter->in_step)
		return;
	if (!(connection->before || connection->missed) || ++connection->passed > PASSED_MAX)
		refuse(connection);
}

/* Bytes of a connection are missing. */
static void take_gap(struct vhu_stream *stream, uint64_t size, uint64_t time_ns)
{
	struct vhu_attach_connection *connection = stream->context;

	if (!connection->refused)
		vhu_cutter_gap(&connection->cutter[end_of(connection, stream)], size, time_ns);
}

static const struct vhu_stream_owner stream_owner = {.bytes = take_bytes, .gap = take_gap};

/* Return a new connection; NULL out of memory. */
static struct vhu_attach_connection *connection_new(struct vhu_attach_sessions *sessions,
						    uint64_t id, const unsigned queued[2],
						    uint64_t since_ns)
{
	struct vhu_attach_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->sessions = sessions;
	connection->id = id & ~UINT64_C(1);
	connection->front = -1;
	connection->since_ns = since_ns;
	for (unsigned end = 0; end < 2; end++) {
		vhu_stream_begin(&connection->stream[end], &stream_owner, connection,
				 sessions->sees_sending, queued[end]);
		vhu_cutter_begin(&connection->cutter[end], &cutter_owner, connection, VHU_FRONT_END,
				 false);
	}
	TAILQ_INSERT_TAIL(&sessions->connection, connection, link);
	sessions->count++;
	return connection;
}

/* Learn from an event who is at the ends. */
static void learn_who(struct vhu_attach_connection *connection,
		      const struct vhu_attach_event *event)
{
	unsigned sender = event->socket & 1;
	struct vhu_attach_end *end =
	    &connection->end[event->what == VHU_ATTACH_TAKEN ? !sender : sender];

	if (event->address)
		connection->end[sender].address = event->address;
	if (event->name)
		connection->name = event->name;
	/* A channel's ends are its session's; both sides report descriptors. */
	if (connection->channel != VHU_FRONT_END || event->what == VHU_ATTACH_FD)
		return;
	end->who = event->who;
	end->known = true;
}

/* A process closes a descriptor of a socket. */
static void take_closing(struct vhu_attach_connection *connection,
			 const struct vhu_attach_event *event)
{
	const unsigned closed = event->socket & 1;
	struct vhu_attach_end *end = &connection->end[closed];

	end->address = event->address;
	/* Who has passed a socket on closes its own copy; of one's own copies the last counts. */
	if (!end->known || end->who.pid == event->who.pid)
		connection->closing_ns[closed] = event->time_ns;
	vhu_attach_end_if_closed(connection, closed);
}

/* A process ends, and with it all its sockets. */
static void take_exit(struct vhu_attach_sessions *sessions, const struct vhu_attach_event *event)
{
	struct vhu_attach_connection *at = TAILQ_FIRST(&sessions->connection), *next;

	for (; at; at = next) {
		bool ended = false;

		next = TAILQ_NEXT(at, link);
		for (unsigned end = 0; end < 2 && !ended; end++) {
			if (!at->end[end].known || at->end[end].who.pid != event->who.pid)
				continue;
			if (!at->closing_ns[end])
				at->closing_ns[end] = event->time_ns;
			ended = vhu_attach_end_if_closed(at, end);
		}
		if (ended)
			next = TAILQ_FIRST(&sessions->connection);
	}
}

void vhu_attach_sessions_take(struct vhu_attach_sessions *sessions,
			      const struct vhu_attach_event *event, const uint8_t *bytes)
{
	static const unsigned none[2];
	struct vhu_attach_connection *connection;

	if (event->what == VHU_ATTACH_EXIT) {
		take_exit(sessions, event);
		return;
	}
	connection = find(sessions, event->socket);
	if (!connection && vhu_attach_has_ended(sessions, event->socket))
		return;
	if (!connection) {
		connection = connection_new(sessions, event->socket, none, event->time_ns);
		if (!connection)
			return;
		connection->carried = event->parent != 0;
		connection->guessed = event->guessed;
	}
	if (connection->refused)
		return;
	if (event->what == VHU_ATTACH_CLOSING) {
		take_closing(connection, event);
		return;
	}
	if (event->what == VHU_ATTACH_SHUTDOWN) {
		if (!connection->shut_ns[event->socket & 1])
			connection->shut_ns[event->socket & 1] = event->time_ns;
		return;
	}
	learn_who(connection, event);
	/* The channel is there before the message that passes it is whole. */
	if (event->what == VHU_ATTACH_FD) {
		struct vhu_attach_file file;

		memcpy(&file, bytes, sizeof(file));
		if (file.socket && !find(sessions, file.socket)) {
			struct vhu_attach_connection *inner =
			    connection_new(sessions, file.socket, none, event->time_ns);

			if (inner)
				inner->carried = true;
		}
	}
	vhu_stream_take(&connection->stream[event->socket & 1], event, bytes);
}

unsigned vhu_attach_sessions_running(const struct vhu_attach_sessions *sessions)
{
	const struct vhu_attach_connection *connection;
	unsigned running = 0;

	TAILQ_FOREACH(connection, &sessions->connection, link)
	{
		running += connection->session && connection->channel == VHU_FRONT_END;
	}
	return running;
}

struct vhu_attach_sessions *vhu_attach_sessions_new(const struct vhu_attach_sessions_owner *owner,
						    void *context, bool sees_sending,
						    bool with_keys)
{
	struct vhu_attach_sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return NULL;
	sessions->owner = owner;
	sessions->context = context;
	sessions->sees_sending = sees_sending;
	sessions->with_keys = with_keys;
	sessions->epoch_ns = vhu_realtime_ns() - vhu_now_ns();
	TAILQ_INIT(&sessions->connection);
	return sessions;
}

void vhu_attach_sessions_free(struct vhu_attach_sessions *sessions)
{
	if (!sessions)
		return;
	while (!TAILQ_EMPTY(&sessions->connection))
		vhu_attach_connection_free(TAILQ_FIRST(&sessions->connection));
	free(sessions);
}

int vhu_attach_sessions_found(struct vhu_attach_sessions *sessions,
			      const struct vhu_attach_found *found)
{
	struct vhu_attach_connection *connection =
	    connection_new(sessions, found->id, found->queued, vhu_now_ns());

	if (!connection)
		return -ENOMEM;
	memcpy(connection->end, found->end, sizeof(connection->end));
	connection->before = !found->fresh;
	connection->asked = true;
	connection->inner = connection->carried = found->inner;
	for (unsigned end = 0; end < 2 && found->inner; end++)
		connection->cutter[end].channel = VHU_BACK_END;
	return 0;
}

uint64_t vhu_attach_sessions_epoch(const struct vhu_attach_sessions *sessions)
{
	return sessions->epoch_ns;
}

unsigned vhu_attach_sessions_open(const struct vhu_attach_sessions *sessions)
{
	return sessions->count;
}

struct vhu_attach_counts vhu_attach_sessions_counts(const struct vhu_attach_sessions *sessions)
{
	return sessions->counts;
}

bool vhu_attach_sessions_know(const struct vhu_attach_sessions *sessions, uint64_t address)
{
	const struct vhu_attach_connection *connection;

	TAILQ_FOREACH(connection, &sessions->connection, link)
	{
		if (connection->end[0].address == address || connection->end[1].address == address)
			return true;
	}
	return false;
}
