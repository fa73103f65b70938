/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front-end's connection that never waits longer than it was told to. */
#include "tools/probe/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Between two looks for a socket that is not there yet, or whose queue is full. */
#define RETRY_MS 10
/* Longer than any back-end takes to start. */
#define START_MS 20000
/* As many bytes of what is no message are shown. */
#define SHOWN    8

/* Room for ancillary data, aligned as its header wants. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(VHU_PROBE_FDS_MAX * sizeof(int))];
};

/* Bytes of a message as they come. */
struct arriving {
	uint8_t bytes[VHU_HEADER_SIZE + VHU_PROBE_PAYLOAD_MAX];
	size_t got;
	uint16_t marks;
};

uint64_t vhu_probe_clock(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Say what went wrong. Returns -@code. */
__attribute__((format(printf, 3, 4))) static int fail(struct vhu_probe_wire *wire, int code,
						      const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(wire->why, sizeof(wire->why), format, arguments);
	va_end(arguments);
	wire->error = -code;
	return -code;
}

/* Return a message's name for a text, by the dialect that is known. */
static const char *name_of(const struct vhu_probe_wire *wire, uint32_t request, char number[32])
{
	const struct vhu_message *row[VHU_DIALECTS];

	snprintf(number, 32, "message %" PRIu32, request);
	if (vhu_message_find(VHU_FRONT_END, request, wire->negotiated.dialect, row) != 1)
		return number;
	return row[0]->name;
}

/* Return how long to wait until @deadline, for poll. */
static int left(uint64_t deadline)
{
	uint64_t now = vhu_probe_clock();

	return now < deadline ? (int)(deadline - now) : 0;
}

/* Say why there is no connection. Returns -@code. */
static int fail_connect(struct vhu_probe_wire *wire, int code)
{
	switch (code) {
	case ENOENT:
		return fail(wire, code, "there is no such socket: is the back-end running?");
	case ECONNREFUSED:
		return fail(wire, code, "nobody listens there: is the back-end running?");
	case ENAMETOOLONG:
		return fail(wire, code, "the path is too long for a socket's, which has %zu bytes",
			    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	case EPROTOTYPE:
		return fail(wire, code, "not a stream socket, which vhost-user wants");
	case EAGAIN:
		return fail(wire, code, "takes no connection in %u ms: others wait there",
			    wire->timeout_ms);
	default:
		return fail(wire, code, "cannot connect: %s", strerror(code));
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
static int wait_for_child(struct vhu_probe_wire *wire, bool *fresh, uint64_t waited)
{
	char how[96];
	int error;

	if (waited >= START_MS)
		return fail(wire, ETIMEDOUT, "%s does not listen there after %d s",
			    wire->child->argv[0], START_MS / 1000);
	if (!vhu_probe_child_has_ended(wire->child, RETRY_MS))
		return 0;
	if (*fresh) {
		vhu_probe_child_text(wire->child, how, sizeof(how));
		return fail(wire, ECHILD, "%s %s before it listened there", wire->child->argv[0],
			    how);
	}
	*fresh = true;
	error = vhu_probe_child_start(wire->child);
	return error ? fail(wire, -error, "%s: cannot start: %s", wire->child->argv[0],
			    strerror(-error))
		     : 0;
}

int vhu_probe_connect(struct vhu_probe_wire *wire)
{
	uint64_t began = vhu_probe_clock(), waited;
	/* Nothing runs yet, or what ran has ended. */
	bool fresh = false;
	int fd, error = 0;

	vhu_probe_disconnect(wire);
	memset(&wire->negotiated, 0, sizeof(wire->negotiated));
	wire->error = 0;
	if (wire->child && !wire->child->started && (fd = try_connect(wire->path)) >= 0) {
		close(fd);
		return fail(wire, EADDRINUSE, "somebody listens there, and %s was not started yet",
			    wire->child->argv[0]);
	}
	while ((fd = try_connect(wire->path)) < 0) {
		waited = vhu_probe_clock() - began;
		if (fd == -EAGAIN && waited < wire->timeout_ms)
			poll(NULL, 0, RETRY_MS);
		else if ((fd == -ENOENT || fd == -ECONNREFUSED) && wire->child)
			error = wait_for_child(wire, &fresh, waited);
		else
			error = fail_connect(wire, -fd);
		if (error)
			return error;
	}
	wire->socket = fd;
	vhu_probe_log_opened(wire->log, fd, wire->path);
	return 0;
}

void vhu_probe_disconnect(struct vhu_probe_wire *wire)
{
	if (wire->socket < 0)
		return;
	close(wire->socket);
	wire->socket = -1;
	vhu_probe_log_closed(wire->log,
			     wire->error == -EPIPE ? VHU_PROBE_THEY_CLOSED : VHU_PROBE_WE_CLOSED);
}

void vhu_probe_begin(struct vhu_probe_message *message, enum vhu_message_id id,
		     enum vhu_layout_id layout)
{
	memset(message, 0, sizeof(*message));
	message->header.request = vhu_messages[id].request;
	message->header.flags = VHU_FLAGS_VERSION;
	message->header.size = vhu_layouts[layout].size;
}

void vhu_probe_put_at(struct vhu_probe_message *message, enum vhu_field_id id, uint32_t base,
		      uint64_t value)
{
	const struct vhu_field *field = &vhu_fields[id];
	uint8_t *at = message->payload + base + field->offset;
	bool big = vhu_host_is_big_endian();

	if (field->mask) {
		/* A part of an integer: the rest of it stays. */
		value = (value << __builtin_ctzll(field->mask)) & field->mask;
		value |= vhu_integer_read(at, field->size, big) & ~field->mask;
	}
	for (unsigned i = 0; i < field->size; i++)
		at[big ? field->size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

void vhu_probe_put(struct vhu_probe_message *message, enum vhu_field_id field, uint64_t value)
{
	vhu_probe_put_at(message, field, 0, value);
}

struct vhu_payload vhu_probe_payload(const struct vhu_probe_message *message)
{
	return (struct vhu_payload){
	    .bytes = message->payload,
	    .captured = message->header.size,
	    .size = message->header.size,
	    .big_endian = vhu_host_is_big_endian(),
	};
}

uint64_t vhu_probe_get(const struct vhu_probe_message *message, enum vhu_field_id field)
{
	struct vhu_payload payload = vhu_probe_payload(message);
	uint64_t value = 0;

	return vhu_field_read(&payload, field, 0, &value) ? value : 0;
}

void vhu_probe_drop(struct vhu_probe_message *message)
{
	for (unsigned i = 0; i < message->fds; i++)
		close(message->fd[i]);
	message->fds = 0;
}

size_t vhu_probe_write(const struct vhu_probe_message *message,
		       uint8_t to[VHU_HEADER_SIZE + VHU_PROBE_PAYLOAD_MAX])
{
	vhu_header_write(to, message->header, vhu_host_is_big_endian());
	memcpy(to + VHU_HEADER_SIZE, message->payload, message->header.size);
	return VHU_HEADER_SIZE + message->header.size;
}

/* Say that sending failed. Returns -@code, or -EPIPE where the back-end has gone. */
static int fail_send(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size, int code)
{
	uint32_t request =
	    size < VHU_HEADER_SIZE ? 0 : vhu_header_read(bytes, vhu_host_is_big_endian()).request;
	char number[32];
	const char *name = name_of(wire, request, number);

	if (code == EPIPE || code == ECONNRESET)
		return fail(wire, EPIPE, "closed the connection before %s", name);
	if (code == EAGAIN)
		return fail(wire, ETIMEDOUT, "does not read: %s could not be sent in %u ms", name,
			    wire->timeout_ms);
	return fail(wire, code, "cannot send %s: %s", name, strerror(code));
}

/* Send bytes and descriptors in one piece. Returns 0 or an errno. */
static int send_all(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size, const int *fd,
		    unsigned fds)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	union ancillary ancillary = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct pollfd ask = {.fd = wire->socket, .events = POLLOUT};
	struct cmsghdr *rights;
	ssize_t sent;

	if (fds > 0) {
		message.msg_control = ancillary.bytes;
		message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(fds * sizeof(int));
		memcpy(CMSG_DATA(rights), fd, fds * sizeof(int));
	}
	do {
		sent = sendmsg(wire->socket, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN && poll(&ask, 1, (int)wire->timeout_ms) < 1)
			return EAGAIN;
	} while (sent < 0 && (errno == EINTR || errno == EAGAIN));
	if (sent < 0)
		return errno;
	/* Messages are small: there is room for all of one or for none. */
	return (size_t)sent == size ? 0 : EAGAIN;
}

/* Record a message that was sent, or what there was of it. */
static void record(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size, const int *fd,
		   unsigned fds)
{
	struct vhu_probe_passed passed = {.bytes = bytes, .size = size, .fd = fd, .fds = fds};

	if (size < VHU_HEADER_SIZE ||
	    size - VHU_HEADER_SIZE < vhu_header_read(bytes, vhu_host_is_big_endian()).size)
		passed.marks = VHU_MARK_PARTIAL;
	vhu_probe_log_message(wire->log, &passed);
}

void vhu_probe_record(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size)
{
	record(wire, bytes, size, NULL, 0);
}

int vhu_probe_send(struct vhu_probe_wire *wire, const struct vhu_probe_message *message)
{
	uint8_t bytes[VHU_HEADER_SIZE + VHU_PROBE_PAYLOAD_MAX];
	size_t size = vhu_probe_write(message, bytes);
	int code =
	    wire->socket < 0 ? EPIPE : send_all(wire, bytes, size, message->fd, message->fds);

	if (code)
		return fail_send(wire, bytes, size, code);
	record(wire, bytes, size, message->fd, message->fds);
	return 0;
}

int vhu_probe_send_bytes(struct vhu_probe_wire *wire, const uint8_t *bytes, size_t size)
{
	int code = wire->socket < 0 ? EPIPE : send_all(wire, bytes, size, NULL, 0);

	return code ? fail_send(wire, bytes, size, code) : 0;
}

/* Take the descriptors that came with some bytes; no message brings them twice. */
static void keep_fds(struct vhu_probe_message *reply, struct arriving *arriving,
		     struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		size_t fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < fds; i++) {
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
			if (reply->fds < VHU_PROBE_FDS_MAX)
				reply->fd[reply->fds++] = fd;
			else
				close(fd);
		}
	}
	if (message->msg_flags & MSG_CTRUNC)
		arriving->marks |= VHU_MARK_TRUNCATED;
}

/*
 * Receive until @arriving has @size bytes.
 * Returns 0; EPIPE at the end of the connection, EAGAIN at the deadline, another errno.
 */
static int receive_until(struct vhu_probe_wire *wire, struct vhu_probe_message *reply,
			 struct arriving *arriving, size_t size, uint64_t deadline)
{
	while (arriving->got < size) {
		struct iovec part = {arriving->bytes + arriving->got, size - arriving->got};
		union ancillary ancillary;
		struct msghdr message = {
		    .msg_iov = &part,
		    .msg_iovlen = 1,
		    .msg_control = ancillary.bytes,
		    .msg_controllen = sizeof(ancillary.bytes),
		};
		struct pollfd ask = {.fd = wire->socket, .events = POLLIN};
		ssize_t got = recvmsg(wire->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

		if (got > 0) {
			keep_fds(reply, arriving, &message);
			arriving->got += (size_t)got;
		} else if (got == 0) {
			return EPIPE;
		} else if (errno == EAGAIN) {
			if (left(deadline) == 0)
				return EAGAIN;
			poll(&ask, 1, left(deadline));
		} else if (errno != EINTR) {
			return errno == ECONNRESET ? EPIPE : errno;
		}
	}
	return 0;
}

/* Say that the answer to @name did not come, or not whole. Returns -@code. */
static int fail_receive(struct vhu_probe_wire *wire, const struct arriving *arriving,
			const char *name, size_t size, int code)
{
	if (code == EAGAIN && !arriving->got)
		return fail(wire, ETIMEDOUT, "no answer to %s in %u ms", name, wire->timeout_ms);
	if (code == EAGAIN)
		return fail(wire, ETIMEDOUT,
			    "the answer to %s is not whole after %u ms: %zu of %zu bytes came",
			    name, wire->timeout_ms, arriving->got, size);
	if (code == EPIPE && !arriving->got)
		return fail(wire, EPIPE, "closed the connection instead of answering %s", name);
	if (code == EPIPE)
		return fail(wire, EPIPE,
			    "closed the connection in the answer to %s: %zu of %zu bytes came",
			    name, arriving->got, size);
	return fail(wire, code, "cannot receive the answer to %s: %s", name, strerror(code));
}

/* Look at an answer's header. Returns 0 or -EPROTO. */
static int check_header(struct vhu_probe_wire *wire, const struct vhu_header *header,
			const struct vhu_header *asked, const uint8_t *bytes, const char *name)
{
	char number[32], shown[3 * SHOWN + 1] = "";

	for (unsigned i = 0; i < SHOWN; i++)
		snprintf(shown + 3 * i, 4, " %02x", bytes[i]);
	if ((header->flags & (VHU_FLAGS_VERSION_MASK | VHU_FLAGS_RESERVED)) != VHU_FLAGS_VERSION)
		return fail(wire, EPROTO,
			    "the answer to %s is no vhost-user message: it begins with%s", name,
			    shown);
	if (header->request != asked->request)
		return fail(wire, EPROTO, "%s was answered by %s", name,
			    name_of(wire, header->request, number));
	if (!(header->flags & VHU_FLAG_REPLY))
		return fail(wire, EPROTO, "the answer to %s lacks the REPLY bit", name);
	if (header->size > VHU_PROBE_PAYLOAD_MAX)
		return fail(wire, EPROTO, "the answer to %s says that %" PRIu32 " bytes follow",
			    name, header->size);
	return 0;
}

/* Receive an answer. Returns 0 or -errno. */
static int receive(struct vhu_probe_wire *wire, const struct vhu_header *asked,
		   struct vhu_probe_message *reply, struct arriving *arriving)
{
	uint64_t deadline = vhu_probe_clock() + wire->timeout_ms;
	size_t size = VHU_HEADER_SIZE;
	char number[32];
	const char *name = name_of(wire, asked->request, number);
	int code = receive_until(wire, reply, arriving, size, deadline), error;

	if (code)
		return fail_receive(wire, arriving, name, size, code);
	reply->header = vhu_header_read(arriving->bytes, vhu_host_is_big_endian());
	error = check_header(wire, &reply->header, asked, arriving->bytes, name);
	if (reply->header.size > VHU_PROBE_PAYLOAD_MAX)
		return error;
	/* What is no answer to this is recorded whole all the same, as far as it has come. */
	size += reply->header.size;
	code = receive_until(wire, reply, arriving, size, error ? 0 : deadline);
	if (!error && code)
		return fail_receive(wire, arriving, name, size, code);
	return error;
}

/* Receive the answer to a message that was sent with @asked as its header. Returns as
 * vhu_probe_answer does. */
static int answer(struct vhu_probe_wire *wire, const struct vhu_header *asked,
		  struct vhu_probe_message *reply)
{
	struct arriving arriving = {.got = 0};
	struct vhu_probe_passed passed = {.from_back_end = true, .bytes = arriving.bytes};
	uint64_t began = wire->log->last_ns;
	int error;

	memset(reply, 0, sizeof(*reply));
	if (wire->socket < 0)
		return wire->error ? wire->error : -EPIPE;
	error = receive(wire, asked, reply, &arriving);
	passed.size = arriving.got;
	passed.fd = reply->fd;
	passed.fds = reply->fds;
	passed.marks = arriving.marks;
	if (arriving.got < VHU_HEADER_SIZE || arriving.got - VHU_HEADER_SIZE < reply->header.size)
		passed.marks |= VHU_MARK_PARTIAL;
	if (arriving.got)
		vhu_probe_log_message(wire->log, &passed);
	reply->ns = wire->log->last_ns > began ? wire->log->last_ns - began : 0;
	memcpy(reply->payload, arriving.bytes + VHU_HEADER_SIZE,
	       arriving.got > VHU_HEADER_SIZE ? arriving.got - VHU_HEADER_SIZE : 0);
	if (error)
		vhu_probe_drop(reply);
	return error;
}

int vhu_probe_answer(struct vhu_probe_wire *wire, const struct vhu_probe_message *asked,
		     struct vhu_probe_message *reply)
{
	return answer(wire, &asked->header, reply);
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

int vhu_probe_ask(struct vhu_probe_wire *wire, const struct vhu_probe_message *message,
		  struct vhu_probe_message *reply)
{
	const struct vhu_message *row[VHU_DIALECTS];
	unsigned rows =
	    vhu_message_find(VHU_FRONT_END, message->header.request, wire->negotiated.dialect, row);
	struct vhu_payload payload;
	int error = vhu_probe_send(wire, message);

	if (!error)
		error = vhu_probe_answer(wire, message, reply);
	if (error)
		return error;
	payload = vhu_probe_payload(reply);
	for (unsigned i = 0; i < rows; i++)
		if (size_fits(row[i], &wire->negotiated, &payload))
			return 0;
	vhu_probe_drop(reply);
	if (rows != 1)
		return fail(wire, EPROTO,
			    "the answer to message %" PRIu32 " has %" PRIu32
			    " bytes, as in no dialect",
			    message->header.request, payload.size);
	return fail(wire, EPROTO, "the answer to %s has %" PRIu32 " bytes, not %" PRIu32,
		    row[0]->name, payload.size,
		    vhu_message_layout(row[0], true, &wire->negotiated, &payload)->size);
}

bool vhu_probe_has(const struct vhu_probe_wire *wire, unsigned bit)
{
	return wire->negotiated.protocol_features >> bit & 1;
}

int vhu_probe_set(struct vhu_probe_wire *wire, const struct vhu_probe_message *message)
{
	struct vhu_probe_message asking = *message, reply;
	char number[32];
	uint64_t ack;
	int error;

	if (!vhu_probe_has(wire, VHU_PF_REPLY_ACK))
		return vhu_probe_send(wire, message);
	asking.header.flags |= VHU_FLAG_NEED_REPLY;
	error = vhu_probe_ask(wire, &asking, &reply);
	if (error)
		return error;
	ack = vhu_probe_get(&reply, VHU_FIELD_ack_ack);
	vhu_probe_drop(&reply);
	if (!ack)
		return 0;
	fail(wire, 0, "%s was refused with %" PRIu64,
	     name_of(wire, message->header.request, number), ack);
	return 1;
}
