/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main socket: each message is checked against its row of the table, handed to its handler and
 * answered.
 *
 * The back-end refuses a request by its acknowledgement, if the front-end asked for one, or by an
 * empty reply to GET_CONFIG. Any other request can only be refused by closing the connection.
 */
#include "samples/backend/control.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/util/util.h"
#include "samples/backend/handlers/handlers.h"
#include "samples/common/clock.h"

/* Return how many descriptors come with a request. */
static unsigned fds_wanted(const struct vhu_message *row, const struct vhu_message_buf *request,
			   unsigned limit)
{
	uint64_t regions = vhu_message_get(request, VHU_FIELD_mem_table_regions);

	if (limit != VHU_FDS_REGIONS)
		return limit;
	/* The only row that has as many as there are regions. */
	return row->id == VHU_MSG_SET_MEM_TABLE && regions < VHU_FDS_REGIONS ? (unsigned)regions
									     : 0;
}

/* Return whether a payload may be longer than its layout: User-mode Linux sends a table with room
 * for more regions than it has. */
static bool may_be_longer(const struct vhu_layout *layout)
{
	return layout->fields > 0 &&
	       vhu_fields[layout->first + layout->fields - 1].kind == VHU_ARRAY;
}

/* Hold a payload against its layout. Returns NULL or what is wrong. */
static const char *check_payload(const struct vhu_backend *backend, const struct vhu_message *row,
				 const struct vhu_message_buf *request)
{
	struct vhu_payload payload = vhu_message_payload(request);
	const struct vhu_layout *layout =
	    vhu_message_layout(row, false, &backend->negotiated, &payload);
	struct vhu_walk walk;
	struct vhu_item item;

	vhu_walk_start(&walk, layout, &payload, &backend->negotiated);
	while (vhu_walk_next(&walk, &item)) {
		if (item.what == VHU_ITEM_MISSING)
			return "its payload is too short";
		if (item.what == VHU_ITEM_LEFT_OVER && !may_be_longer(layout))
			return "its payload is too long";
	}
	return NULL;
}

/* Hold a request against its row. Returns NULL or what is wrong. */
static const char *check(const struct vhu_backend *backend, const struct vhu_message *row,
			 const struct vhu_message_buf *request)
{
	const struct vhu_context *negotiated = &backend->negotiated;
	/* What it is enough to offer need not have been taken. */
	uint64_t protocol =
	    row->needs_offer_only ? backend->protocol_features : negotiated->protocol_features;

	if (request->header.flags & VHU_FLAG_REPLY)
		return "it is a reply, and nothing was asked";
	if (!vhu_handlers[row->id])
		return "it is not served here";
	if (row->needs_protocol & ~protocol)
		return "its protocol feature is not negotiated";
	/* QEMU before 7.2 takes bit 30 without setting it: an offer is enough here. */
	if (row->needs_feature & ~backend->features)
		return "its virtio feature is not offered";
	if (request->fds < fds_wanted(row, request, row->fds[0].min))
		return "a descriptor is missing";
	if (request->fds > fds_wanted(row, request, row->fds[0].max))
		return "it has more descriptors than belong to it";
	return check_payload(backend, row, request);
}

/* Return whether a request has a reply of its own. */
static bool has_reply(const struct vhu_backend *backend, const struct vhu_message *row)
{
	return row->reply_rule == VHU_REPLY_ALWAYS ||
	       (row->reply_rule == VHU_REPLY_FEATURE &&
		vhu_backend_has_protocol(backend, row->reply_feature));
}

/* Begin the reply to a request: its own, in the layout that is likeliest; else an acknowledgement.
 */
static void begin_reply(struct vhu_backend *backend, const struct vhu_message *row,
			const struct vhu_message_buf *request, struct vhu_message_buf *reply)
{
	const struct vhu_shapes *shapes = &vhu_shapes[row->shape[1]];
	enum vhu_layout_id layout = VHU_LAYOUT_ack;

	if (has_reply(backend, row))
		layout = shapes->shape[shapes->shapes - 1].layout;
	vhu_message_begin_reply(reply, &request->header, layout);
}

/* Sleep, and let everything else wait too. */
static void wait_for(uint64_t span)
{
	struct timespec time = {
	    .tv_sec = (time_t)(span / VHU_NS_PER_S),
	    .tv_nsec = (long)(span % VHU_NS_PER_S),
	};

	nanosleep(&time, NULL);
}

/* Send a reply, and whatever defect was wished for with it. Returns 0 or -errno. */
static int send_reply(struct vhu_backend *backend, const struct vhu_message *row,
		      struct vhu_message_buf *reply)
{
	struct vhu_defects *defects = &backend->defects;
	const struct vhu_defect *late = vhu_defect_due(defects, VHU_DEFECT_LATE_REPLY, row);
	int error;

	if (late)
		wait_for(late->time);
	if (vhu_defect_due(defects, VHU_DEFECT_DROP_REPLY, row))
		return 0;
	if (vhu_defect_due(defects, VHU_DEFECT_WRONG_SIZE, row))
		reply->header.size += 4;
	if (vhu_defect_due(defects, VHU_DEFECT_WRONG_ID, row))
		reply->header.request++;
	error = vhu_message_send(reply, backend->socket, 0);
	if (!error && vhu_defect_due(defects, VHU_DEFECT_EXTRA_REPLY, row))
		error = vhu_message_send(reply, backend->socket, 0);
	return error;
}

/* Answer a request after it was done. @refused: why it was not, or NULL. Returns 0 or -errno. */
static int answer(struct vhu_backend *backend, const struct vhu_message *row,
		  const struct vhu_message_buf *request, struct vhu_message_buf *reply,
		  const char *refused)
{
	bool asked = request->header.flags & VHU_FLAG_NEED_REPLY &&
		     vhu_backend_has_protocol(backend, VHU_PF_REPLY_ACK);

	if (refused)
		vhu_fail(backend->command, "%s refused: %s", row->name, refused);
	if (!has_reply(backend, row)) {
		if (!asked)
			return refused ? -EPROTO : 0;
		vhu_message_put(reply, VHU_FIELD_ack_ack, refused != NULL);
	} else if (refused && row->id == VHU_MSG_GET_CONFIG) {
		reply->header.size = 0;
	} else if (refused) {
		return -EPROTO;
	}
	return send_reply(backend, row, reply);
}

/* Do and answer a whole request. Returns 0 or -errno. */
static int serve(struct vhu_backend *backend, struct vhu_message_buf *request)
{
	const struct vhu_message *rows[VHU_DIALECTS], *row;
	const char *refused;
	struct vhu_message_buf reply;
	struct vhu_talk talk = {.request = request, .reply = &reply};
	int error;

	if (vhu_message_find(VHU_FRONT_END, request->header.request, backend->dialect, rows) != 1) {
		vhu_fail(backend->command, "request %" PRIu32 " is not known",
			 request->header.request);
		return -EPROTO;
	}
	row = rows[0];
	if (vhu_defect_due(&backend->defects, VHU_DEFECT_CLOSE_AT, row))
		return -EPIPE;
	refused = check(backend, row, request);
	begin_reply(backend, row, request, &reply);
	if (!refused && vhu_defect_due(&backend->defects, VHU_DEFECT_NACK, row))
		refused = "as was wished for";
	if (!refused)
		refused = vhu_handlers[row->id](backend, &talk);
	error = answer(backend, row, request, &reply, refused);
	vhu_message_drop(&reply);
	return error;
}

int vhu_control(struct vhu_backend *backend)
{
	int got = vhu_message_receive(&backend->request, backend->socket);
	int error = got < 0 ? got : 0;

	if (got > 0) {
		error = serve(backend, &backend->request);
		vhu_message_drop(&backend->request);
	}
	if (error && error != -EPIPE)
		vhu_fail(backend->command, "the connection is closed: %s", strerror(-error));
	return error;
}
