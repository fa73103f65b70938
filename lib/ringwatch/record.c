/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot of a vring for a capture. */
#include "lib/ringwatch/record.h"

#include "lib/protocol/line.h"

/* Copy the verdict. */
static void put_verdict(struct vhu_vring_snapshot *snapshot, const struct vhu_ring_verdict *verdict,
			struct vhu_ringwatch_room *room)
{
	struct vhu_line line = vhu_line_in(room->alternatives, sizeof(room->alternatives));
	struct vhu_line title = vhu_line_in(room->title, sizeof(room->title));

	vhu_line_add(&title, vhu_ring_verdicts[verdict->id].title);
	for (unsigned i = 0; i < verdict->alternatives; i++) {
		const struct vhu_ring_verdict_row *row =
		    &vhu_ring_verdicts[verdict->alternative[i]];

		vhu_line_printf(&line, "%s%s", i ? " " : "", row->id);
		vhu_line_printf(&title, ", or %s", row->title);
	}
	snapshot->hangs = verdict->hangs;
	snapshot->verdict = vhu_ring_verdicts[verdict->id].id;
	snapshot->title = room->title;
	snapshot->alternatives = room->alternatives;
	snapshot->text = verdict->text;
}

/* Copy what the ring held. */
static void put_ring(struct vhu_vring_snapshot *snapshot, const struct vhu_ring_snapshot *ring)
{
	snapshot->has |= VHU_SNAPSHOT_HAS_RING;
	if (ring->event_idx)
		snapshot->has |= VHU_SNAPSHOT_HAS_EVENTS;
	if (ring->inflight.known)
		snapshot->has |= VHU_SNAPSHOT_HAS_IN_FLIGHT;
	snapshot->packed = ring->packed;
	snapshot->size = ring->size;
	snapshot->available = ring->available;
	snapshot->used = ring->used;
	snapshot->waiting = ring->waiting;
	snapshot->driver_flags = ring->driver_flags;
	snapshot->driver_event = ring->driver_event;
	snapshot->device_flags = ring->device_flags;
	snapshot->device_event = ring->device_event;
	snapshot->in_flight = ring->inflight.known ? ring->inflight.count : 0;
}

/* Copy an eventfd; @bit says that it is known. */
static void put_eventfd(struct vhu_vring_snapshot *snapshot, enum vhu_snapshot_has bit,
			struct vhu_snapshot_eventfd *to, const struct vhu_ring_counter *from)
{
	if (!from->known)
		return;
	snapshot->has |= bit;
	*to = (struct vhu_snapshot_eventfd){from->id, from->count};
}

/* Copy a process; @bit says that it is known. */
static void put_process(struct vhu_vring_snapshot *snapshot, enum vhu_snapshot_has bit,
			struct vhu_snapshot_process *to, const struct vhu_ring_process *from)
{
	if (!from->known)
		return;
	snapshot->has |= bit;
	*to = (struct vhu_snapshot_process){from->pid, from->state, from->unread};
}

/* Copy the request on the socket that has no reply. */
static void put_pending(struct vhu_vring_snapshot *snapshot, const struct vhu_ring_pending *pending)
{
	if (!pending->number)
		return;
	snapshot->has |= VHU_SNAPSHOT_HAS_PENDING;
	snapshot->pending_request =
	    pending->message < VHU_MESSAGES ? vhu_messages[pending->message].request : 0;
	snapshot->pending_of_back_end = pending->from_back_end;
	snapshot->pending_ns = pending->age_ns;
}

/* Copy a request. */
static void put_request(struct vhu_snapshot_request *to, const struct vhu_ring_chain *chain,
			bool taken)
{
	*to = (struct vhu_snapshot_request){
	    .head = chain->head,
	    .id = chain->id,
	    .taken = taken,
	    .descriptors = chain->descriptors,
	    .buffers = chain->buffers,
	    .readable = chain->readable,
	    .writable = chain->writable,
	    .fault = chain->fault == VHU_RING_FAULT_NONE ? "" : vhu_ring_fault_text(chain->fault),
	};
	for (; to->listed < chain->buffers && to->listed < VHU_SNAPSHOT_BUFFERS_MAX; to->listed++) {
		const struct vhu_ring_buffer *buffer = &chain->buffer[to->listed];

		to->buffer[to->listed] = (struct vhu_snapshot_buffer){
		    buffer->address,  buffer->size,    buffer->flags,
		    buffer->indirect, !buffer->mapped, buffer->untranslated};
	}
}

/* List the oldest requests. */
static void put_requests(struct vhu_vring_snapshot *snapshot,
			 const struct vhu_ring_evidence *evidence,
			 const struct vhu_ring_memory *memory, struct vhu_ringwatch_room *room)
{
	const struct vhu_ring_snapshot *ring = &evidence->sample[1].ring;
	struct vhu_ring_request header;
	struct vhu_ring_chain chain;
	uint32_t cursor = 0;
	bool taken;

	while (snapshot->requests < VHU_SNAPSHOT_REQUESTS_MAX &&
	       vhu_ring_chain_next(memory, ring, &cursor, &chain, &taken)) {
		char *text = room->header[snapshot->requests];
		struct vhu_snapshot_request *request = &room->request[snapshot->requests++];

		put_request(request, &chain, taken);
		*text = '\0';
		if (evidence->context &&
		    !vhu_ring_request_read(memory, ring, &chain, evidence->context, evidence->vring,
					   &header))
			vhu_ring_request_text(&header, evidence->context, text,
					      VHU_RECORD_TEXT_MAX + 1);
		request->header = text;
	}
	snapshot->request = room->request;
}

struct vhu_vring_snapshot vhu_ringwatch_record(const struct vhu_ring_evidence *evidence,
					       const struct vhu_ring_verdict *verdict,
					       const struct vhu_ring_memory *memory,
					       enum vhu_snapshot_reason reason,
					       struct vhu_ringwatch_room *room)
{
	const struct vhu_ring_sample *sample = &evidence->sample[1];
	struct vhu_vring_snapshot snapshot = {.reason = reason, .vring = evidence->vring};

	if (verdict)
		put_verdict(&snapshot, verdict, room);
	if (sample->ring_error)
		snapshot.error = (uint32_t)-sample->ring_error;
	else
		put_ring(&snapshot, &sample->ring);
	put_eventfd(&snapshot, VHU_SNAPSHOT_HAS_KICK, &snapshot.kick, &sample->kick);
	put_eventfd(&snapshot, VHU_SNAPSHOT_HAS_CALL, &snapshot.call, &sample->call);
	put_process(&snapshot, VHU_SNAPSHOT_HAS_FRONT_END, &snapshot.front_end, &sample->front_end);
	put_process(&snapshot, VHU_SNAPSHOT_HAS_BACK_END, &snapshot.back_end, &sample->back_end);
	put_pending(&snapshot, &sample->pending);
	if (evidence->waiting_since_known) {
		snapshot.has |= VHU_SNAPSHOT_HAS_AGE;
		snapshot.age_ns = evidence->waiting_since_ns;
	}
	if (!sample->ring_error && memory)
		put_requests(&snapshot, evidence, memory, room);
	return snapshot;
}
