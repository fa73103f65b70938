/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watchdog of a session; watchdog.h has its theory of operation. */
#include "proxy/watchdog/watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "lib/protocol/line.h"
#include "lib/recording/prologue.h"
#include "lib/ring/verdict/process.h"
#include "lib/ring/verdict/show.h"
#include "lib/ringwatch/record.h"
#include "lib/ringwatch/stall.h"
#include "lib/util/util.h"
#include "proxy/session/pair.h"
#include "proxy/watchdog/look.h"

/* Without a time to stall, between looks for memory that is not used any more. */
#define LOOK_FOR_OLD (10 * VHU_NS_PER_S)

struct vhu_watchdog {
	struct vhu_proxy_session *session;
	struct vhu_timer timer;
	struct vhu_watchdog_kept kept;
	struct vhu_ringwatch_vring *vring[VHU_VRINGS_MAX]; /* NULL: never looked at */
	struct vhu_stall_pending pending;
	bool ended; /* its end was recorded */
	struct vhu_ringwatch_room *room;
};

/* Return the link of the main socket; NULL once that has ended. */
static const struct vhu_link *main_link(const struct vhu_watchdog *watchdog)
{
	for (const struct vhu_link *link = watchdog->session->links; link; link = link->next)
		if (link->channel == VHU_FRONT_END)
			return link;
	return NULL;
}

/*
 * Read what the processes do.
 * Of what a peer has not read the kernel tells its sender only that there is some: it counts as
 * the oldest request that waits.
 */
static void read_processes(const struct vhu_watchdog *watchdog, struct vhu_watchdog_view *view)
{
	const struct vhu_link *link = main_link(watchdog);

	for (int side = VHU_FRONT; side <= VHU_BACK; side++) {
		const struct vhu_peer *peer = &watchdog->session->common.peer[side];
		int unread = 0;

		if (peer->known)
			vhu_ring_process_read(&view->process[side], peer->pid);
		if (view->pending.number && link &&
		    !ioctl(link->end[side].watch.fd, SIOCOUTQ, &unread) && unread > 0)
			view->process[side].unread = VHU_HEADER_SIZE;
	}
}

/* Begin a look. Returns whether there is anything to look at; then it is to be ended. */
static bool begin_look(const struct vhu_watchdog *watchdog, struct vhu_watchdog_view *view)
{
	const struct vhu_proxy_session *session = watchdog->session;
	const struct vhu_link *link = main_link(watchdog);

	*view = (struct vhu_watchdog_view){
	    .state = vhu_prologue_state(session->common.proxy->prologue, session->common.number),
	    .kept = &watchdog->kept,
	    .eventfds = &session->common.eventfds,
	    .interposer = link ? link->interposer : NULL,
	};
	return view->state && !vhu_watchdog_view_begin(view);
}

/* Return what is known of a vring, made if it is seen first; NULL out of memory. */
static struct vhu_ringwatch_vring *vring_of(struct vhu_watchdog *watchdog, unsigned index)
{
	if (!watchdog->vring[index])
		watchdog->vring[index] = calloc(1, sizeof(*watchdog->vring[index]));
	return watchdog->vring[index];
}

/* Return whether a vring is started and its place known. */
static bool is_set_up(const struct vhu_vring *vring)
{
	return vring->started.value && vring->descriptor.by && vring->size.by;
}

/* Look at all vrings. */
static void look_at_vrings(struct vhu_watchdog *watchdog, const struct vhu_watchdog_view *view)
{
	for (unsigned i = 0; i < view->state->vrings && i < VHU_VRINGS_MAX; i++) {
		struct vhu_ringwatch_vring *vring;

		if (!is_set_up(&view->state->vring[i]))
			continue;
		vring = vring_of(watchdog, i);
		if (vring)
			vhu_watchdog_vring_look(vring, view, i);
	}
}

/* Record how a vring is. @title: takes the place of the verdict's; NULL: does not. */
static void record_vring(struct vhu_watchdog *watchdog, const struct vhu_watchdog_view *view,
			 const struct vhu_ringwatch_vring *vring,
			 const struct vhu_ring_verdict *verdict, const char *title,
			 const char *text, enum vhu_snapshot_reason reason)
{
	struct vhu_record record = {.time_ns = vhu_realtime_ns(), .type = VHU_RECORD_SNAPSHOT};

	record.snapshot = vhu_ringwatch_record(&vring->evidence, verdict, &view->memory.memory,
					       reason, watchdog->room);
	if (title)
		record.snapshot.title = title;
	if (text)
		record.snapshot.text = text;
	vhu_proxy_session_record(&watchdog->session->common, VHU_FRONT_END, &record);
}

/* Tell the person and whoever waits for it that something has stalled. */
static void tell(const struct vhu_watchdog *watchdog, const struct vhu_stall *stall)
{
	const struct vhu_session_common *common = &watchdog->session->common;

	vhu_proxy_session_say(common, "stall: %s", stall->text);
	vhu_metrics_stalled(common->metrics, stall->verdict);
	if (common->proxy->stalled)
		common->proxy->stalled(common->proxy, stall);
}

/*
 * Judge a vring by what the proxy's own faults did to it: the latest kick, while buffers wait, or
 * the latest call, once all are used, was lost.
 * @title: gets what takes the place of the verdict's title.
 * Returns whether that was it.
 */
static bool judge_own(const struct vhu_watchdog_view *view,
		      const struct vhu_ring_evidence *evidence, struct vhu_ring_verdict *verdict,
		      char title[64])
{
	const struct vhu_ring_snapshot *ring = &evidence->sample[1].ring;
	const bool waits = ring->waiting_least > 0;
	const enum vhu_vring_role role = waits ? VHU_KICK : VHU_CALL;
	const unsigned fault = vhu_watchdog_lost_by(view->interposer, evidence->vring, role);
	const enum vhu_ring_call wanted = vhu_ring_call(ring);

	if (!fault || evidence->sample[1].ring_error ||
	    (!waits && (wanted == VHU_RING_CALL_SUPPRESSED || wanted == VHU_RING_CALL_AHEAD)))
		return false;
	*verdict =
	    (struct vhu_ring_verdict){.id = waits ? VHU_RING_D1 : VHU_RING_D6, .hangs = true};
	if (waits)
		snprintf(verdict->text, sizeof(verdict->text), "%" PRIu32 " %s%s wait%s",
			 ring->waiting, ring->packed ? "descriptor" : "buffer",
			 ring->waiting == 1 ? "" : "s", ring->waiting == 1 ? "s" : "");
	else
		snprintf(verdict->text, sizeof(verdict->text), "all is used up to %u", ring->used);
	snprintf(title, 64, "fault %u of the proxy lost the last %s", fault,
		 vhu_vring_role_name(role));
	return true;
}

/* Judge a vring where nothing moves. */
static void judge_vring(struct vhu_watchdog *watchdog, const struct vhu_watchdog_view *view,
			struct vhu_ringwatch_vring *vring, unsigned index)
{
	struct vhu_ring_verdict verdict;
	char text[VHU_RING_SHOW_TEXT], title[64];
	const bool own = judge_own(view, &vring->evidence, &verdict, title);
	struct vhu_stall stall = {
	    .session = watchdog->session->common.number,
	    .vring = (int)index,
	    .text = text,
	};

	if (!own)
		verdict = vhu_ring_judge(&vring->evidence);
	if (!vhu_stall_is_one(&verdict))
		return;
	vring->said = true;
	stall.verdict = vring->verdict = vhu_ring_verdicts[verdict.id].id;
	if (own)
		snprintf(text, sizeof(text), "vring %u: %s: %s (%s)", index, verdict.text, title,
			 stall.verdict);
	else
		vhu_ring_verdict_text(index, &verdict, text, sizeof(text));
	record_vring(watchdog, view, vring, &verdict, own ? title : NULL, NULL, VHU_SNAPSHOT_STALL);
	tell(watchdog, &stall);
}

/* Judge the vrings that have not moved for @stall_ns. */
static void judge_vrings(struct vhu_watchdog *watchdog, const struct vhu_watchdog_view *view,
			 uint64_t stall_ns)
{
	for (unsigned i = 0; i < view->state->vrings && i < VHU_VRINGS_MAX; i++) {
		struct vhu_ringwatch_vring *vring = watchdog->vring[i];

		if (vring && is_set_up(&view->state->vring[i]) && vhu_stall_is_due(vring, stall_ns))
			judge_vring(watchdog, view, vring, i);
	}
}

/* Return whether the proxy kept back the reply to a request that waits. */
static bool is_withheld(const struct vhu_state *state, const struct vhu_ring_pending *pending)
{
	const struct vhu_pending_queue *queue =
	    &state->channel[pending->from_back_end ? VHU_BACK_END : VHU_FRONT_END].pending;

	for (unsigned i = 0; i < queue->count; i++)
		if (vhu_pending_at(queue, i)->number == pending->number)
			return vhu_pending_at(queue, i)->withheld;
	return false;
}

/* Say that a request gets no reply, and record how the vrings are meanwhile. */
static void pending_stalls(struct vhu_watchdog *watchdog, const struct vhu_watchdog_view *view)
{
	const struct vhu_ring_pending *pending = &view->pending;
	const char *why = "";
	char text[VHU_RING_SHOW_TEXT];
	struct vhu_line line = vhu_line_in(text, sizeof(text));
	struct vhu_stall stall = {
	    .session = watchdog->session->common.number,
	    .vring = -1,
	    .verdict = vhu_ring_verdicts[VHU_RING_D14].id,
	    .text = text,
	};
	const enum vhu_side asked = pending->from_back_end ? VHU_FRONT : VHU_BACK;
	const struct vhu_ring_process *process = &view->process[asked];

	if (is_withheld(view->state, pending))
		why = ", because a fault of the proxy kept its reply back";
	else if (process->unread)
		why = ", and has not read it";
	vhu_stall_pending_text(&line, pending, why, process);
	vhu_proxy_session_error(&watchdog->session->common, VHU_FRONT_END, "stall: %s", text);
	for (unsigned i = 0; i < view->state->vrings && i < VHU_VRINGS_MAX; i++) {
		struct vhu_ringwatch_vring *vring = watchdog->vring[i];
		struct vhu_ring_verdict verdict;

		if (!vring || !vring->looked || !is_set_up(&view->state->vring[i]))
			continue;
		verdict = vhu_ring_judge(&vring->evidence);
		record_vring(watchdog, view, vring, &verdict, NULL, NULL, VHU_SNAPSHOT_STALL);
	}
	tell(watchdog, &stall);
}

/* Return the time between two looks. */
static uint64_t look_every(uint64_t stall_ns)
{
	return stall_ns ? vhu_stall_look_every(stall_ns) : LOOK_FOR_OLD;
}

/* It is time to look. */
static void look(struct vhu_timer *timer)
{
	struct vhu_watchdog *watchdog = vhu_container_of(timer, struct vhu_watchdog, timer);
	struct vhu_proxy *proxy = watchdog->session->common.proxy;
	const uint64_t stall_ns = proxy->watchdog.stall_ns;
	struct vhu_watchdog_view view;

	vhu_loop_set(&proxy->loop, timer, look_every(stall_ns));
	if (!begin_look(watchdog, &view))
		return;
	vhu_watchdog_keep_less(&watchdog->kept, view.state);
	if (stall_ns) {
		read_processes(watchdog, &view);
		look_at_vrings(watchdog, &view);
		if (vhu_stall_pending_look(&watchdog->pending, &view.pending, stall_ns))
			pending_stalls(watchdog, &view);
		judge_vrings(watchdog, &view, stall_ns);
	}
	vhu_watchdog_view_end(&view);
}

struct vhu_watchdog *vhu_watchdog_new(struct vhu_proxy_session *session)
{
	const struct vhu_proxy *proxy = session->common.proxy;
	struct vhu_watchdog *watchdog;

	if (!proxy->prologue || !(proxy->watchdog.stall_ns || proxy->watchdog.at_end))
		return NULL;
	watchdog = calloc(1, sizeof(*watchdog));
	if (watchdog)
		watchdog->room = malloc(sizeof(*watchdog->room));
	if (!watchdog || !watchdog->room) {
		free(watchdog);
		vhu_proxy_session_say(&session->common, "no memory to look for stalls");
		return NULL;
	}
	watchdog->session = session;
	watchdog->timer.fire = look;
	vhu_loop_set(&session->common.proxy->loop, &watchdog->timer,
		     look_every(proxy->watchdog.stall_ns));
	return watchdog;
}

void vhu_watchdog_set(struct vhu_proxy *proxy)
{
	for (const struct vhu_pair *pair = proxy->pair; pair; pair = pair->next) {
		for (struct vhu_proxy_session *session = pair->sessions.first; session;
		     session = session->next) {
			struct vhu_watchdog **watchdog = &session->common.watchdog;

			if (*watchdog)
				vhu_loop_set(&proxy->loop, &(*watchdog)->timer,
					     look_every(proxy->watchdog.stall_ns));
			else
				*watchdog = vhu_watchdog_new(session);
		}
	}
}

/* A vring is being started: note how it is before its back-end knows of it. */
static void note_start(struct vhu_watchdog *watchdog, const struct vhu_relay *relay)
{
	const struct vhu_payload payload = {relay->buffer + VHU_HEADER_SIZE, relay->header.size,
					    relay->header.size, vhu_host_is_big_endian()};
	struct vhu_watchdog_view view;
	struct vhu_ringwatch_vring *vring;
	uint64_t index;

	if (relay->got != relay->size ||
	    !vhu_field_read(&payload, VHU_FIELD_vring_fd_index, 0, &index) ||
	    !begin_look(watchdog, &view))
		return;
	vring = index < view.state->vrings && is_set_up(&view.state->vring[index])
		    ? vring_of(watchdog, (unsigned)index)
		    : NULL;
	if (vring)
		vhu_watchdog_vring_start(vring, &view, (unsigned)index);
	vhu_watchdog_view_end(&view);
}

void vhu_watchdog_received(struct vhu_watchdog *watchdog, const struct vhu_relay *relay,
			   bool from_back_end)
{
	if (from_back_end)
		return;
	if (relay->fds)
		vhu_watchdog_keep(&watchdog->kept, relay);
	if (relay->size && vhu_message_brings(VHU_FRONT_END, relay->header.request) == VHU_KICK)
		note_start(watchdog, relay);
}

/* Record how a vring is at the end. */
static void record_end(struct vhu_watchdog *watchdog, const struct vhu_watchdog_view *view,
		       const struct vhu_ringwatch_vring *vring)
{
	const struct vhu_ring_sample *newer = &vring->evidence.sample[1];
	const struct vhu_ring_verdict verdict = vhu_ring_judge(&vring->evidence);
	char text[128];
	struct vhu_line line = vhu_line_in(text, sizeof(text));

	if (!vring->moved && verdict.hangs) {
		record_vring(watchdog, view, vring, &verdict, NULL, NULL, VHU_SNAPSHOT_END);
		return;
	}
	/* One look shows no cause. */
	if (newer->ring_error)
		vhu_line_printf(&line, "the vring's memory could not be read");
	else
		vhu_line_printf(&line, "%" PRIu32 " %s%s waiting", newer->ring.waiting,
				newer->ring.packed ? "descriptor" : "buffer",
				newer->ring.waiting == 1 ? "" : "s");
	if (!newer->ring_error && newer->ring.inflight.known)
		vhu_line_printf(&line, ", %" PRIu32 " request%s in flight",
				newer->ring.inflight.count,
				newer->ring.inflight.count == 1 ? "" : "s");
	record_vring(watchdog, view, vring, NULL, NULL, text, VHU_SNAPSHOT_END);
}

void vhu_watchdog_end(struct vhu_watchdog *watchdog)
{
	struct vhu_watchdog_view view;

	if (watchdog->ended || !watchdog->session->common.proxy->watchdog.at_end)
		return;
	watchdog->ended = true;
	if (!begin_look(watchdog, &view))
		return;
	read_processes(watchdog, &view);
	look_at_vrings(watchdog, &view);
	for (unsigned i = 0; i < view.state->vrings && i < VHU_VRINGS_MAX; i++)
		if (watchdog->vring[i] && is_set_up(&view.state->vring[i]))
			record_end(watchdog, &view, watchdog->vring[i]);
	vhu_watchdog_view_end(&view);
}

unsigned vhu_watchdog_fds(const struct vhu_watchdog *watchdog)
{
	return vhu_watchdog_kept_fds(&watchdog->kept);
}

void vhu_watchdog_json(struct vhu_json *json, const char *key, const struct vhu_watchdog *watchdog)
{
	vhu_json_array(json, key);
	for (unsigned i = 0; i < VHU_VRINGS_MAX; i++) {
		const struct vhu_ringwatch_vring *vring = watchdog->vring[i];

		if (!vring || !vring->looked)
			continue;
		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "vring", i);
		vhu_json_unsigned(json, "still_ns", vhu_now_ns() - vring->still_ns);
		vhu_json_bool(json, "stalled", vring->said);
		if (vring->said) {
			vhu_json_object(json, "verdict");
			vhu_json_string(json, "id", vring->verdict);
			vhu_json_object_end(json);
		}
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

void vhu_watchdog_free(struct vhu_watchdog *watchdog)
{
	if (!watchdog)
		return;
	vhu_loop_unset(&watchdog->timer);
	for (unsigned i = 0; i < VHU_VRINGS_MAX; i++) {
		if (watchdog->vring[i])
			vhu_ringwatch_vring_free(watchdog->vring[i]);
		free(watchdog->vring[i]);
	}
	vhu_watchdog_kept_free(&watchdog->kept);
	free(watchdog->room);
	free(watchdog);
}
