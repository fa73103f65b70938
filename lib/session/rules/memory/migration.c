/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about migration: the log, device state, postcopy. */
#include <inttypes.h>

#include "lib/session/rules/check.h"
#include "lib/session/rules/report.h"

#define LOG_PAGE 4096

/* "Device state transfer parameters" */
enum { STATE_SAVE, STATE_LOAD };
#define STATE_STOPPED 0

/* Look at the log's size. */
static void check_log(struct vhu_check_context *check)
{
	const struct vhu_fd_info *fd = check->record->fds ? check->record->fd : NULL;
	const uint64_t offset = vhu_get(check, VHU_FIELD_log_offset);
	const struct vhu_state *state = check->state;
	uint64_t size = vhu_get(check, VHU_FIELD_log_size), highest = 0;

	if (check->note->layout != &vhu_layouts[VHU_LAYOUT_log])
		return;
	if (fd && (fd->has & VHU_FD_HAS_SIZE) && fd->size &&
	    (offset > fd->size || size > fd->size - offset))
		vhu_report(check, VHU_RULE_AT_522, 0,
			   "the log, 0x%" PRIx64 " bytes at offset 0x%" PRIx64
			   ", ends beyond its file of 0x%" PRIx64 " bytes",
			   size, offset, fd->size);
	for (unsigned i = 0; i < state->regions; i++) {
		uint64_t end = state->region[i].guest_address + state->region[i].size;

		highest = end > highest ? end : highest;
	}
	/* One bit a page, in whole bytes. */
	if (highest && size < (highest / LOG_PAGE + 7) / 8)
		vhu_report(check, VHU_RULE_AT_513, state->memory.by,
			   "the log has 0x%" PRIx64
			   " bytes; one bit for each page of memory up to 0x%" PRIx64
			   " makes 0x%" PRIx64,
			   size, highest, (highest / LOG_PAGE + 7) / 8);
}

/* Look at a transfer of state that is asked for. */
static void check_state_values(struct vhu_check_context *check)
{
	uint64_t direction = vhu_get(check, VHU_FIELD_device_state_direction);
	uint64_t phase = vhu_get(check, VHU_FIELD_device_state_phase);

	if (direction > STATE_LOAD || phase != STATE_STOPPED)
		vhu_report(check, VHU_RULE_AT_626, 0,
			   "%s has direction %" PRIu64 " and phase %" PRIu64
			   ": there are directions 0 and 1, and phase 0",
			   check->note->message->name, direction, phase);
}

/* Look for a transfer of state without a request for its outcome. */
static void check_unchecked(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	if (state->transfer.by > state->transfer_check.by &&
	    vhu_report_first(check, VHU_RULE_AT_625))
		vhu_report(check, VHU_RULE_AT_625, state->transfer.by,
			   "the transfer of state that message %" PRIu64
			   " accepted was never checked by %s",
			   state->transfer.by, vhu_messages[VHU_MSG_CHECK_DEVICE_STATE].name);
}

/* Look at the transfer of a device's state. */
static void check_state(struct vhu_check_context *check)
{
	unsigned running = vhu_state_running(check->state);

	if (!check->note->reply) {
		check_state_values(check);
		check_unchecked(check);
		if (running)
			vhu_report(check, VHU_RULE_AT_607, 0,
				   "%s while %u vring%s: the state still changes",
				   check->note->message->name, running,
				   running > 1 ? "s run" : " runs");
		return;
	}
	if (!check->record->fds && !vhu_get(check, VHU_FIELD_device_state_reply_error) &&
	    !vhu_get(check, VHU_FIELD_device_state_reply_nofd) &&
	    !(check->record->marks & VHU_MARK_TRUNCATED))
		vhu_report(
		    check, VHU_RULE_AT_608, check->request.number,
		    "the reply to %s says by bit 8 that it brings a descriptor, and brings none",
		    check->note->message->name);
	else if (vhu_get(check, VHU_FIELD_device_state_reply_error) && check->record->fds)
		vhu_report(check, VHU_RULE_AT_608, check->request.number,
			   "the reply to %s has error %" PRIu64 " and a descriptor",
			   check->note->message->name,
			   vhu_get(check, VHU_FIELD_device_state_reply_error));
}

/* Look at the order of postcopy. */
static void check_postcopy(struct vhu_check_context *check)
{
	switch (vhu_check_message(check)) {
	case VHU_REQUEST(POSTCOPY_LISTEN):
		if (check->whole && !check->state->postcopy_advised.by)
			vhu_report(check, VHU_RULE_AT_609, 0, "%s before %s",
				   check->note->message->name,
				   vhu_messages[VHU_MSG_POSTCOPY_ADVISE].name);
		break;
	case VHU_REQUEST(POSTCOPY_END):
		if (check->whole && !check->state->context.postcopy)
			vhu_report(check, VHU_RULE_AT_609, 0, "%s before %s",
				   check->note->message->name,
				   vhu_messages[VHU_MSG_POSTCOPY_LISTEN].name);
		break;
	}
}

void vhu_rules_migration(struct vhu_check_context *check)
{
	const struct vhu_state *state = check->state;

	switch (vhu_check_message(check)) {
	case VHU_REQUEST(SET_LOG_BASE):
		check_log(check);
		break;
	case VHU_REQUEST(SET_DEVICE_STATE_FD):
	case VHU_REPLY_TO(SET_DEVICE_STATE_FD):
		check_state(check);
		break;
	case VHU_REQUEST(CHECK_DEVICE_STATE):
		/* Without DEVICE_STATE it may be another dialect's GET_MIN_VQ. */
		if (check->whole && !state->transfer.by && vhu_taken(check, VHU_PF_DEVICE_STATE))
			vhu_report(check, VHU_RULE_AT_624, 0, "%s, and no state was transferred",
				   check->note->message->name);
		break;
	case VHU_REQUEST(SET_VRING_KICK):
		check_unchecked(check);
		break;
	case VHU_REQUEST(POSTCOPY_LISTEN):
	case VHU_REQUEST(POSTCOPY_END):
		check_postcopy(check);
		break;
	}
}

void vhu_rules_migration_end(struct vhu_check_context *check)
{
	check_unchecked(check);
}
