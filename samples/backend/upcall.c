/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The back-end channel. */
#include "samples/backend/upcall.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void vhu_upcall_open(struct vhu_upcall *upcall, int socket, bool acknowledged)
{
	if (upcall->socket >= 0)
		close(upcall->socket);
	vhu_message_drop(&upcall->reply);
	*upcall = (struct vhu_upcall){.socket = socket, .acknowledged = acknowledged};
}

/*
 * Send a request that is about a vring, or about none.
 * Returns whether it is said; if not, it has to wait or the channel is closed.
 */
static bool say(struct vhu_upcall *upcall, enum vhu_message_id id, unsigned vring)
{
	const struct vhu_message *row = &vhu_messages[id];
	const struct vhu_shape *shape = vhu_shapes[row->shape[0]].shape;
	struct vhu_message_buf message;
	int error;

	if (upcall->socket < 0 || upcall->waiting)
		return false;
	vhu_message_begin(&message, id, shape->layout);
	if (upcall->acknowledged)
		message.header.flags |= VHU_FLAG_NEED_REPLY;
	if (message.header.size > 0)
		vhu_message_put(&message, VHU_FIELD_vring_index_index, vring);
	error = vhu_message_send(&message, upcall->socket, MSG_DONTWAIT);
	if (error && error != -EAGAIN)
		vhu_upcall_open(upcall, -1, false);
	upcall->waiting = !error && upcall->acknowledged;
	return !error;
}

/* Say what is wished of vrings, one after the other. */
static void say_vrings(struct vhu_upcall *upcall, enum vhu_message_id id, uint64_t *wishes)
{
	while (*wishes) {
		unsigned vring = (unsigned)__builtin_ctzll(*wishes);

		if (!say(upcall, id, vring))
			return;
		*wishes &= ~(UINT64_C(1) << vring);
	}
}

void vhu_upcall_flush(struct vhu_upcall *upcall)
{
	if (upcall->config && say(upcall, VHU_MSG_BACKEND_CONFIG_CHANGE_MSG, 0))
		upcall->config = false;
	say_vrings(upcall, VHU_MSG_BACKEND_VRING_ERR, &upcall->errors);
	say_vrings(upcall, VHU_MSG_BACKEND_VRING_CALL, &upcall->calls);
}

void vhu_upcall_receive(struct vhu_upcall *upcall)
{
	int got = vhu_message_receive(&upcall->reply, upcall->socket);

	if (got < 0) {
		vhu_upcall_open(upcall, -1, false);
	} else if (got > 0) {
		/* Whether the front-end liked it makes no difference to us. */
		upcall->waiting = false;
		vhu_message_drop(&upcall->reply);
	}
}
