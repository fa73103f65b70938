/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the first pass learnt.
 *
 * Ownership: frames and contexts live in wmem_file_scope, which Wireshark frees with the file; the
 * sessions are ours, freed when it says that the file is closed.
 */
#include "dissector/memory.h"

#include <string.h>

#include "dissector/ws_compat.h"

/* Frames are kept in blocks, so that those of other protocols in the file cost little. */
#define BLOCK 512

/* What is kept of a frame. */
struct frame {
	uint32_t context; /* its place in `contexts` */
	uint32_t other;   /* of a reply: the request's frame; of a request: the reply's; 0 none */
	uint64_t delay_ns;
};

static struct vhu_sessions *sessions;
static wmem_array_t *blocks;   /* of struct frame *, by number / BLOCK; NULL where there is none */
static wmem_array_t *contexts; /* of struct vhu_context, all different */
static wmem_map_t *places;     /* of a context in `contexts` + 1 */
static uint32_t last;          /* the context stored last */
static uint32_t learnt;        /* the last frame */

/* Return a hash of a context, as wmem_map wants it. Contexts are compared as bytes: what lies
 * between their members was zeroed with the session and is copied with them. */
static unsigned hash_context(const void *context)
{
	return wmem_strong_hash(context, sizeof(struct vhu_context));
}

/* Return whether two contexts are equal, as wmem_map wants it. */
static gboolean equal_contexts(const void *one, const void *other)
{
	return !memcmp(one, other, sizeof(struct vhu_context));
}

/* Return the context stored at @place. */
static const struct vhu_context *context_at(uint32_t place)
{
	return (const struct vhu_context *)wmem_array_index(contexts, place);
}

/* Return the place of a context, storing it if it is new. */
static uint32_t place_of(const struct vhu_context *context)
{
	uint32_t place;

	if (wmem_array_get_count(contexts) && equal_contexts(context_at(last), context))
		return last;
	place = GPOINTER_TO_UINT(wmem_map_lookup(places, context));
	if (place)
		return last = place - 1;
	context = wmem_memdup(wmem_file_scope(), context, sizeof(*context));
	wmem_array_append_one(contexts, *context);
	last = wmem_array_get_count(contexts) - 1;
	wmem_map_insert(places, context, GUINT_TO_POINTER(last + 1));
	return last;
}

/* Return what is kept of frame @number, making room for it if @make; NULL without. */
static struct frame *frame_at(uint32_t number, bool make)
{
	struct frame *none = NULL, **block;

	if (!blocks)
		return NULL;
	while (make && wmem_array_get_count(blocks) <= number / BLOCK)
		wmem_array_append_one(blocks, none);
	if (wmem_array_get_count(blocks) <= number / BLOCK)
		return NULL;
	block = (struct frame **)wmem_array_index(blocks, number / BLOCK);
	if (!*block && make)
		*block = wmem_alloc0_array(wmem_file_scope(), struct frame, BLOCK);
	return *block ? *block + number % BLOCK : NULL;
}

void vhu_memory_begin(enum vhu_dialect dialect, uint32_t device)
{
	vhu_memory_end();
	sessions = vhu_sessions_new(true);
	if (!sessions)
		return;
	vhu_sessions_force_dialect(sessions, dialect);
	vhu_sessions_force_device(sessions, device);
	blocks = wmem_array_new(wmem_file_scope(), sizeof(struct frame *));
	contexts = wmem_array_new(wmem_file_scope(), sizeof(struct vhu_context));
	places = wmem_map_new(wmem_file_scope(), hash_context, equal_contexts);
}

void vhu_memory_end(void)
{
	vhu_sessions_free(sessions);
	sessions = NULL;
	blocks = NULL;
	contexts = NULL;
	places = NULL;
	last = 0;
	learnt = 0;
}

void vhu_memory_learn(const struct vhu_record *record, uint32_t number, struct vhu_note *note)
{
	struct frame *frame, *request;

	if (!sessions || number <= learnt) {
		uint32_t reply;

		vhu_memory_recall(record, number, note, &reply);
		return;
	}
	learnt = number;
	vhu_session_feed(sessions, record, number, note);
	frame = frame_at(number, true);
	frame->context = place_of(&note->context);
	if (!note->request_number)
		return;
	frame->other = (uint32_t)note->request_number;
	frame->delay_ns = note->delay_ns;
	request = frame_at(frame->other, false);
	if (request)
		request->other = number;
}

/* Set in @context what its session told later, which may be surer than what it had told then. */
static void complete(struct vhu_context *context, uint64_t session)
{
	enum vhu_dialect dialect = vhu_sessions_dialect(sessions, session);
	uint32_t device = vhu_sessions_device(sessions, session);

	if (dialect != VHU_ANY)
		context->dialect = dialect;
	if (device)
		context->device = device;
}

void vhu_memory_recall(const struct vhu_record *record, uint32_t number, struct vhu_note *note,
		       uint32_t *reply)
{
	const struct frame *frame = frame_at(number, false);
	struct vhu_context context = {0};

	*note = (struct vhu_note){0};
	*reply = 0;
	if (frame)
		context = *context_at(frame->context);
	if (sessions)
		complete(&context, record->session);
	vhu_note_again(note, record, &context);
	if (!frame || !frame->other)
		return;
	if (note->reply) {
		note->request_number = frame->other;
		note->delay_ns = frame->delay_ns;
	} else {
		*reply = frame->other;
	}
}
