/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as it is looked at, and what can be asked about it: for what learns from it, and for the
 * rules. */
#ifndef VHU_SESSION_CHECK_CONTEXT_H
#define VHU_SESSION_CHECK_CONTEXT_H

#include "lib/protocol/walk.h"
#include "lib/session/annotation.h"

/* More findings at one record are dropped. */
#define VHU_FINDINGS_MAX 64

/* One record as it is looked at: everything that checks and updates need. */
struct vhu_check_context {
	struct vhu_state *state;
	const struct vhu_record *record;
	struct vhu_annotation *note;
	uint64_t number;
	struct vhu_pending request; /* a reply: what it answers, number 0: nothing */
	struct vhu_pending skipped; /* a reply: an older one that it passes over, or number 0 */
	bool withheld;              /* a reply that the proxy kept back, and that is missed */
	bool whole;                 /* the capture has the session from its beginning */
	bool goes_on;               /* the capture ends, and its writer has not ended it */
	uint64_t late_ns, drain_ns;
	struct vhu_finding *finding; /* room for VHU_FINDINGS_MAX */
	unsigned findings;
};

/* Return a fact that the record tells. */
static inline struct vhu_told vhu_told(const struct vhu_check_context *check, uint64_t value)
{
	return (struct vhu_told){value, check->number};
}

/* Return the value of a field of the note's payload, 0 where it is not there. */
static inline uint64_t vhu_get(const struct vhu_check_context *check, enum vhu_field_id field)
{
	uint64_t value = 0;

	vhu_field_read(&check->note->payload, field, 0, &value);
	return value;
}

/* Return whether all fields of the note's message can be read: it has the size for them, and the
 * capture holds them. */
static inline bool vhu_check_has_fields(const struct vhu_check_context *check)
{
	const struct vhu_annotation *note = check->note;

	return note->message && note->layout && note->payload.captured >= note->layout->size;
}

/* Return which message is looked at, as its id doubled, plus 1 for its reply: for switches. */
#define VHU_REQUEST(name)  ((int)VHU_MSG_##name << 1)
#define VHU_REPLY_TO(name) ((int)VHU_MSG_##name << 1 | 1)
static inline int vhu_check_message(const struct vhu_check_context *check)
{
	const struct vhu_message *message = check->note->message;

	return message ? (int)message->id << 1 | check->note->reply : -1;
}

/* Return whether the format of rings is known, and in *@packed which it is. */
static inline bool vhu_check_format(const struct vhu_check_context *check, bool *packed)
{
	*packed = check->state->context.features >> VHU_F_RING_PACKED & 1;
	return check->state->context.has_features;
}

/* Return whether a protocol feature is negotiated; false where that is not known. */
static inline bool vhu_taken(const struct vhu_check_context *check, unsigned bit)
{
	return check->state->context.protocol_features >> bit & 1;
}

#endif
