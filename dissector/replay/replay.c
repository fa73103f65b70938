/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of the first pass.
 *
 * Ownership: frames and contexts live in wmem_file_scope, which Wireshark frees with the file; the
 * sessions are ours, freed when it says that the file is closed.
 */
#include "dissector/replay/replay.h"

#include <string.h>

#include "dissector/replay/stream.h"

/* Frames are kept in blocks, so that frames of other protocols in the file cost little memory. */
#define BLOCK 512

/* What is kept of a frame. */
struct vhu_replay_frame {
	uint32_t context; /* its place in `contexts` */
	uint32_t other;   /* of a reply: the request's frame; of a request: the reply's; 0 none */
	uint64_t delay_ns;
	uint32_t stream;
	uint32_t more; /* its place in `mores`, counted from 1; 0 none */
	bool clock_back;
};

/* What a message refers to, copied from its annotation. */
struct referred {
	uint64_t offer;
	uint64_t offered_by;
	unsigned places;
	struct vhu_place place[VHU_PLACES_MAX];
};

/* What is kept of a frame with findings, references or a change of state. */
struct more {
	unsigned founds;
	const struct vhu_found *found;
	const struct referred *referred;   /* NULL: nothing */
	const struct vhu_history *history; /* of its session, where the frame changed its state */
};

static struct vhu_sessions *sessions;
static wmem_array_t *blocks;   /* of struct vhu_replay_frame *, by number / BLOCK; NULL for none */
static wmem_array_t *contexts; /* of struct vhu_context, all different */
static wmem_map_t *places;     /* of a context in `contexts` + 1 */
static wmem_array_t *mores;    /* of struct more */
static uint32_t last;          /* the context stored last */
static uint32_t last_frame;    /* learnt */

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
static struct vhu_replay_frame *frame_at(uint32_t number, bool make)
{
	struct vhu_replay_frame *none = NULL, **block;

	if (!blocks)
		return NULL;
	while (make && wmem_array_get_count(blocks) <= number / BLOCK)
		wmem_array_append_one(blocks, none);
	if (wmem_array_get_count(blocks) <= number / BLOCK)
		return NULL;
	block = (struct vhu_replay_frame **)wmem_array_index(blocks, number / BLOCK);
	if (!*block && make)
		*block = wmem_alloc0_array(wmem_file_scope(), struct vhu_replay_frame, BLOCK);
	return *block ? *block + number % BLOCK : NULL;
}

void vhu_replay_begin(enum vhu_dialect dialect, uint32_t device)
{
	vhu_replay_end();
	sessions = vhu_sessions_new(true);
	if (!sessions)
		return;
	vhu_sessions_force_dialect(sessions, dialect);
	vhu_sessions_force_device(sessions, device);
	blocks = wmem_array_new(wmem_file_scope(), sizeof(struct vhu_replay_frame *));
	contexts = wmem_array_new(wmem_file_scope(), sizeof(struct vhu_context));
	places = wmem_map_new(wmem_file_scope(), hash_context, equal_contexts);
	mores = wmem_array_new(wmem_file_scope(), sizeof(struct more));
	vhu_stream_begin();
	vhu_history_begin();
}

void vhu_replay_end(void)
{
	vhu_sessions_free(sessions);
	sessions = NULL;
	blocks = NULL;
	contexts = NULL;
	places = NULL;
	mores = NULL;
	last = 0;
	last_frame = 0;
}

/* Return a printable copy of a text: names of processes come from the capture. */
static const char *keep_text(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			return ws_printable(wmem_file_scope(), text, strlen(text));
	return wmem_strdup(wmem_file_scope(), text);
}

/* Return a copy of an annotation's findings, to be kept. */
static const struct vhu_found *keep_findings(const struct vhu_annotation *note)
{
	struct vhu_found *found;

	if (!note->findings)
		return NULL;
	found = wmem_alloc_array(wmem_file_scope(), struct vhu_found, note->findings);
	for (unsigned i = 0; i < note->findings; i++) {
		const struct vhu_finding *finding = &note->finding[i];

		found[i].rule = finding->rule;
		found[i].text = keep_text(finding->text);
		for (unsigned j = 0; j < VHU_FINDING_OTHERS_MAX; j++)
			found[i].other[j] = (uint32_t)finding->other[j];
	}
	return found;
}

/* Return a copy of what an annotation refers to, to be kept. */
static const struct referred *keep_referred(const struct vhu_annotation *note)
{
	struct referred *referred = wmem_new(wmem_file_scope(), struct referred);

	*referred = (struct referred){note->offer, note->offered_by, note->places, {{0}}};
	memcpy(referred->place, note->place, sizeof(referred->place));
	return referred;
}

/* Keep a frame's findings, references and history. @history: NULL if the frame did not change its
 * session's state. */
static void keep_more(struct vhu_replay_frame *frame, const struct vhu_annotation *note,
		      const struct vhu_history *history)
{
	struct more more = {note->findings, keep_findings(note), NULL, history};

	if (note->places || note->offered_by)
		more.referred = keep_referred(note);
	if (!more.founds && !more.referred && !history)
		return;
	wmem_array_append_one(mores, more);
	frame->more = wmem_array_get_count(mores);
}

/* Return what is kept of a frame beside its annotation. */
static void tell(const struct vhu_replay_frame *frame, struct vhu_learnt *learnt)
{
	const struct more *more;

	learnt->stream = frame->stream;
	if (!learnt->note.reply)
		learnt->reply = frame->other;
	if (!frame->more)
		return;
	more = (const struct more *)wmem_array_index(mores, frame->more - 1);
	learnt->founds = more->founds;
	learnt->found = more->found;
	learnt->history = more->history;
	if (!more->referred)
		return;
	learnt->note.offered_by = more->referred->offered_by;
	learnt->note.offer = more->referred->offer;
	learnt->note.places = more->referred->places;
	memcpy(learnt->note.place, more->referred->place, sizeof(learnt->note.place));
}

void vhu_replay_learn(const struct vhu_record *record, uint32_t number, struct vhu_learnt *learnt)
{
	struct vhu_annotation *note = &learnt->note;
	struct vhu_history **history;
	struct vhu_replay_frame *frame, *request;
	bool changed;

	if (!sessions || number <= last_frame) {
		vhu_replay_recall(record, number, learnt);
		return;
	}
	last_frame = number;
	*learnt = (struct vhu_learnt){0};
	vhu_session_feed(sessions, record, number, note);
	frame = frame_at(number, true);
	frame->context = place_of(&note->context);
	frame->stream = vhu_stream_learn(record, number, &history);
	changed = vhu_history_learn(history, note, number) ||
		  (record->type == VHU_RECORD_CLOSED && record->channel == VHU_FRONT_END);
	keep_more(frame, note, changed ? *history : NULL);
	if (note->request_number) {
		frame->other = (uint32_t)note->request_number;
		frame->delay_ns = note->delay_ns;
		frame->clock_back = note->clock_back;
		request = frame_at(frame->other, false);
		if (request)
			request->other = number;
	}
	tell(frame, learnt);
}

/* Set in @context what its session revealed later, which may be surer than what was known then. */
static void complete(struct vhu_context *context, uint64_t session)
{
	enum vhu_dialect dialect = vhu_sessions_dialect(sessions, session);
	uint32_t device = vhu_sessions_device(sessions, session);

	if (dialect != VHU_ANY)
		context->dialect = dialect;
	if (device)
		context->device = device;
}

void vhu_replay_recall(const struct vhu_record *record, uint32_t number, struct vhu_learnt *learnt)
{
	const struct vhu_replay_frame *frame = frame_at(number, false);
	struct vhu_context context = {0};

	*learnt = (struct vhu_learnt){0};
	if (frame)
		context = *context_at(frame->context);
	if (sessions)
		complete(&context, record->session);
	vhu_annotation_again(&learnt->note, record, &context);
	if (!frame)
		return;
	if (learnt->note.reply && frame->other) {
		learnt->note.request_number = frame->other;
		learnt->note.delay_ns = frame->delay_ns;
		learnt->note.clock_back = frame->clock_back;
	}
	tell(frame, learnt);
}
