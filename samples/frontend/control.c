/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conversation: a request and its reply at a time, each within the time limit. Whoever waits
 * for a reply listens to the back-end's own requests as well: it may not answer before it has been
 * answered.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/util/util.h"
#include "samples/common/clock.h"
#include "samples/frontend/frontend.h"

/* How long to wait before trying to connect again. */
#define RETRY_NANOSECONDS 20000000

bool vhu_has(const struct vhu_frontend *frontend, unsigned protocol_feature)
{
	return frontend->negotiated.protocol_features >> protocol_feature & 1;
}

/* Try to connect once. Returns 0 or -errno. */
static int try_connect(struct vhu_frontend *frontend)
{
	const struct timeval patience = {
	    .tv_sec = (time_t)(frontend->options.timeout / VHU_NS_PER_S),
	    .tv_usec = (suseconds_t)(frontend->options.timeout % VHU_NS_PER_S / 1000),
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int error;

	if (strlen(frontend->options.path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, frontend->options.path, strlen(frontend->options.path));
	frontend->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (frontend->socket < 0)
		return -errno;
	/* A back-end with a full queue of front-ends, or that does not read, must not hold us. */
	setsockopt(frontend->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (!connect(frontend->socket, (struct sockaddr *)&address, sizeof(address)))
		return 0;
	error = -errno;
	close(frontend->socket);
	frontend->socket = -1;
	return error;
}

int vhu_connect(struct vhu_frontend *frontend, uint64_t deadline)
{
	const struct timespec pause = {.tv_nsec = RETRY_NANOSECONDS};
	int error;

	while ((error = try_connect(frontend)) != 0) {
		if (vhu_now_ns() >= deadline)
			return vhu_say(frontend, "%s: cannot connect: %s", frontend->options.path,
				       strerror(-error));
		nanosleep(&pause, NULL);
	}
	return 0;
}

void vhu_disconnect(struct vhu_frontend *frontend)
{
	if (frontend->socket >= 0)
		close(frontend->socket);
	if (frontend->back_channel >= 0)
		close(frontend->back_channel);
	frontend->socket = frontend->back_channel = -1;
	vhu_message_drop(&frontend->answer);
	vhu_message_drop(&frontend->request);
}

void vhu_begin(struct vhu_message_buf *message, enum vhu_message_id id)
{
	const struct vhu_shapes *shapes = &vhu_shapes[vhu_messages[id].shape[0]];

	vhu_message_begin(message, id, shapes->shape[shapes->shapes - 1].layout);
}

/* Note what the back-end asks for. Returns what it is to be answered: 0 for success. */
static uint64_t heed(struct vhu_frontend *frontend)
{
	const struct vhu_message *rows[VHU_DIALECTS];
	uint64_t index = vhu_message_get(&frontend->request, VHU_FIELD_vring_index_index);

	if (vhu_message_find(VHU_BACK_END, frontend->request.header.request,
			     frontend->options.dialect, rows) != 1)
		return 1;
	switch (rows[0]->id) {
	case VHU_MSG_BACKEND_CONFIG_CHANGE_MSG:
		frontend->config_changed = true;
		return 0;
	case VHU_MSG_BACKEND_VRING_CALL:
		if (index >= frontend->options.queues)
			return 1;
		frontend->queue[index].called = true;
		frontend->queue[index].calls++;
		return 0;
	case VHU_MSG_BACKEND_VRING_ERR:
		vhu_say(frontend, "vring %" PRIu64 ": the back-end says it is in error", index);
		return 0;
	default:
		return 1;
	}
}

int vhu_hear(struct vhu_frontend *frontend)
{
	struct vhu_message_buf reply;
	int got = vhu_message_receive(&frontend->request, frontend->back_channel);
	uint64_t answer;

	if (got < 0) {
		/* It need not have one for the rest to go on. */
		close(frontend->back_channel);
		frontend->back_channel = -1;
		vhu_message_drop(&frontend->request);
	}
	if (got <= 0)
		return 0;
	answer = heed(frontend);
	got = 0;
	if (frontend->request.header.flags & VHU_FLAG_NEED_REPLY) {
		vhu_message_begin_reply(&reply, &frontend->request.header, VHU_LAYOUT_ack);
		vhu_message_put(&reply, VHU_FIELD_ack_ack, answer);
		got = vhu_message_send(&reply, frontend->back_channel, 0);
	}
	vhu_message_drop(&frontend->request);
	return got && got != -EPIPE
		   ? vhu_say(frontend, "cannot answer the back-end: %s", strerror(-got))
		   : 0;
}

/* Wait until something can be read, and read the reply if it is there.
 * Returns 1: it is there, 0: not yet, -errno; -ETIMEDOUT after @deadline. */
static int wait_for_reply(struct vhu_frontend *frontend, uint64_t deadline)
{
	struct pollfd list[2] = {
	    {.fd = frontend->socket, .events = POLLIN},
	    {.fd = frontend->back_channel, .events = POLLIN},
	};
	uint64_t now = vhu_now_ns();
	struct timespec left = {0};

	if (now >= deadline)
		return -ETIMEDOUT;
	left.tv_sec = (time_t)((deadline - now) / VHU_NS_PER_S);
	left.tv_nsec = (long)((deadline - now) % VHU_NS_PER_S);
	if (ppoll(list, 2, &left, NULL) < 0)
		return errno == EINTR ? 0 : -errno;
	if (list[1].revents && vhu_hear(frontend))
		return -EIO;
	return list[0].revents ? vhu_message_receive(&frontend->answer, frontend->socket) : 0;
}

/* Say what kept a reply from coming. Returns -1. */
static int no_reply(struct vhu_frontend *frontend, const struct vhu_message *row, int error)
{
	const char *path = frontend->options.path;

	switch (error) {
	case -ETIMEDOUT:
	case -EAGAIN:
		return vhu_say(frontend, "%s: %s: no reply within %.3g s", path, row->name,
			       (double)frontend->options.timeout / VHU_NS_PER_S);
	case -EPIPE:
	case -ECONNRESET:
		frontend->gone = true;
		if (frontend->patient)
			return -1;
		return vhu_say(frontend, "%s: %s: the back-end closed the connection", path,
			       row->name);
	case -EPROTO:
	case -EMSGSIZE:
		return vhu_say(frontend, "%s: %s: the reply is no vhost-user message", path,
			       row->name);
	default:
		return vhu_say(frontend, "%s: %s: %s", path, row->name, strerror(-error));
	}
}

/* Hold a reply against what was asked. */
static int check_reply(struct vhu_frontend *frontend, const struct vhu_message *row, bool own)
{
	const struct vhu_message_buf *answer = &frontend->answer;
	struct vhu_payload payload = vhu_message_payload(answer);
	const struct vhu_layout *layout =
	    own ? vhu_message_layout(row, true, &frontend->negotiated, &payload)
		: &vhu_layouts[VHU_LAYOUT_ack];

	if (answer->header.request != row->request || !(answer->header.flags & VHU_FLAG_REPLY))
		return vhu_say(frontend,
			       "%s: %s: answered by message %" PRIu32 ", flags 0x%" PRIx32,
			       frontend->options.path, row->name, answer->header.request,
			       answer->header.flags);
	/* A configuration space follows its layout; nothing else may. */
	if (answer->header.size < layout->size ||
	    (answer->header.size > layout->size && layout->id != vhu_layouts[VHU_LAYOUT_config].id))
		return vhu_say(frontend, "%s: %s: the reply has %" PRIu32 " bytes, not %" PRIu32,
			       frontend->options.path, row->name, answer->header.size,
			       layout->size);
	if (!own && vhu_message_get(answer, VHU_FIELD_ack_ack) != 0)
		return vhu_say(frontend, "%s: %s: refused by the back-end", frontend->options.path,
			       row->name);
	return 0;
}

int vhu_ask(struct vhu_frontend *frontend, enum vhu_message_id id, struct vhu_message_buf *request)
{
	const struct vhu_message *row = &vhu_messages[id];
	bool own = row->reply_rule == VHU_REPLY_ALWAYS ||
		   (row->reply_rule == VHU_REPLY_FEATURE && vhu_has(frontend, row->reply_feature));
	uint64_t deadline = vhu_now_ns() + frontend->options.timeout;
	int got;

	vhu_message_drop(&frontend->answer);
	if (!own && vhu_has(frontend, VHU_PF_REPLY_ACK))
		request->header.flags |= VHU_FLAG_NEED_REPLY;
	got = vhu_message_send(request, frontend->socket, 0);
	if (got)
		return no_reply(frontend, row, got);
	if (!own && !vhu_has(frontend, VHU_PF_REPLY_ACK))
		return 0;
	do {
		got = wait_for_reply(frontend, deadline);
	} while (got == 0);
	return got < 0 ? no_reply(frontend, row, got) : check_reply(frontend, row, own);
}

int vhu_ask_for(struct vhu_frontend *frontend, enum vhu_message_id id, enum vhu_field_id field,
		uint64_t *value)
{
	struct vhu_message_buf request;

	vhu_begin(&request, id);
	if (vhu_ask(frontend, id, &request))
		return -1;
	*value = vhu_message_get(&frontend->answer, field);
	return 0;
}
