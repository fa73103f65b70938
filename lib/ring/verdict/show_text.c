/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vring, its requests and the verdict on it as text. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/protocol/line.h"
#include "lib/ring/verdict/show.h"
#include "lib/util/duration.h"

/* Add a counter, if it is known. */
static void add_counter(struct vhu_line *line, const char *what,
			const struct vhu_ring_counter *counter)
{
	if (counter->known)
		vhu_line_printf(line, ", %s %" PRIu64, what, counter->count);
	else if (counter->interposed)
		vhu_line_printf(line, ", %s not known", what);
	if (counter->interposed)
		vhu_line_add(line, " (interposed)");
}

int vhu_ring_numbers_text(const struct vhu_ring_evidence *evidence, char *to, size_t size)
{
	const struct vhu_ring_sample *sample = &evidence->sample[1];
	const struct vhu_ring_snapshot *ring = &sample->ring;
	struct vhu_line line = vhu_line_in(to, size);
	char age[VHU_DURATION_TEXT_SIZE];

	vhu_line_printf(&line, "vring %u: ", evidence->vring);
	if (sample->ring_error) {
		vhu_line_printf(&line, "memory not read: %s",
				sample->ring_error == -ENXIO ? "no translation of its addresses"
							     : strerror(-sample->ring_error));
	} else if (ring->packed) {
		vhu_line_printf(&line,
				"packed, size %" PRIu32
				", available %u wrap %u, used %u wrap %u, %" PRIu32 " waiting",
				ring->size, ring->available & 0x7fff, ring->available >> 15,
				ring->used & 0x7fff, ring->used >> 15, ring->waiting);
	} else {
		vhu_line_printf(
		    &line, "split, size %" PRIu32 ", available %u, used %u, %" PRIu32 " waiting",
		    ring->size, ring->available, ring->used, ring->waiting);
	}
	if (!sample->ring_error && ring->inflight.known)
		vhu_line_printf(&line, ", %" PRIu32 " in flight", ring->inflight.count);
	add_counter(&line, "kick", &sample->kick);
	add_counter(&line, "call", &sample->call);
	if (evidence->waiting_since_known)
		vhu_line_printf(&line, ", oldest %s",
				vhu_duration_text(evidence->waiting_since_ns, age));
	return (int)line.length;
}

int vhu_ring_verdict_text(unsigned vring, const struct vhu_ring_verdict *verdict, char *to,
			  size_t size)
{
	const struct vhu_ring_verdict_row *row = &vhu_ring_verdicts[verdict->id];
	struct vhu_line line = vhu_line_in(to, size);

	if (vring != VHU_RING_NO_VRING)
		vhu_line_printf(&line, "vring %u: ", vring);
	vhu_line_add(&line, verdict->text);
	if (verdict->id == VHU_RING_MOVING || verdict->id == VHU_RING_UNREAD)
		return (int)line.length;
	vhu_line_printf(&line, ": %s (%s)", row->title, row->id);
	for (unsigned i = 0; i < verdict->alternatives; i++) {
		row = &vhu_ring_verdicts[verdict->alternative[i]];
		vhu_line_printf(&line, ", or %s (%s)", row->title, row->id);
	}
	/* For an idle vring the alternatives need no telling apart. */
	if (verdict->hangs && *vhu_ring_verdict_apart(verdict))
		vhu_line_printf(&line, "; to tell them apart: %s", vhu_ring_verdict_apart(verdict));
	return (int)line.length;
}

int vhu_ring_advice_text(const struct vhu_ring_evidence *evidence,
			 const struct vhu_ring_verdict *verdict, enum vhu_ring_verdict_id id,
			 char *to, size_t size)
{
	const struct vhu_ring_verdict_row *row = &vhu_ring_verdicts[id];
	struct vhu_line line = vhu_line_in(to, size);

	if (id == verdict->id && verdict->advice) {
		vhu_line_add(&line, verdict->advice);
		return (int)line.length;
	}
	vhu_line_add(&line, row->advice);
	if (!evidence->control || !*row->unstick)
		return (int)line.length;
	vhu_line_add(&line, "; `vhu ctl -s ");
	vhu_line_foreign(&line, evidence->control, strlen(evidence->control), "");
	vhu_line_printf(&line, " %s", row->unstick);
	if (evidence->at_control)
		vhu_line_printf(&line, " %" PRIu64 " %u", evidence->at_control, evidence->vring);
	vhu_line_add(&line, "` unsticks the guest");
	return (int)line.length;
}

int vhu_ring_chain_text(const struct vhu_ring_chain *chain, bool packed, bool taken, char *to,
			size_t size)
{
	struct vhu_line line = vhu_line_in(to, size);
	char flags[64];

	vhu_line_printf(&line, "head %u, %s, %" PRIu32 " buffer%s", chain->head,
			taken ? "in flight" : "waiting", chain->buffers,
			chain->buffers == 1 ? "" : "s");
	for (uint32_t i = 0; i < chain->buffers && i < VHU_RING_BUFFERS_MAX; i++) {
		const struct vhu_ring_buffer *buffer = &chain->buffer[i];

		vhu_line_printf(&line, "%s0x%" PRIx64 " %" PRIu32, i ? ", " : ": ", buffer->address,
				buffer->size);
		vhu_ring_flags_text(buffer->flags, packed, flags, sizeof(flags));
		if (*flags)
			vhu_line_printf(&line, " (%s)", flags);
		if (!buffer->mapped)
			vhu_line_add(&line,
				     buffer->untranslated ? " not translated" : " outside memory");
	}
	if (chain->buffers > VHU_RING_BUFFERS_MAX)
		vhu_line_printf(&line, " and %" PRIu32 " more",
				chain->buffers - VHU_RING_BUFFERS_MAX);
	if (chain->fault != VHU_RING_FAULT_NONE)
		vhu_line_printf(&line, "; it %s at descriptor %" PRIu32,
				vhu_ring_fault_text(chain->fault), chain->fault_row);
	return (int)line.length;
}
