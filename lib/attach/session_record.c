/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the sessions of vhu attach. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/attach/describe.h"
#include "lib/attach/session_internal.h"
#include "lib/capture/redact.h"
#include "lib/protocol/field.h"

/* Give a record of a connection to the owner. */
static void give(struct vhu_attach_connection *connection, struct vhu_record *record,
		 uint64_t time_ns)
{
	struct vhu_attach_sessions *sessions = connection->sessions;

	record->time_ns = time_ns + sessions->epoch_ns;
	record->session = connection->session->number;
	record->channel = connection->channel;
	if (vhu_host_is_big_endian())
		record->marks |= VHU_MARK_BIG_ENDIAN;
	sessions->owner->record(sessions->context, record);
}

/* Say who is at an end. */
static struct vhu_peer peer_of(const struct vhu_attach_end *end)
{
	return (struct vhu_peer){
	    .known = end->known,
	    .pid = end->who.pid,
	    .uid = end->who.uid,
	    .gid = end->who.gid,
	    .comm = end->known ? end->who.comm : "",
	    .path = end->path,
	};
}

void vhu_attach_record_opened(struct vhu_attach_connection *connection, uint64_t time_ns)
{
	const unsigned front = (unsigned)connection->front;
	struct vhu_record record = {
	    .type = VHU_RECORD_OPENED,
	    .marks = connection->before ? VHU_MARK_BEGUN : 0,
	    .front_end = peer_of(&connection->end[front]),
	    .back_end = peer_of(&connection->end[!front]),
	};

	give(connection, &record, time_ns);
}

void vhu_attach_record_closed(struct vhu_attach_connection *connection, const char *reason,
			      uint64_t time_ns)
{
	struct vhu_record record = {.type = VHU_RECORD_CLOSED, .text = reason};

	give(connection, &record, time_ns);
}

/* Describe the descriptors of a message. Returns an array to be freed, with the names behind the
 * descriptions; NULL without, or out of memory. */
static struct vhu_fd_info *describe(const struct vhu_attach_connection *connection, unsigned from,
				    const struct vhu_cut_message *message)
{
	char(*name)[VHU_RECORD_TEXT_MAX + 1];
	struct vhu_fd_info *fd;

	if (!message->fds)
		return NULL;
	fd = calloc(message->fds, sizeof(*fd) + sizeof(*name));
	if (!fd)
		return NULL;
	name = (void *)(fd + message->fds);
	for (unsigned i = 0; i < message->fds; i++) {
		fd[i].name = "";
		if (i < message->described)
			vhu_attach_describe(&message->file[i], connection->end[from].who.pid,
					    &fd[i], name[i]);
	}
	return fd;
}

void vhu_attach_record_message(struct vhu_attach_connection *connection, unsigned from,
			       const struct vhu_cut_message *message)
{
	struct vhu_attach_sessions *sessions = connection->sessions;
	struct vhu_fd_info *fd = describe(connection, from, message);
	struct vhu_record record = {
	    .type = VHU_RECORD_MESSAGE,
	    .marks = message->partial ? VHU_MARK_PARTIAL : 0,
	    .from_back_end = (int)from != connection->front,
	    .message = message->bytes,
	    .message_size = message->kept,
	    .message_sent = message->size,
	    .fds = (uint16_t)(fd ? message->fds : 0),
	    .fd = fd,
	};
	uint8_t *masked = NULL;

	if (!sessions->with_keys && message->kept >= VHU_HEADER_SIZE)
		masked =
		    vhu_redact(&record, connection->channel,
			       vhu_header_read(message->bytes, vhu_host_is_big_endian()).request,
			       &connection->plain);
	sessions->counts.messages++;
	sessions->counts.fds += message->fds;
	give(connection, &record, message->time_ns);
	free(masked);
	free(fd);
}

void vhu_attach_record_past(struct vhu_attach_connection *connection,
			    const struct vhu_attach_past *past, uint64_t time_ns)
{
	struct vhu_record record = {
	    .type = VHU_RECORD_MESSAGE,
	    .marks = VHU_MARK_EARLIER | VHU_MARK_RECONSTRUCTED,
	    .message = past->bytes,
	    .message_size = past->size,
	    .message_sent = past->size,
	    .fds = past->fd != NULL,
	    .fd = past->fd,
	};

	give(connection, &record, time_ns);
}

void vhu_attach_record_lost(struct vhu_attach_connection *connection, unsigned from, uint64_t bytes,
			    uint64_t time_ns)
{
	const char *side = (int)from == connection->front ? "front-end" : "back-end";
	char text[VHU_RECORD_TEXT_MAX + 1], amount[48] = "some of";
	struct vhu_record record = {
	    .type = VHU_RECORD_ERROR,
	    .marks = VHU_MARK_LOST,
	    .text = text,
	};

	connection->sessions->counts.losses++;
	if (bytes)
		snprintf(amount, sizeof(amount), "%" PRIu64 " bytes of", bytes);
	snprintf(text, sizeof(text), "%s what the %s sent here could not be captured", amount,
		 side);
	give(connection, &record, time_ns);
}
