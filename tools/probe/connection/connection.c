/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front-end's connection that never waits longer than its limit. */
#include "tools/probe/connection/connection.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/util/util.h"

/* Between two looks for a socket that is not there yet, or whose queue is full. */
#define RETRY_MS     10
/* And at the most, where it has turned somebody away. */
#define RETRY_MAX_MS 500
/* Longer than any back-end takes to start. */
#define START_MS     20000
/* As many bytes of what is no message are shown. */
#define SHOWN        8

/* Say what went wrong. Returns -@code. */
__attribute__((format(printf, 3, 4))) static int fail(struct vhu_probe_connection *connection,
						      int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(connection->why, sizeof(connection->why), format, arguments);
	va_end(arguments);
	connection->error = -code;
	return -code;
}

/* Return a message's name for a text, by the dialect that is known. */
static const char *name_of(const struct vhu_probe_connection *connection, uint32_t request,
			   char number[32])
{
	const struct vhu_message *row[VHU_DIALECTS];

	snprintf(number, 32, "message %" PRIu32, request);
	if (vhu_message_find(VHU_FRONT_END, request, connection->negotiated.dialect, row) != 1)
		return number;
	return row[0]->name;
}

/* Return how long to wait until @deadline, for poll. */
static int left(uint64_t deadline)
{
	uint64_t now = vhu_now_ms();

	return now < deadline ? (int)(deadline - now) : 0;
}

/* Say why there is no connection. Returns -@code. */
static int fail_connect(struct vhu_probe_connection *connection, int code)
{
	switch (code) {
	case ENOENT:
		return fail(connection, code, "there is no such socket: is the back-end running?");
	case ECONNREFUSED:
		return fail(connection, code, "connection refused: is the back-end running?");
	case ENAMETOOLONG:
		return fail(connection, code,
			    "the path is too long for a socket's, which has %zu bytes",
			    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	case EPROTOTYPE:
		return fail(connection, code, "not a stream socket, which vhost-user wants");
	case EAGAIN:
		return fail(connection, code, "takes no connection in %u ms: others wait there",
			    connection->timeout_ms);
	default:
		return fail(connection, code, "cannot connect: %s", strerror(code));
	}
}

/* Try to connect once. Returns the socket, or -errno. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), code;

	if (strlen(path) >= sizeof(address.sun_path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd < 0 ? -errno : fd;
	code = errno;
	close(fd);
	return -code;
}

/*
 * Wait for a back-end of ours that does not listen.
 * @fresh: it was started for this.
 * Returns 0 where it is worth trying again; -errno.
 */
static int wait_for_child(struct vhu_probe_connection *connection, bool *fresh, uint64_t waited)
{
	char how[96];
	int error;

	if (waited >= START_MS)
		return fail(connection, ETIMEDOUT, "%s does not listen there after %d s",
			    connection->child->argv[0], START_MS / 1000);
	if (!vhu_probe_child_has_ended(connection->child, RETRY_MS))
		return 0;
	if (*fresh) {
		vhu_probe_child_text(connection->child, how, sizeof(how));
		return fail(connection, ECHILD, "%s %s before it listened there",
			    connection->child->argv[0], how);
	}
	*fresh = true;
	error = vhu_probe_child_start(connection->child);
	return error ? fail(connection, -error, "%s: cannot start: %s", connection->child->argv[0],
			    strerror(-error))
		     : 0;
}

int vhu_probe_connect(struct vhu_probe_connection *connection)
{
	uint64_t began = vhu_now_ms(), waited;
	/* Nothing runs yet, or what ran has ended. */
	bool fresh = false;
	int fd, error = 0;

	vhu_probe_disconnect(connection);
	memset(&connection->negotiated, 0, sizeof(connection->negotiated));
	connection->error = 0;
	connection->sent = connection->heard = false;
	if (connection->child && !connection->child->started &&
	    (fd = try_connect(connection->path)) >= 0) {
		close(fd);
		return fail(connection, EADDRINUSE,
			    "somebody listens there, and %s was not started yet",
			    connection->child->argv[0]);
	}
	while ((fd = try_connect(connection->path)) < 0) {
		waited = vhu_now_ms() - began;
		if (fd == -EAGAIN && waited < connection->timeout_ms)
			poll(NULL, 0, RETRY_MS);
		else if ((fd == -ENOENT || fd == -ECONNREFUSED) && connection->child)
			error = wait_for_child(connection, &fresh, waited);
		else
			error = fail_connect(connection, -fd);
		if (error)
			return error;
	}
	connection->socket = fd;
	vhu_probe_log_opened(connection->log, fd, connection->path);
	return 0;
}

void vhu_probe_disconnect(struct vhu_probe_connection *connection)
{
	if (connection->socket < 0)
		return;
	close(connection->socket);
	connection->socket = -1;
	vhu_probe_log_closed(connection->log, connection->error == -EPIPE ? VHU_PROBE_THEY_CLOSED
									  : VHU_PROBE_WE_CLOSED);
}

/* Say that sending message @request failed. Returns -@code, or -EPIPE if the back-end is gone. */
static int fail_send(struct vhu_probe_connection *connection, uint32_t request, int code)
{
	char number[32];
	const char *name = name_of(connection, request, number);

	if (code == EPIPE || code == ECONNRESET)
		return fail(connection, EPIPE, "closed the connection before %s", name);
	if (code == EAGAIN || code == ENOBUFS)
		return fail(connection, ETIMEDOUT, "does not read: %s could not be sent in %u ms",
			    name, connection->timeout_ms);
	return fail(connection, code, "cannot send %s: %s", name, strerror(code));
}

/* Wait until there is room to send. Returns whether there is in time. */
static bool has_room(const struct vhu_probe_connection *connection)
{
	struct pollfd ask = {.fd = connection->socket, .events = POLLOUT};

	return poll(&ask, 1, (int)connection->timeout_ms) > 0;
}

/* Record a message that was sent, or what there was of it. */
static void record(struct vhu_probe_connection *connection, const struct vhu_probe_passed *sent)
{
	struct vhu_probe_passed passed = *sent;

	if (sent->size < VHU_HEADER_SIZE ||
	    sent->size - VHU_HEADER_SIZE <
		vhu_header_read(sent->bytes, vhu_host_is_big_endian()).size)
		passed.marks = VHU_MARK_PARTIAL;
	vhu_probe_log_message(connection->log, &passed);
}

void vhu_probe_record(struct vhu_probe_connection *connection, const uint8_t *bytes, size_t size)
{
	record(connection, &(struct vhu_probe_passed){.bytes = bytes, .size = size});
}

int vhu_probe_send(struct vhu_probe_connection *connection, struct vhu_message_buf *message)
{
	int error = connection->socket < 0 ? -EPIPE : -EAGAIN;

	connection->sent = true;
	while (error == -EAGAIN) {
		error = vhu_message_send(message, connection->socket, 0);
		if (error == -EAGAIN && !has_room(connection))
			break;
	}
	if (error)
		return fail_send(connection, message->header.request, -error);
	record(connection, &(struct vhu_probe_passed){
			       .bytes = message->bytes,
			       .size = VHU_HEADER_SIZE + message->header.size,
			       .fd = message->fd,
			       .fds = message->fds,
			   });
	return 0;
}

int vhu_probe_send_bytes(struct vhu_probe_connection *connection, const uint8_t *bytes, size_t size)
{
	struct vhu_piece piece = {.bytes = (void *)(uintptr_t)bytes, .size = size};
	uint32_t request =
	    size < VHU_HEADER_SIZE ? 0 : vhu_header_read(bytes, vhu_host_is_big_endian()).request;
	ssize_t sent = connection->socket < 0 ? -EPIPE : -EAGAIN;

	connection->sent = true;
	while (sent == -EAGAIN) {
		sent = vhu_piece_send(connection->socket, &piece, 0);
		if (sent == -EAGAIN && !has_room(connection))
			break;
	}
	if (sent >= 0 && (size_t)sent < size)
		sent = -ENOBUFS;
	return sent < 0 ? fail_send(connection, request, (int)-sent) : 0;
}

/*
 * Receive until @reply has @size bytes.
 * Returns 0; EPIPE at the end of the connection, EAGAIN at the deadline, another errno.
 */
static int receive_until(struct vhu_probe_connection *connection, struct vhu_message_buf *reply,
			 uint32_t size, uint64_t deadline)
{
	struct pollfd ask = {.fd = connection->socket, .events = POLLIN};
	int got;

	while (!(got = vhu_message_receive_bytes(reply, connection->socket, size))) {
		if (left(deadline) == 0)
			return EAGAIN;
		poll(&ask, 1, left(deadline));
	}
	return got < 0 ? -got : 0;
}

/* Say that the answer to @name did not come, or not whole. Returns -@code. */
static int fail_receive(struct vhu_probe_connection *connection, uint32_t came, const char *name,
			uint32_t size, int code)
{
	if (code == ECONNRESET)
		code = EPIPE;
	if (code == EAGAIN && !came)
		return fail(connection, ETIMEDOUT, "no answer to %s in %u ms", name,
			    connection->timeout_ms);
	if (code == EAGAIN)
		return fail(connection, ETIMEDOUT,
			    "the answer to %s is not whole after %u ms: %" PRIu32 " of %" PRIu32
			    " bytes came",
			    name, connection->timeout_ms, came, size);
	if (code == EPIPE && !came)
		return fail(connection, EPIPE, "closed the connection instead of answering %s",
			    name);
	if (code == EPIPE)
		return fail(connection, EPIPE,
			    "closed the connection in the answer to %s: %" PRIu32 " of %" PRIu32
			    " bytes came",
			    name, came, size);
	return fail(connection, code, "cannot receive the answer to %s: %s", name, strerror(code));
}

/* Look at an answer's header. Returns 0 or -EPROTO. */
static int check_header(struct vhu_probe_connection *connection, const struct vhu_header *header,
			const struct vhu_header *asked, const uint8_t *bytes, const char *name)
{
	char number[32], shown[3 * SHOWN + 1] = "";

	for (unsigned i = 0; i < SHOWN; i++)
		snprintf(shown + 3 * i, 4, " %02x", bytes[i]);
	if ((header->flags & (VHU_FLAGS_VERSION_MASK | VHU_FLAGS_RESERVED)) != VHU_FLAGS_VERSION)
		return fail(connection, EPROTO,
			    "the answer to %s is no vhost-user message: it begins with%s", name,
			    shown);
	if (header->request != asked->request)
		return fail(connection, EPROTO, "the answer to %s has a wrong id, that of %s", name,
			    name_of(connection, header->request, number));
	if (!(header->flags & VHU_FLAG_REPLY))
		return fail(connection, EPROTO, "the answer to %s lacks the REPLY bit", name);
	if (header->size > VHU_MESSAGE_PAYLOAD_MAX)
		return fail(connection, EPROTO,
			    "the answer to %s says that %" PRIu32 " bytes follow", name,
			    header->size);
	return 0;
}

/* Receive the answer to a message with the header @asked. Returns 0 or -errno. */
static int receive(struct vhu_probe_connection *connection, const struct vhu_header *asked,
		   struct vhu_message_buf *reply)
{
	uint64_t deadline = vhu_now_ms() + connection->timeout_ms;
	uint32_t size = VHU_HEADER_SIZE;
	char number[32];
	const char *name = name_of(connection, asked->request, number);
	int code = receive_until(connection, reply, size, deadline), error;

	if (code)
		return fail_receive(connection, reply->got, name, size, code);
	reply->header = vhu_header_read(reply->head, vhu_host_is_big_endian());
	error = check_header(connection, &reply->header, asked, reply->head, name);
	if (reply->header.size > VHU_MESSAGE_PAYLOAD_MAX)
		return error;
	/* What is no answer to this is recorded whole all the same, as far as it has come. */
	size += reply->header.size;
	code = receive_until(connection, reply, size, error ? 0 : deadline);
	if (!error && code)
		return fail_receive(connection, reply->got, name, size, code);
	return error;
}

int vhu_probe_answer(struct vhu_probe_connection *connection, const struct vhu_message_buf *asked,
		     struct vhu_message_buf *reply)
{
	const struct vhu_header header = asked->header;
	struct vhu_probe_passed passed = {.from_back_end = true};
	uint64_t began = connection->log->last_ns;
	int error;

	memset(reply, 0, sizeof(*reply));
	if (connection->socket < 0)
		return connection->error ? connection->error : -EPIPE;
	error = receive(connection, &header, reply);
	connection->heard |= reply->got > 0;
	passed.bytes = reply->bytes;
	passed.size = reply->got;
	passed.fd = reply->fd;
	passed.fds = reply->fds;
	passed.marks = reply->fds_lost ? VHU_MARK_TRUNCATED : 0;
	if (reply->got < VHU_HEADER_SIZE || reply->got - VHU_HEADER_SIZE < reply->header.size)
		passed.marks |= VHU_MARK_PARTIAL;
	if (reply->got)
		vhu_probe_log_message(connection->log, &passed);
	connection->answer_ns =
	    connection->log->last_ns > began ? connection->log->last_ns - began : 0;
	if (error)
		vhu_message_drop(reply);
	return error;
}

/* Return whether a payload has a size that one of its message's layouts has. */
static bool size_fits(const struct vhu_message *row, const struct vhu_context *context,
		      const struct vhu_payload *payload)
{
	const struct vhu_layout *layout = vhu_message_layout(row, true, context, payload);
	const struct vhu_field *last =
	    layout->fields ? &vhu_fields[layout->first + layout->fields - 1] : NULL;

	if (last && (last->kind == VHU_ARRAY || last->size == 0))
		return payload->size >= layout->size;
	return payload->size == layout->size;
}

/* Send a message and receive its answer. Returns 0 or -errno. */
static int ask_once(struct vhu_probe_connection *connection, struct vhu_message_buf *message,
		    struct vhu_message_buf *reply)
{
	int error = vhu_probe_send(connection, message);

	return error ? error : vhu_probe_answer(connection, message, reply);
}

/*
 * Return whether a connection that was closed before anything was answered is worth another: some
 * back-ends make a new listener for each front-end, and who connects to the one before is turned
 * away. One of ours that has ended is not started again for this.
 */
static bool is_turned_away(const struct vhu_probe_connection *connection, int error, uint64_t since)
{
	return error == -EPIPE && !connection->heard &&
	       vhu_now_ms() - since < connection->timeout_ms &&
	       !(connection->child && vhu_probe_child_has_ended(connection->child, RETRY_MS));
}

/* Ask the first question on a connection, as ask_once does, on other connections until one of them
 * is not closed at once or the time is up. */
static int ask_first(struct vhu_probe_connection *connection, struct vhu_message_buf *message,
		     struct vhu_message_buf *reply)
{
	const uint64_t since = vhu_now_ms();
	const unsigned findings = connection->log->findings;
	unsigned pause_ms = RETRY_MS;
	int error = ask_once(connection, message, reply);

	while (is_turned_away(connection, error, since)) {
		char why[sizeof(connection->why)];

		memcpy(why, connection->why, sizeof(why));
		poll(NULL, 0, (int)pause_ms);
		pause_ms = pause_ms < RETRY_MAX_MS ? 2 * pause_ms : pause_ms;
		if (vhu_probe_connect(connection)) {
			/* What happened first says more. */
			memcpy(connection->why, why, sizeof(why));
			connection->error = error;
			return error;
		}
		/* That a connection was refused so breaks no rule. */
		connection->log->findings = findings;
		error = ask_once(connection, message, reply);
	}
	return error;
}

int vhu_probe_ask(struct vhu_probe_connection *connection, struct vhu_message_buf *message,
		  struct vhu_message_buf *reply)
{
	const struct vhu_message *row[VHU_DIALECTS];
	unsigned rows = vhu_message_find(VHU_FRONT_END, message->header.request,
					 connection->negotiated.dialect, row);
	struct vhu_payload payload;
	int error = connection->sent ? ask_once(connection, message, reply)
				     : ask_first(connection, message, reply);

	if (error)
		return error;
	payload = vhu_message_payload(reply);
	for (unsigned i = 0; i < rows; i++)
		if (size_fits(row[i], &connection->negotiated, &payload))
			return 0;
	vhu_message_drop(reply);
	if (rows != 1)
		return fail(connection, EPROTO,
			    "the answer to message %" PRIu32 " has %" PRIu32
			    " bytes, as in no dialect",
			    message->header.request, payload.size);
	return fail(connection, EPROTO, "the answer to %s has %" PRIu32 " bytes, not %" PRIu32,
		    row[0]->name, payload.size,
		    vhu_message_layout(row[0], true, &connection->negotiated, &payload)->size);
}

bool vhu_probe_has(const struct vhu_probe_connection *connection, unsigned bit)
{
	return connection->negotiated.protocol_features >> bit & 1;
}

int vhu_probe_set(struct vhu_probe_connection *connection, const struct vhu_message_buf *message)
{
	struct vhu_message_buf asking = *message, reply;
	char number[32];
	uint64_t ack;
	int error;

	if (!vhu_probe_has(connection, VHU_PF_REPLY_ACK))
		return vhu_probe_send(connection, &asking);
	asking.header.flags |= VHU_FLAG_NEED_REPLY;
	error = vhu_probe_ask(connection, &asking, &reply);
	if (error)
		return error;
	ack = vhu_message_get(&reply, VHU_FIELD_ack_ack);
	vhu_message_drop(&reply);
	if (!ack)
		return 0;
	fail(connection, 0, "%s was refused with %" PRIu64,
	     name_of(connection, message->header.request, number), ack);
	return 1;
}
