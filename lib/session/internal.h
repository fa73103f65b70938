/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lib/session share among themselves. */
#ifndef VHU_SESSION_INTERNAL_H
#define VHU_SESSION_INTERNAL_H

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

/* identify.c: which message a record is. */

/* Fill in a note's header, payload and direction. */
void vhu_annotation_take_apart(struct vhu_annotation *note, const struct vhu_record *record);

/*
 * Find out which message an id is: the row of the session's dialect or, where that is not @sure,
 * those whose sizes agree.
 * @except: this dialect is none of them; VHU_ANY: all may be.
 * @request, @reply: payload sizes; -1 not known.
 * Fills in note->message, note->or_message. Returns how many rows agree. A reply with which none
 * agrees gets the name that its request has by itself.
 */
unsigned vhu_annotation_identify(struct vhu_annotation *note, enum vhu_channel channel, bool sure,
				 enum vhu_dialect except, int64_t request, int64_t reply);

/* Say what a message is, of which dialect, which request it answers, what it points to. */
void vhu_annotate(struct vhu_check_context *check);

/* Choose the layout of a message that was identified, and find the vring it is about. */
void vhu_annotation_lay_out(struct vhu_annotation *note);

/* Return whether a request has an answer, as far as is known. */
enum vhu_answer vhu_annotation_answer(const struct vhu_annotation *note);

/* Find the row of another dialect that a message looks like, which has the id of its own dialect's
 * but not the size. @request: its payload's size, or -1. Returns NULL where there is none. */
const struct vhu_message *vhu_check_other_reading(const struct vhu_check_context *check,
						  int64_t request);

/* Return a layout's last field where that is repeated, so that the layout has no fixed size; else
 * NULL. */
const struct vhu_field *vhu_layout_repeats(const struct vhu_layout *layout);

/* Return whether a payload has a size that one of a set's layouts has. */
bool vhu_annotation_size_fits(const struct vhu_annotation *note, enum vhu_shapes_id shapes);

/* state.c: what messages change. */

/* Forget all of a state but its session's number, dialect and device: records are missing. */
void vhu_state_forget(struct vhu_state *state);

/* Free what a state holds. */
void vhu_state_free(struct vhu_state *state);

/* Remember a request that may be answered. Returns 0 or -ENOMEM. */
int vhu_state_ask(struct vhu_state *state, enum vhu_channel channel,
		  const struct vhu_pending *request);

/*
 * Take the oldest request of id @request out of those that wait: record @number answers it. Returns
 * whether there was one; *@skipped then is the oldest that an answer passes over for the first
 * time, if there is one.
 */
bool vhu_state_answer(struct vhu_state *state, enum vhu_channel channel, uint32_t request,
		      uint64_t number, struct vhu_pending *pending, struct vhu_pending *skipped);

/*
 * Note that the answer to the oldest unanswered @request was kept back: it stays unanswered. Where
 * the request was altered itself the answer is one that only the proxy had asked for.
 * Returns whether the answer is missed, and then in *@number the request's.
 */
bool vhu_state_withhold(struct vhu_state *state, enum vhu_channel channel, uint32_t request,
			uint64_t *number);

/* Note that the proxy has a hand in a record. */
void vhu_state_alter(struct vhu_state *state, uint64_t number);

/* Return whether a message takes the kick or call of a running vring away from it. */
bool vhu_vring_fd_is_replaced(const struct vhu_check_context *check, const struct vhu_vring *vring,
			      enum vhu_vring_role role);

/* Note that the back-end has taken all that was sent to it before record @number. */
void vhu_state_acknowledged(struct vhu_state *state, uint64_t number);

/* Change the state by a message, after it was checked. Returns 0 or -ENOMEM. */
int vhu_state_learn(struct vhu_check_context *check, uint32_t forced_device);

/* Return a region as a message has it at @base of its payload, with the @fd-th descriptor. */
struct vhu_region vhu_check_region(const struct vhu_check_context *check, uint32_t base,
				   unsigned fd);

/* Return an inflight area as a message has it. */
struct vhu_inflight_area vhu_check_inflight_area(const struct vhu_check_context *check);

/* Take a dialect, told by record @number, as the session's, unless a surer sign told another. */
void vhu_state_learn_dialect(struct vhu_state *state, enum vhu_dialect dialect, bool sure,
			     uint64_t number);

/* state_vring.c: what messages change in the session's vrings. */

/* Learn from a message about one vring, whose index is below VHU_VRINGS_MAX. Returns 0 or
 * -ENOMEM. */
int vhu_learn_vring(struct vhu_check_context *check);

/* Learn from a record of what happened on a vring. */
void vhu_learn_vring_event(struct vhu_check_context *check);

/* Stop and disable all vrings: the device was reset. */
void vhu_learn_reset(struct vhu_check_context *check);

/* state_object.c: what messages change in what the sides have named. */

/* Learn from a message about shared memory, crypto sessions or shared objects. Returns 0 or
 * -ENOMEM. */
int vhu_learn_object(struct vhu_check_context *check);

/* Forget all mappings of shared memory: the device was reset. */
void vhu_learn_unmapped(struct vhu_state *state);

/* Return a mapping, a shared object or the sizes of shared memory as a message has it. */
struct vhu_object vhu_check_mapping(const struct vhu_check_context *check);
struct vhu_object vhu_check_shared(const struct vhu_check_context *check);
struct vhu_shmem vhu_check_shmem(const struct vhu_check_context *check);

/* Return a crypto session as an object. */
struct vhu_object vhu_check_crypto_session(uint64_t id);

/* state_memory.c: what messages change in the session's memory. */

/* Take a memory table. In postcopy it may also be the u64 that ends the exchange of addresses.
 * Returns 0 or -ENOMEM. */
int vhu_learn_mem_table(struct vhu_check_context *check);

/* Take a region that is added or removed. Returns 0 or -ENOMEM. */
int vhu_learn_region(struct vhu_check_context *check, bool add);

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
