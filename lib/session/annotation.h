/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record means: which message it is, how its payload lies, which request it answers, where
 * in memory it points, and which rules it breaks. */
#ifndef VHU_SESSION_ANNOTATION_H
#define VHU_SESSION_ANNOTATION_H

#include "lib/protocol/field.h"
#include "lib/session/rules/rules.h"
#include "lib/session/state/state.h"

/* Where something that a message names lies. */
struct vhu_place {
	const char *what; /* "descriptor area" */
	unsigned region;  /* its place in the session's memory */
	uint64_t offset;  /* bytes, from the region's beginning */
	uint64_t length;  /* bytes; 0 not known: nothing told the vring's size */
};
#define VHU_PLACES_MAX 3
#define VHU_READ_BY    5

/* Whether a request stays without its answer, as far as a capture goes. */
enum vhu_unanswered {
	VHU_UNANSWERED_NOT,   /* not so, or not known */
	VHU_UNANSWERED_NEVER, /* the session or the channel ends without it */
	VHU_UNANSWERED_STILL, /* the capture ends before the session does */
};

/* What a record of type VHU_RECORD_MESSAGE means. For other types all but `context` is zero. */
struct vhu_annotation {
	bool has_header; /* all 12 bytes of it are there */
	struct vhu_header header;
	struct vhu_payload payload; /* what follows the header; lasts as long as the record */

	bool reply;
	const struct vhu_message *message;    /* NULL: an id that no dialect knows */
	const struct vhu_message *or_message; /* or this one: nothing told the dialect yet */
	const struct vhu_layout *layout;      /* of the payload; NULL without message */
	struct vhu_context context;           /* what was known when it passed */

	uint64_t request_number; /* reply: number of the record that it answers; 0 not found */
	uint64_t delay_ns;       /* reply: since then */
	bool clock_back;         /* reply: the clock went back since then; delay_ns is 0 */
	/* Request that needs an answer: for whoever has read on to set; vhu_session_feed cannot. */
	enum vhu_unanswered unanswered;
	uint64_t reply_number; /* request: of the record that answers it; 0 not known. The same. */

	int vring;           /* that the message is about; -1 none */
	uint64_t offered_by; /* the message takes features: what offered them, 0 none */
	uint64_t offer;
	/* The records that tell apart the layouts of a message that has several, and the messages
	 * of an id that dialects use differently: they acked virtio and protocol features, began
	 * postcopy or ended it, offered protocol features, told the dialect; 0 none. */
	uint64_t read_by[VHU_READ_BY];
	uint64_t undoes; /* the message takes back what this one added to the memory; 0 none */
	bool translates; /* the message adds a translation of IOVAs to the state */
	unsigned places;
	struct vhu_place place[VHU_PLACES_MAX];

	const struct vhu_state *state;     /* of the session, after this record; NULL: none kept */
	const struct vhu_finding *finding; /* what this record breaks */
	unsigned findings;
};

/*
 * Annotate a message again, with what was learnt about its session since:
 * fills in @note for @record as vhu_session_feed did, with @context, and feeds nothing.
 * note->request_number, note->delay_ns and note->clock_back are left alone.
 */
void vhu_annotation_again(struct vhu_annotation *note, const struct vhu_record *record,
			  const struct vhu_context *context);

/* Write the message's name as people say it: "SET_VRING_KICK", "GET_CONFIG reply",
 * "GET_BACKEND_SPECS or GET_DEVICE_ID", "message 77". Returns what snprintf would. */
int vhu_annotation_name(const struct vhu_annotation *note, const struct vhu_record *record,
			char *to, size_t size);

/*
 * Write what a record says as a sentence without its time, session and direction:
 * "SET_VRING_KICK vring 0, eventfd 9". Works for every type of record.
 * Returns what snprintf would.
 */
int vhu_annotation_text(const struct vhu_annotation *note, const struct vhu_record *record,
			char *to, size_t size);

#endif
