/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: what the proxy is to change, as the person who runs it has asked for. docs/faults.md has
 * the language.
 *
 * Theory of operation
 *
 * A fault says which messages, or which kicks and calls, it is for, and what is to be done to them.
 * Those that fit are counted, for each session on its own or for all together; by that count, and
 * by chance, the fault applies to some of them. Chance is a function of the seed, the fault, the
 * session and the count, so that a run can be repeated whatever else happens beside it.
 *
 *
 * Faults look at a message as it came: what one of them does, the next does not see. Without faults
 * nothing is looked at; if no fault names a message type, the check is one bit test.
 *
 * Ownership: the list owns its faults. A fault that is removed while messages are held by it is
 * gone only after they were let go: whoever holds some registers (struct vhu_fault_held) and is
 * told.
 */
#ifndef VHU_PROXY_FAULT_FAULT_H
#define VHU_PROXY_FAULT_FAULT_H

#include "lib/protocol/walk.h"

/* At the most. */
#define VHU_FAULTS_MAX           256
#define VHU_FAULT_TEXT_MAX       1023
#define VHU_FAULT_CONDITIONS_MAX 8
#define VHU_FAULT_ACTIONS_MAX    12
#define VHU_FAULT_PIECES_MAX     16

/* Room for a line that says what is wrong with a fault, or with a file of them. */
#define VHU_FAULT_ERROR 512

/* What is done; action.c has the table of their names and arguments. */
enum vhu_fault_verb {
	VHU_FAULT_DELAY, /* for from..to ns */
	VHU_FAULT_HOLD,  /* until it is released; from: for so many ns at the most, 0 for good */
	VHU_FAULT_DROP,
	VHU_FAULT_DUPLICATE,  /* from: so many more */
	VHU_FAULT_SPLIT,      /* before the bytes `piece`, with `from` ns between */
	VHU_FAULT_REORDER,    /* from: so many others go first */
	VHU_FAULT_TRUNCATE,   /* from: only so many bytes of it */
	VHU_FAULT_RESIZE,     /* from: payload bytes, header and payload alike */
	VHU_FAULT_SIZE,       /* from: payload bytes, the header alone */
	VHU_FAULT_CUT_BEFORE, /* the connection */
	VHU_FAULT_CUT_AFTER,
	VHU_FAULT_SET,         /* field: from */
	VHU_FAULT_REPLY,       /* with a u64: from */
	VHU_FAULT_ERROR_REPLY, /* the same, where an acknowledgement is due */
	VHU_FAULT_LOSE_FD,     /* from: which, UINT64_MAX all */
	VHU_FAULT_EXTRA_FD,    /* from: 0 a copy of the last, 1 /dev/null */
	VHU_FAULT_NEED_REPLY,
	VHU_FAULT_LOSE,   /* a kick or a call */
	VHU_FAULT_REPEAT, /* a kick or a call; from: so many more */
	VHU_FAULT_VERBS
};

/* Where a fault looks in a message. */
enum vhu_fault_place {
	VHU_FAULT_FIELD, /* of the table: `path`, in element `element` of its array or in all */
	VHU_FAULT_BYTES, /* `size` bytes at `offset`, counted from the message's first byte */
	VHU_FAULT_FDS,   /* how many descriptors came with it */
};

struct vhu_fault_field {
	enum vhu_fault_place place;
	const char *path; /* the table's; of bytes, what they are called, or NULL */
	int element;      /* -1: any */
	uint32_t offset, size;
	uint64_t mask; /* of the integer, where only a part of it is meant; else 0 */
};

enum vhu_fault_operator {
	VHU_FAULT_IS,
	VHU_FAULT_IS_NOT,
	VHU_FAULT_LESS,
	VHU_FAULT_MORE,
	VHU_FAULT_HAS_BITS, /* all of them */
};

struct vhu_fault_condition {
	struct vhu_fault_field field;
	enum vhu_fault_operator compare;
	uint64_t value;
};

struct vhu_fault_action {
	enum vhu_fault_verb command;
	uint64_t from, to;
	struct vhu_fault_field field;
	unsigned pieces;
	uint32_t piece[VHU_FAULT_PIECES_MAX];
};

struct vhu_fault {
	unsigned id; /* from 1, never given twice */
	unsigned slot;
	char *text;       /* as it was given */
	uint64_t matched; /* what fitted */
	uint64_t applied; /* to so many of them */
	bool said;        /* that it could not be followed */
	bool configured;  /* set by the owner of the list: it is the configuration's */
	uint64_t latest;  /* the count of what fitted last */

	bool of_signals;               /* it is for kicks or calls, else for messages */
	enum vhu_vring_role role;      /* of signals: VHU_KICK or VHU_CALL */
	bool any;                      /* messages of every number */
	uint32_t request;              /* else of this */
	bool of[VHU_CHANNELS][2];      /* channels and senders (0 front-end, 1 back-end) */
	const struct vhu_message *row; /* the request's in the table, NULL without */
	uint64_t session;              /* only this one; 0 all */
	unsigned conditions;
	struct vhu_fault_condition condition[VHU_FAULT_CONDITIONS_MAX];

	bool together;          /* the count is that of all sessions */
	uint64_t first, last;   /* of the count, both included */
	uint64_t every;         /* of those, every so many; 1 all */
	uint64_t chance, among; /* chance / among of those */

	unsigned actions;
	struct vhu_fault_action action[VHU_FAULT_ACTIONS_MAX];

	struct vhu_fault *next;
};

/* How often faults have matched in one session; its owner's, all zero at first. */
struct vhu_fault_memory {
	struct {
		unsigned id; /* of the fault; another one may have had its slot */
		uint64_t matched;
	} * count;
	unsigned counts;
};

/* Somebody who holds a message back for a fault. */
struct vhu_fault_held {
	uint64_t session;
	unsigned fault;
	/* Let it go. The holder takes itself out of the list first. */
	void (*release)(struct vhu_fault_held *held);
	struct vhu_fault_held *next, **link; /* link is NULL while it holds nothing */
};

struct vhu_faults {
	struct vhu_fault *first; /* in the order of their addition */
	unsigned count;
	unsigned given; /* the last id */
	uint64_t seed;
	int null_fd; /* /dev/null, where its owner has opened that beforehand; else 0 */
	/* For a quick no: numbers below 64 that faults name, by channel and sender; bit 63 is
	 * that of all greater ones too. */
	uint64_t speak[VHU_CHANNELS][2];
	bool slot[VHU_FAULTS_MAX];
	struct vhu_fault_held *held;
};

/* A message as faults look at it, whole and as it came. */
struct vhu_fault_message {
	uint64_t session;
	enum vhu_channel channel;
	bool from_back_end;
	const uint8_t *bytes; /* header and payload */
	uint32_t size;        /* of both */
	unsigned fds;
	const struct vhu_context *context; /* what the session has told */
};

/* A kick or a call as faults look at it. */
struct vhu_fault_event {
	uint64_t session;
	enum vhu_vring_role role; /* VHU_KICK or VHU_CALL */
	uint32_t vring;
};

/* What is to be done to a kick or a call. */
struct vhu_fault_effect {
	uint64_t delay_ns;
	bool lose;
	uint64_t repeat;               /* so many more */
	const struct vhu_fault *fault; /* the first that applied */
};

/*
 * Add a fault.
 * @text: one fault, without an end of line; not kept.
 * @error: room for a line with the error and its column; written only on failure.
 * Returns the fault's id, from 1; -EINVAL if @text is not a fault; -ENOSPC at VHU_FAULTS_MAX;
 * -ENOMEM.
 */
int vhu_faults_add(struct vhu_faults *faults, const char *text, char error[VHU_FAULT_ERROR]);

/*
 * Add the faults of a file: one a line; empty lines and what follows a # are passed over. Of a file
 * with any error none is added.
 * @error: as for vhu_faults_add, the line being FILE:LINE:COLUMN: what is wrong.
 * Returns how many were added, or -errno.
 */
int vhu_faults_load(struct vhu_faults *faults, const char *file, char error[VHU_FAULT_ERROR]);

/* Remove a fault; what it holds is let go. Returns 0 or -ENOENT. */
int vhu_faults_remove(struct vhu_faults *faults, unsigned id);

/* Remove all faults, and let go what they hold. */
void vhu_faults_clear(struct vhu_faults *faults);

/* Return whether any fault is for kicks or calls. */
bool vhu_faults_speak_of_signals(const struct vhu_faults *faults);

/* Return whether the seed makes a difference: a fault asks for chance. */
bool vhu_faults_by_chance(const struct vhu_faults *faults);

/* Return whether a fault may be for a message, as far as its number tells. */
static inline bool vhu_faults_speak_of(const struct vhu_faults *faults, enum vhu_channel channel,
				       bool from_back_end, uint32_t request)
{
	return faults->speak[channel][from_back_end] >> (request < 63 ? request : 63) & 1;
}

/*
 * Find the faults that apply to a message, in order, and count it where it fits.
 * @memory: its session's.
 * @hit: the faults; room for VHU_FAULTS_MAX.
 * Returns how many apply.
 */
unsigned vhu_faults_match(struct vhu_faults *faults, struct vhu_fault_memory *memory,
			  const struct vhu_fault_message *message,
			  struct vhu_fault *hit[VHU_FAULTS_MAX]);

/*
 * Tell what is to be done to a kick or a call, and count it.
 * Returns whether anything is, in *@effect.
 */
bool vhu_faults_event(struct vhu_faults *faults, struct vhu_fault_memory *memory,
		      const struct vhu_fault_event *event, struct vhu_fault_effect *effect);

/* Return how long a delay is to last, from action->from to action->to, by chance: for what fitted
 * @fault last in @session. */
uint64_t vhu_faults_delay(const struct vhu_faults *faults, const struct vhu_fault *fault,
			  const struct vhu_fault_action *action, uint64_t session);

/* A walk over the fields of a message that a fault names. */
struct vhu_fault_walk {
	struct vhu_walk walk;
	const struct vhu_message *row; /* the message's */
	unsigned element;              /* of the array that it is in */
};

/* Begin a walk over a message that @fault fits (NULL: over any). Returns false where its layout is
 * not known. */
bool vhu_fault_walk_start(struct vhu_fault_walk *walk, const struct vhu_fault *fault,
			  const struct vhu_fault_message *message);

/* Go on to the next value of @field, one of the table's, of any without a path. Returns false where
 * there is no more. */
bool vhu_fault_walk_next(struct vhu_fault_walk *walk, const struct vhu_fault_field *field,
			 struct vhu_item *item);

/* Free what @memory holds; it is empty then. */
void vhu_fault_memory_free(struct vhu_fault_memory *memory);

/* Note that @held holds a message back, its `session`, `fault` and `release` being set; and that it
 * does not any more (ignored where it does not). */
void vhu_faults_hold(struct vhu_faults *faults, struct vhu_fault_held *held);
void vhu_faults_unhold(struct vhu_fault_held *held);

/*
 * Let messages go that are held.
 * @session: of this session, 0 of all. @fault: those that this fault holds, 0 that any does.
 * Returns how many there were.
 */
unsigned vhu_faults_release(struct vhu_faults *faults, uint64_t session, unsigned fault);

/* Return the name of a verb in faults: "delay". */
const char *vhu_fault_verb_name(enum vhu_fault_verb command);

#endif
