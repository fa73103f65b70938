/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of a session as JSON. docs/control.md lists the keys. */
#include "lib/show/state.h"
#include "proxy/control/status.h"
#include "proxy/watchdog/watchdog.h"

/* Write what one side sends on a channel. */
static void put_way(struct vhu_json *json, const char *key, const struct vhu_status *status,
		    const struct vhu_status_way *way)
{
	vhu_json_object(json, key);
	vhu_json_unsigned(json, "messages", way->passed.messages);
	vhu_json_unsigned(json, "sent_bytes", way->passed.bytes);
	vhu_json_unsigned(json, "descriptors", way->passed.fds);
	if (way->passed.last_ns)
		vhu_json_unsigned(json, "last_ns", status->now_ns - way->passed.last_ns);
	vhu_json_unsigned(json, "held_bytes", way->held);
	vhu_json_unsigned(json, "held_descriptors", way->holding);
	vhu_json_unsigned(json, "unread_bytes", way->unread);
	vhu_json_object_end(json);
}

/* Write the channels. */
static void put_links(struct vhu_json *json, const struct vhu_status *status)
{
	vhu_json_array(json, "channels");
	for (unsigned i = 0; i < status->links; i++) {
		const struct vhu_status_link *link = &status->link[i];

		vhu_json_object(json, NULL);
		vhu_json_string(json, "channel", vhu_channel_name(link->channel));
		put_way(json, "front_end", status, &link->from[VHU_FRONT]);
		put_way(json, "back_end", status, &link->from[VHU_BACK]);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

/* Write which request waits for its answer. */
static void put_waits(struct vhu_json *json, const struct vhu_status *status)
{
	if (!status->waits)
		return;
	vhu_json_object(json, "waiting_request");
	vhu_json_string(json, "channel", vhu_channel_name(status->waits_on));
	vhu_json_string(json, "from", vhu_side_name(vhu_replies_asker(status->waits_on)));
	if (status->waits_for)
		vhu_json_string(json, "message", status->waits_for->name);
	vhu_json_unsigned(json, "request", status->waits->request);
	vhu_json_unsigned(json, "for_ns", status->now_ns - status->waits->time_ns);
	vhu_json_object_end(json);
}

void vhu_status_json(struct vhu_json *json, const char *key, const struct vhu_status *status,
		     bool brief)
{
	const struct vhu_proxy_session *session = status->session;

	vhu_json_object(json, key);
	vhu_json_unsigned(json, "session", session->common.number);
	vhu_json_unsigned(json, "age_ns", status->now_ns - session->begun_ns);
	vhu_show_peer_json(json, "front_end", &session->common.peer[VHU_FRONT]);
	vhu_show_peer_json(json, "back_end", &session->common.peer[VHU_BACK]);
	put_links(json, status);
	put_waits(json, status);
	if (status->interposer)
		vhu_interposer_json(json, "interposed", status->interposer);
	if (session->common.watchdog)
		vhu_watchdog_json(json, "watched", session->common.watchdog);
	vhu_json_unsigned(json, "descriptors", status->fds);
	if (status->state) {
		vhu_show_device_json(json, status->state);
		if (brief)
			vhu_show_vrings_json(json, status->state);
		else
			vhu_show_state_json(json, status->state);
	}
	vhu_json_object_end(json);
}
