/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vring, its requests and the verdict on it as JSON; show.h lists the keys. */
#include <linux/virtio_ring.h>
#include <string.h>

#include "lib/ring/verdict/show.h"
#include "lib/show/fields_json.h"
#include "lib/show/snapshot.h"

/* As many entries of the in-flight area are written. */
#define ENTRIES_MAX 64

/* Write the verdict. */
static void put_verdict(struct vhu_json *json, const struct vhu_ring_evidence *evidence,
			const struct vhu_ring_verdict *verdict)
{
	char advice[VHU_RING_SHOW_TEXT];

	const struct vhu_ring_verdict_row *row = &vhu_ring_verdicts[verdict->id];
	const char *apart = vhu_ring_verdict_apart(verdict);

	vhu_json_object(json, "verdict");
	vhu_json_string(json, "id", row->id);
	vhu_json_string(json, "title", row->title);
	vhu_json_string(json, "text", verdict->text);
	vhu_json_bool(json, "hangs", verdict->hangs);
	vhu_json_array(json, "alternatives");
	for (unsigned i = 0; i < verdict->alternatives; i++)
		vhu_json_string(json, NULL, vhu_ring_verdicts[verdict->alternative[i]].id);
	vhu_json_array_end(json);
	if (*apart)
		vhu_json_string(json, "apart", apart);
	vhu_ring_advice_text(evidence, verdict, verdict->id, advice, sizeof(advice));
	vhu_json_string(json, "advice", advice);
	vhu_json_object_end(json);
}

/* Write the in-flight area. */
static void put_inflight(struct vhu_json *json, const struct vhu_ring_inflight *inflight)
{
	if (!inflight->known)
		return;
	vhu_json_unsigned(json, "in_flight", inflight->count);
	vhu_json_object(json, "inflight_area");
	vhu_json_unsigned(json, "descriptors", inflight->descriptors);
	vhu_json_unsigned(json, "used", inflight->used);
	vhu_json_array(json, "entries");
	for (uint32_t i = 0; i < inflight->count && i < ENTRIES_MAX; i++)
		vhu_json_unsigned(json, NULL, inflight->taken[i].entry);
	vhu_json_array_end(json);
	vhu_json_object_end(json);
}

/* Write what a ring's memory held. */
static void put_ring(struct vhu_json *json, const struct vhu_ring_snapshot *ring)
{
	static const char *const known[] = {"index", "inflight", "event", "guess"};
	static const char *const kick[] = {"wanted", "suppressed", "stale", "taken"};
	static const char *const call[] = {"unknown", "suppressed", "ahead", "passed"};

	vhu_json_string(json, "format", ring->packed ? "packed" : "split");
	vhu_json_unsigned(json, "size", ring->size);
	vhu_show_ring_index(json, "available", "available_wrap", ring->available, ring->packed);
	vhu_show_ring_index(json, "used", "used_wrap", ring->used, ring->packed);
	vhu_json_unsigned(json, "waiting", ring->waiting);
	if (ring->waiting_least != ring->waiting)
		vhu_json_unsigned(json, "waiting_least", ring->waiting_least);
	vhu_json_string(json, "used_known_by", known[ring->known]);
	vhu_show_ring_asks(json, "driver_events", ring->event_idx, ring->driver_flags,
			   ring->driver_event);
	vhu_show_ring_asks(json, "device_events", ring->event_idx, ring->device_flags,
			   ring->device_event);
	if (ring->waiting > 0)
		vhu_json_string(json, "kick_wanted", kick[vhu_ring_kick(ring)]);
	vhu_json_string(json, "call_wanted", call[vhu_ring_call(ring)]);
	put_inflight(json, &ring->inflight);
}

/* Write an eventfd's counter and who polls it. */
static void put_counter(struct vhu_json *json, const char *key,
			const struct vhu_ring_counter *counter, enum vhu_ring_poller poller)
{
	static const char *const name[] = {NULL, "none", "level", "edge"};

	if (!counter->known && !counter->interposed)
		return;
	vhu_json_object(json, key);
	if (counter->known) {
		vhu_json_unsigned(json, "eventfd_id", counter->id);
		vhu_json_unsigned(json, "count", counter->count);
	}
	if (counter->interposed)
		vhu_json_unsigned(json, "front_end_eventfd_id", counter->instead_of);
	if (name[poller])
		vhu_json_string(json, "poller", name[poller]);
	vhu_json_object_end(json);
}

/* Write a process. */
static void put_process(struct vhu_json *json, const char *key,
			const struct vhu_ring_process *process)
{
	const char state[2] = {process->state, '\0'};

	if (!process->known)
		return;
	vhu_json_object(json, key);
	vhu_json_unsigned(json, "pid", process->pid);
	vhu_json_string(json, "state", state);
	vhu_json_unsigned(json, "unread", process->unread);
	vhu_json_object_end(json);
}

/* Write a message by its number and its name. */
static void put_message(struct vhu_json *json, const char *number_key, const char *name_key,
			uint64_t number, enum vhu_message_id message)
{
	if (!number)
		return;
	vhu_json_unsigned(json, number_key, number);
	if (message < VHU_MESSAGES)
		vhu_json_string(json, name_key, vhu_messages[message].name);
}

/* Write what the session says. */
static void put_session(struct vhu_json *json, const struct vhu_ring_session *session)
{
	if (!session->known)
		return;
	vhu_json_object(json, "vring_state");
	vhu_json_bool(json, "started", session->started);
	vhu_json_bool(json, "enabled", session->enabled);
	vhu_json_bool(json, "polled", session->polled);
	put_message(json, "stopped_by", "stopped_message", session->stopped_by,
		    session->stopped_message);
	if (session->base_by) {
		vhu_json_unsigned(json, "base", session->base);
		vhu_json_unsigned(json, "base_by", session->base_by);
	}
	vhu_json_object_end(json);
}

/* Write what the newer sample says beside the ring's memory. */
static void put_sample(struct vhu_json *json, const struct vhu_ring_sample *sample)
{
	if (sample->look.fault != VHU_RING_FAULT_NONE) {
		vhu_json_object(json, "broken");
		vhu_json_unsigned(json, "head", sample->look.fault_head);
		vhu_json_string(json, "fault", vhu_ring_fault_text(sample->look.fault));
		vhu_json_unsigned(json, "descriptor", sample->look.fault_row);
		vhu_json_unsigned(json, "address", sample->look.fault_address);
		vhu_json_object_end(json);
	}
	put_process(json, "front_end", &sample->front_end);
	put_process(json, "back_end", &sample->back_end);
	put_process(json, "proxy", &sample->proxy);
	if (sample->view_known) {
		vhu_json_object(json, "view");
		vhu_json_unsigned(json, "available", sample->view_available);
		vhu_json_unsigned(json, "used", sample->view_used);
		vhu_json_object_end(json);
	}
	if (sample->pending.number) {
		vhu_json_object(json, "pending");
		put_message(json, "request_number", "message", sample->pending.number,
			    sample->pending.message);
		vhu_json_unsigned(json, "age_ns", sample->pending.age_ns);
		vhu_json_string(json, "from",
				sample->pending.from_back_end ? "back-end" : "front-end");
		vhu_json_object_end(json);
	}
}

/* Write what was counted since the session began. */
static void put_signals(struct vhu_json *json, const struct vhu_ring_signals *signals)
{
	if (!signals->known)
		return;
	vhu_json_object(json, "counted");
	vhu_json_unsigned(json, "kicks", signals->kicks);
	vhu_json_unsigned(json, "calls", signals->calls);
	vhu_json_unsigned(json, "kicks_in_turn", signals->in_turn);
	vhu_json_unsigned(json, "kicks_without_call", signals->open_kicks);
	if (signals->open_kicks)
		vhu_json_unsigned(json, "for_ns", signals->open_ns);
	vhu_json_bool(json, "kick_lost", signals->lost_kick);
	vhu_json_bool(json, "call_lost", signals->lost_call);
	vhu_json_object_end(json);
}

/* Write what is known of the vring as a whole. */
static void put_rest(struct vhu_json *json, const struct vhu_ring_evidence *evidence)
{
	const struct vhu_ring_probes *probes = &evidence->probes;

	put_session(json, &evidence->session);
	if (probes->known) {
		vhu_json_object(json, "probes");
		vhu_json_unsigned(json, "since_ns", probes->since_ns);
		vhu_json_unsigned(json, "until_ns", probes->until_ns);
		vhu_json_unsigned(json, "kicks", probes->kicks);
		vhu_json_unsigned(json, "wakes", probes->wakes);
		vhu_json_unsigned(json, "calls", probes->calls);
		vhu_json_object_end(json);
	}
	put_signals(json, &evidence->signals);
	if (evidence->waiting_since_known)
		vhu_json_unsigned(json, "waiting_since_ns", evidence->waiting_since_ns);
	if (evidence->dead.known) {
		vhu_json_object(json, "dead_eventfds");
		vhu_json_unsigned(json, "held", evidence->dead.held);
		vhu_json_unsigned(json, "resets", evidence->dead.resets);
		if (evidence->dead.since)
			vhu_json_unsigned(json, "since", evidence->dead.since);
		vhu_json_object_end(json);
	}
	if (evidence->mappings.known) {
		vhu_json_object(json, "mapping");
		vhu_json_bool(json, "private", evidence->mappings.private_map);
		vhu_json_bool(json, "other_file", evidence->mappings.other_file);
		vhu_json_string(json, "side",
				evidence->mappings.back_end ? "back-end" : "front-end");
		vhu_json_object_end(json);
	}
}

/* Write both samples in short. */
static void put_samples(struct vhu_json *json, const struct vhu_ring_evidence *evidence)
{
	vhu_json_array(json, "samples");
	for (unsigned i = 0; i < 2; i++) {
		const struct vhu_ring_sample *sample = &evidence->sample[i];

		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "monotonic_ns", sample->time_ns);
		if (!sample->ring_error) {
			vhu_show_ring_index(json, "available", "available_wrap",
					    sample->ring.available, sample->ring.packed);
			vhu_show_ring_index(json, "used", "used_wrap", sample->ring.used,
					    sample->ring.packed);
			vhu_json_unsigned(json, "waiting", sample->ring.waiting);
		}
		if (sample->kick.known)
			vhu_json_unsigned(json, "kick_count", sample->kick.count);
		if (sample->call.known)
			vhu_json_unsigned(json, "call_count", sample->call.count);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
}

void vhu_ring_evidence_json(struct vhu_json *json, const struct vhu_ring_evidence *evidence,
			    const struct vhu_ring_verdict *verdict)
{
	const struct vhu_ring_sample *sample = &evidence->sample[1];

	if (evidence->vring != VHU_RING_NO_VRING)
		vhu_json_unsigned(json, "vring", evidence->vring);
	put_verdict(json, evidence, verdict);
	if (evidence->vring == VHU_RING_NO_VRING) {
		put_sample(json, sample);
		return;
	}
	if (sample->ring_error)
		vhu_json_string(json, "error", strerror(-sample->ring_error));
	else
		put_ring(json, &sample->ring);
	put_counter(json, "kick", &sample->kick, evidence->kick_poller);
	put_counter(json, "call", &sample->call, evidence->call_poller);
	put_sample(json, sample);
	put_rest(json, evidence);
	put_samples(json, evidence);
}

/* Write the names of a descriptor's flags, which their text has with ", " between them. */
static void put_flags(struct vhu_json *json, uint16_t flags, bool packed)
{
	char text[64], *rest = text, *name;

	vhu_json_unsigned(json, "flags", flags);
	vhu_ring_flags_text(flags, packed, text, sizeof(text));
	vhu_json_array(json, "flags_names");
	while ((name = strtok_r(rest, ", ", &rest)))
		vhu_json_string(json, NULL, name);
	vhu_json_array_end(json);
}

/* Write the header of a request: as a text, and its fields. */
static void put_header(struct vhu_json *json, const struct vhu_ring_request *request,
		       const struct vhu_context *context)
{
	const struct vhu_payload payload = {
	    .bytes = request->bytes, .captured = request->size, .size = request->size};
	char text[VHU_RING_SHOW_TEXT];
	struct vhu_walk walk;
	struct vhu_item item;

	vhu_ring_request_text(request, context, text, sizeof(text));
	vhu_json_string(json, "header", text);
	vhu_json_object(json, "header_fields");
	vhu_walk_start(&walk, request->layout, &payload, context);
	while (vhu_walk_next(&walk, &item))
		if (item.what == VHU_ITEM_VALUE)
			vhu_show_field_json(json, &item, context);
	vhu_json_object_end(json);
}

void vhu_ring_chain_json(struct vhu_json *json, const struct vhu_ring_chain *chain, bool packed,
			 bool taken, const struct vhu_ring_request *request,
			 const struct vhu_context *context)
{
	vhu_json_object(json, NULL);
	vhu_json_unsigned(json, "head", chain->head);
	vhu_json_unsigned(json, "buffer_id", chain->id);
	vhu_json_bool(json, "taken", taken);
	vhu_json_unsigned(json, "descriptors", chain->descriptors);
	vhu_json_unsigned(json, "readable", chain->readable);
	vhu_json_unsigned(json, "writable", chain->writable);
	if (request)
		put_header(json, request, context);
	if (chain->fault != VHU_RING_FAULT_NONE)
		vhu_json_string(json, "fault", vhu_ring_fault_text(chain->fault));
	vhu_json_array(json, "buffers");
	for (uint32_t i = 0; i < chain->buffers && i < VHU_RING_BUFFERS_MAX; i++) {
		const struct vhu_ring_buffer *buffer = &chain->buffer[i];

		vhu_json_object(json, NULL);
		vhu_json_unsigned(json, "address", buffer->address);
		vhu_json_unsigned(json, "size", buffer->size);
		put_flags(json, buffer->flags, packed);
		vhu_json_bool(json, "indirect", buffer->indirect);
		vhu_json_bool(json, "mapped", buffer->mapped);
		if (buffer->untranslated)
			vhu_json_bool(json, "translated", false);
		vhu_json_object_end(json);
	}
	vhu_json_array_end(json);
	vhu_json_object_end(json);
}
