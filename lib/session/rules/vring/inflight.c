/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about the area that tracks requests in flight. */
#include <inttypes.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"
#include "lib/session/rules/vring/vring.h"
#include "lib/session/state/learn.h"

/* Bytes that each descriptor has in the area: "Inflight I/O tracking". */
#define ENTRY_SPLIT  16
#define ENTRY_PACKED 32

/* Look at the size of an inflight area that is set or told. */
static void check_inflight_size(struct vhu_check_context *check)
{
	uint64_t size = vhu_get(check, VHU_FIELD_inflight_mmap_size);
	uint64_t queues = vhu_get(check, VHU_FIELD_inflight_num_queues);
	uint64_t entries = vhu_get(check, VHU_FIELD_inflight_queue_size);
	const struct vhu_fd_info *fd = check->record->fds ? check->record->fd : NULL;
	uint64_t end = size + vhu_get(check, VHU_FIELD_inflight_mmap_offset);
	bool packed = false;
	uint64_t entry;

	/* A reply without a descriptor is a refusal. */
	if (!fd)
		return;
	entry = vhu_check_format(check, &packed) && packed ? ENTRY_PACKED : ENTRY_SPLIT;
	if (size < queues * entries * entry)
		vhu_report(check, VHU_RULE_AT_509, check->request.number,
			   "the inflight area has 0x%" PRIx64 " bytes; %" PRIu64
			   " queues of %" PRIu64 " need more than 0x%" PRIx64 "%s",
			   size, queues, entries, queues * entries * entry,
			   packed ? ": packed vrings have 32 bytes a descriptor" : "");
	else if ((fd->has & VHU_FD_HAS_SIZE) && fd->size && end > fd->size)
		vhu_report(check, VHU_RULE_AT_509, check->request.number,
			   "the inflight area ends at 0x%" PRIx64 " of its file of 0x%" PRIx64
			   " bytes",
			   end, fd->size);
}

/* Look at an area that is set against the one that the back-end gave. */
static void check_same_area(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;
	const struct vhu_inflight_area *gave = &state->inflight_area;
	const struct vhu_inflight_area set = vhu_check_inflight_area(check);
	const bool file =
	    gave->file.known && set.file.known &&
	    (gave->file.inode != set.file.inode || gave->file.device != set.file.device);

	if (!state->inflight_got.by ||
	    (!file && gave->size == set.size && gave->offset == set.offset &&
	     gave->queues == set.queues && gave->queue_size == set.queue_size))
		return;
	vhu_report(check, VHU_RULE_AT_520, state->inflight_got.by,
		   "%s sets 0x%" PRIx64 " bytes at 0x%" PRIx64 " for %u queue%s of %u%s; message "
		   "%" PRIu64 " gave 0x%" PRIx64 " bytes at 0x%" PRIx64 " for %u of %u",
		   check->note->message->name, set.size, set.offset, set.queues,
		   set.queues == 1 ? "" : "s", set.queue_size, file ? " of another file" : "",
		   state->inflight_got.by, gave->size, gave->offset, gave->queues,
		   gave->queue_size);
}

/* Look at when the area was given that is set: its size follows from the format of the vrings. */
static void check_format(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	if (check->whole && state->inflight_area.before_format &&
	    (state->features.offered.value >> VHU_F_RING_PACKED & 1) &&
	    vhu_report_first(check, VHU_RULE_AT_521))
		vhu_report(check, VHU_RULE_AT_521, state->inflight_got.by,
			   "%s sets the area of message %" PRIu64
			   ", which was given before any %s: the back-end, which offers packed "
			   "vrings, could not know how large the area has to be",
			   check->note->message->name, state->inflight_got.by,
			   vhu_messages[VHU_MSG_SET_FEATURES].name);
}

/* Look at when an inflight area is set. */
static void check_inflight(struct vhu_check_context *check)
{
	bool sized = false;

	check_inflight_size(check);
	check_same_area(check);
	check_format(check);
	for (unsigned i = 0; i < check->state->vrings; i++)
		sized |= check->state->vring[i].size.by != 0;
	if (!sized && check->whole && vhu_report_first(check, VHU_RULE_AT_510))
		vhu_report(check, VHU_RULE_AT_510, 0, "%s before any %s",
			   check->note->message->name, vhu_messages[VHU_MSG_SET_VRING_NUM].name);
}

void vhu_rules_inflight_start(struct vhu_check_context *check, int index,
			      const struct vhu_vring *vring)
{
	const struct vhu_state *state = check->state;

	if (!state->inflight.by)
		return;
	if ((uint32_t)index >= state->inflight.value)
		vhu_report(check, VHU_RULE_AT_518, state->inflight.by,
			   "vring %d starts, and the inflight area is for %" PRIu64 " queue%s",
			   index, state->inflight.value, state->inflight.value == 1 ? "" : "s");
	else if (vring->size.value > state->inflight_queue_size.value)
		vhu_report(check, VHU_RULE_AT_518, state->inflight.by,
			   "vring %d has size %" PRIu64
			   ", and the inflight area is for queues of %" PRIu64,
			   index, vring->size.value, state->inflight_queue_size.value);
}

void vhu_rules_inflight(struct vhu_check_context *check)
{
	switch (vhu_check_message(check)) {
	case VHU_REPLY_TO(GET_INFLIGHT_FD):
		check_inflight_size(check);
		break;
	case VHU_REQUEST(SET_INFLIGHT_FD):
		check_inflight(check);
		break;
	}
}
