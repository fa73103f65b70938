/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of before the watch. */
#include "tools/attach/past/reconstruct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/array.h"
#include "lib/util/util.h"

struct vhu_past_message *vhu_past_begin(struct vhu_past_messages *past, enum vhu_message_id id,
					enum vhu_layout_id layout)
{
	struct vhu_past_message *more =
	    vhu_array_more(past->message, &past->count, sizeof(*past->message));

	if (!more)
		return NULL;
	past->message = more;
	more += past->count - 1;
	memset(more, 0, sizeof(*more));
	vhu_message_begin(&more->buf, id, layout);
	return more;
}

int vhu_past_add_kick(struct vhu_past_messages *past, unsigned vring, uint32_t eventfd_id)
{
	struct vhu_past_message *message =
	    vhu_past_begin(past, VHU_MSG_SET_VRING_KICK, VHU_LAYOUT_vring_fd);

	if (!message)
		return -ENOMEM;
	vhu_message_put(&message->buf, VHU_FIELD_vring_fd_index, vring);
	message->fd = (struct vhu_fd_info){
	    .kind = VHU_FD_EVENTFD, .has = VHU_FD_HAS_EVENTFD, .eventfd_id = eventfd_id};
	message->has_fd = true;
	return 0;
}

int vhu_past_put(struct vhu_attach_run *run, uint64_t front, struct vhu_past_messages *past)
{
	struct vhu_attach_past *message = calloc(past->count, sizeof(*message));
	int error;

	if (!message)
		return -ENOMEM;
	for (unsigned i = 0; i < past->count; i++) {
		struct vhu_past_message *from = &past->message[i];

		from->fd.name = from->name;
		message[i] = (struct vhu_attach_past){
		    .bytes = from->buf.bytes,
		    .size = (uint32_t)vhu_message_write(&from->buf),
		    .fd = from->has_fd ? &from->fd : NULL,
		};
	}
	error = vhu_attach_sessions_reconstruct(run->sessions, front, message, past->count,
						vhu_now_ns());
	free(message);
	return error;
}

void vhu_past_free(struct vhu_past_messages *past)
{
	free(past->message);
	*past = (struct vhu_past_messages){0};
}

const struct vhu_attach_listed *vhu_past_session(const struct vhu_attach_run *run,
						 const struct vhu_attach_listing *listing,
						 uint32_t front, uint32_t back, bool *several)
{
	const struct vhu_attach_listed *socket, *found = NULL;
	unsigned at = 0, count = 0;

	while ((socket = vhu_attach_next_connected(listing, &at))) {
		const struct vhu_attach_listed *peer = vhu_attach_socket(listing, socket->peer);

		if (socket->pid != front || !peer || peer->pid == front ||
		    (back && peer->pid != back) || (!socket->address && !socket->peer_address) ||
		    !vhu_attach_sessions_know(run->sessions, socket->socket) ||
		    !vhu_attach_share_eventfd(listing, front, peer->pid))
			continue;
		found = socket;
		count++;
	}
	*several = count > 1;
	return count == 1 ? found : NULL;
}
