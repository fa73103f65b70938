/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of a session for people. */
#include <inttypes.h>

#include "lib/show/state.h"
#include "lib/util/duration.h"
#include "proxy/control/status.h"

/* Write a number of things as people do. */
static void put_amount(FILE *to, uint64_t number, const char *thing)
{
	fprintf(to, "%" PRIu64 " %s%s", number, thing, number == 1 ? "" : "s");
}

/* Write how long ago @ns was. */
static void put_ago(FILE *to, const struct vhu_status *status, uint64_t ns)
{
	char text[VHU_DURATION_TEXT_SIZE];

	fprintf(to, "%s", vhu_duration_text(status->now_ns - ns, text));
}

/* Write what has passed on a channel. */
static void put_link(FILE *to, const struct vhu_status *status, const struct vhu_status_link *link)
{
	const struct vhu_link_stats *front = &link->from[VHU_FRONT].passed;
	const struct vhu_link_stats *back = &link->from[VHU_BACK].passed;
	uint64_t last = front->last_ns > back->last_ns ? front->last_ns : back->last_ns;

	vhu_show_label(to, link->channel == VHU_FRONT_END ? "messages" : "");
	if (link->channel != VHU_FRONT_END)
		fprintf(to, "%s channel: ", vhu_channel_name(link->channel));
	fprintf(to, "%" PRIu64 " (", front->messages);
	put_amount(to, front->bytes, "byte");
	fprintf(to, ") from the front-end, %" PRIu64 " (", back->messages);
	put_amount(to, back->bytes, "byte");
	fprintf(to, ") from the back-end");
	if (last) {
		fprintf(to, "; the last ");
		put_ago(to, status, last);
		fprintf(to, " ago");
	}
	fputc('\n', to);
}

/* Write what is held up on a channel, of what one side sends. */
static void put_held(FILE *to, const struct vhu_status_link *link, enum vhu_side from)
{
	const struct vhu_status_way *way = &link->from[from];

	if (!way->held && !way->holding && !way->unread)
		return;
	vhu_show_label(to, "held up");
	put_amount(to, way->held + way->unread, "byte");
	fprintf(to, " and ");
	put_amount(to, way->holding, "descriptor");
	fprintf(to, " from the %s, on the %s channel\n", vhu_side_name(from),
		vhu_channel_name(link->channel));
}

/* Write which request waits for its answer. */
static void put_waits(FILE *to, const struct vhu_status *status)
{
	vhu_show_label(to, "waiting");
	if (!status->waits) {
		fprintf(to, "for no answer\n");
		return;
	}
	fprintf(to, "for the answer to ");
	if (status->waits_for)
		fprintf(to, "%s", status->waits_for->name);
	else
		fprintf(to, "message %" PRIu32, status->waits->request);
	fprintf(to, " of the %s, for ", vhu_side_name(vhu_replies_asker(status->waits_on)));
	put_ago(to, status, status->waits->time_ns);
	fputc('\n', to);
}

/* Write what came of kicks and calls where the proxy stands between them. */
static void put_interposer(FILE *to, const struct vhu_interposer *interposer)
{
	char text[512];

	for (unsigned i = 0; i < VHU_EVENTFD_VRINGS; i++) {
		const struct vhu_interposer_vring *ring = interposer->ring[i];

		if (!ring || !vhu_interposer_vring_text(ring, text, sizeof(text)))
			continue;
		vhu_show_label(to, "interposed");
		fprintf(to, "%s\n", text);
	}
}

void vhu_status_text(FILE *to, const struct vhu_status *status)
{
	const struct vhu_proxy_session *session = status->session;

	fprintf(to, "session %" PRIu64 "\n", session->common.number);
	vhu_show_peer(to, "front-end", &session->common.peer[VHU_FRONT]);
	vhu_show_peer(to, "back-end", &session->common.peer[VHU_BACK]);
	if (status->state)
		vhu_show_device(to, status->state);
	vhu_show_label(to, "open for");
	put_ago(to, status, session->begun_ns);
	fputc('\n', to);
	for (unsigned i = 0; i < status->links; i++)
		put_link(to, status, &status->link[i]);
	put_waits(to, status);
	for (unsigned i = 0; i < status->links; i++) {
		put_held(to, &status->link[i], VHU_FRONT);
		put_held(to, &status->link[i], VHU_BACK);
	}
	if (status->interposer)
		put_interposer(to, status->interposer);
	vhu_show_label(to, "takes");
	put_amount(to, status->fds, "descriptor");
	fputc('\n', to);
	if (status->state)
		vhu_show_state(to, status->state);
}
