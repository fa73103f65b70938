/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules: what the proxy is to change, as the person who runs it has asked for. docs/faults.md has
 * the language.
 *
 * Theory of operation
 *
 * A rule says which messages, or which kicks and calls, it is for, and what is to be done to them.
 * Those that fit are counted, for each session on its own or for all together; by that count, and
 * by chance, the rule applies to some of them. Chance is a function of the seed, the rule, the
 * session and the count, so that a run can be repeated whatever else happens beside it.
 *
 * (The rules of lib/session say what is right in a session; these are others.)
 *
 * Rules look at a message as it came: what one of them does, the next does not see. Without rules
 * nothing is looked at; with rules a message of which no rule speaks costs one look at a bit.
 *
 * Ownership: the list owns its rules. A rule that is removed while messages are held by it is gone
 * only after they were let go: whoever holds some registers (struct vhu_rule_held) and is told.
 */
#ifndef VHU_PROXY_RULE_H
#define VHU_PROXY_RULE_H

#include "lib/protocol/walk.h"

/* At the most. */
#define VHU_RULES_MAX           256
#define VHU_RULE_TEXT_MAX       1023
#define VHU_RULE_CONDITIONS_MAX 8
#define VHU_RULE_ACTIONS_MAX    12
#define VHU_RULE_PIECES_MAX     16

/* Room for a line that says what is wrong with a rule, or with a file of them. */
#define VHU_RULE_ERROR 512

/* What a rule is for. */
enum vhu_rule_on {
	VHU_RULE_MESSAGE,
	VHU_RULE_KICK, /* the front-end kicks a vring */
	VHU_RULE_CALL, /* the back-end calls */
};

/* What is done; proxy/rule_parse.c has the table of their names and arguments. */
enum vhu_rule_verb {
	VHU_RULE_DELAY, /* for from..to ns */
	VHU_RULE_HOLD,  /* until it is released; from: for so many ns at the most, 0 for good */
	VHU_RULE_DROP,
	VHU_RULE_DUPLICATE,  /* from: so many more */
	VHU_RULE_SPLIT,      /* before the bytes `piece`, with `from` ns between */
	VHU_RULE_REORDER,    /* from: so many others go first */
	VHU_RULE_TRUNCATE,   /* from: only so many bytes of it */
	VHU_RULE_RESIZE,     /* from: payload bytes, header and payload alike */
	VHU_RULE_SIZE,       /* from: payload bytes, the header alone */
	VHU_RULE_CUT_BEFORE, /* the connection */
	VHU_RULE_CUT_AFTER,
	VHU_RULE_SET,         /* field: from */
	VHU_RULE_REPLY,       /* with a u64: from */
	VHU_RULE_ERROR_REPLY, /* the same, where an acknowledgement is due */
	VHU_RULE_LOSE_FD,     /* from: which, UINT64_MAX all */
	VHU_RULE_EXTRA_FD,    /* from: 0 a copy of the last, 1 /dev/null */
	VHU_RULE_NEED_REPLY,
	VHU_RULE_LOSE,   /* a kick or a call */
	VHU_RULE_REPEAT, /* a kick or a call; from: so many more */
	VHU_RULE_VERBS
};

/* Where a rule looks in a message. */
enum vhu_rule_place {
	VHU_RULE_FIELD, /* of the table: `path`, in element `element` of its array or in all */
	VHU_RULE_BYTES, /* `size` bytes at `offset`, counted from the message's first byte */
	VHU_RULE_FDS,   /* how many descriptors came with it */
};

struct vhu_rule_field {
	enum vhu_rule_place place;
	const char *path; /* the table's; of bytes, what they are called, or NULL */
	int element;      /* -1: any */
	uint32_t offset, size;
	uint64_t mask; /* of the integer, where only a part of it is meant; else 0 */
};

enum vhu_rule_operator {
	VHU_RULE_IS,
	VHU_RULE_IS_NOT,
	VHU_RULE_LESS,
	VHU_RULE_MORE,
	VHU_RULE_HAS_BITS, /* all of them */
};

struct vhu_rule_condition {
	struct vhu_rule_field field;
	enum vhu_rule_operator compare;
	uint64_t value;
};

struct vhu_rule_action {
	enum vhu_rule_verb verb;
	uint64_t from, to;
	struct vhu_rule_field field;
	unsigned pieces;
	uint32_t piece[VHU_RULE_PIECES_MAX];
};

struct vhu_proxy_rule {
	unsigned id; /* from 1, never given twice */
	unsigned slot;
	char *text;       /* as it was given */
	uint64_t matched; /* what fitted */
	uint64_t applied; /* to so many of them */
	bool said;        /* that it could not be followed */
	uint64_t latest;  /* the count of what fitted last */

	enum vhu_rule_on on;
	bool any;                 /* messages of every number */
	uint32_t request;         /* else of this */
	bool of[VHU_CHANNELS][2]; /* which channels, and sent by whom (0 front-end, 1 back-end) */
	const struct vhu_message *row; /* the request's in the table, NULL without */
	uint64_t session;              /* only this one; 0 all */
	unsigned conditions;
	struct vhu_rule_condition condition[VHU_RULE_CONDITIONS_MAX];

	bool together;          /* the count is that of all sessions */
	uint64_t first, last;   /* of the count, both included */
	uint64_t every;         /* of those, every so many; 1 all */
	uint64_t chance, among; /* chance / among of those */

	unsigned actions;
	struct vhu_rule_action action[VHU_RULE_ACTIONS_MAX];

	struct vhu_proxy_rule *next;
};

/* How often rules have matched in one session; its owner's, all zero at first. */
struct vhu_rule_memory {
	struct {
		unsigned id; /* of the rule; another one may have had its slot */
		uint64_t matched;
	} * count;
	unsigned counts;
};

/* Somebody who holds a message back for a rule. */
struct vhu_rule_held {
	uint64_t session;
	unsigned rule;
	/* Let it go. The holder takes itself out of the list first. */
	void (*release)(struct vhu_rule_held *held);
	struct vhu_rule_held *next, **link; /* link is NULL while it holds nothing */
};

struct vhu_rules {
	struct vhu_proxy_rule *first; /* in the order in which they were added */
	unsigned count;
	unsigned given; /* the last id */
	uint64_t seed;
	int null_fd; /* /dev/null, where its owner has opened that beforehand; else 0 */
	/* For a quick no: numbers below 64 of which rules speak, by channel and sender; bit 63 is
	 * that of all greater ones too. */
	uint64_t speak[VHU_CHANNELS][2];
	bool slot[VHU_RULES_MAX];
	struct vhu_rule_held *held;
};

/* A message as rules look at it, whole and as it came. */
struct vhu_rule_message {
	uint64_t session;
	enum vhu_channel channel;
	bool from_back_end;
	const uint8_t *bytes; /* header and payload */
	uint32_t size;        /* of both */
	unsigned fds;
	const struct vhu_context *context; /* what the session has told */
};

/* A kick or a call as rules look at it. */
struct vhu_rule_event {
	uint64_t session;
	enum vhu_rule_on on;
	uint32_t vring;
};

/* What is to be done to a kick or a call. */
struct vhu_rule_effect {
	uint64_t delay_ns;
	bool lose;
	uint64_t repeat;                   /* so many more */
	const struct vhu_proxy_rule *rule; /* the first that applied */
};

/*
 * Add a rule.
 * @text: one rule, without an end of line; not kept.
 * @error: room for a line that says what is wrong and at which column; written only on failure.
 * Returns the rule's id, from 1; -EINVAL where @text is none; -ENOSPC at VHU_RULES_MAX; -ENOMEM.
 */
int vhu_rules_add(struct vhu_rules *rules, const char *text, char error[VHU_RULE_ERROR]);

/*
 * Add the rules of a file: one a line; empty lines and what follows a # are passed over. Of a file
 * in which anything is wrong none is added.
 * @error: as for vhu_rules_add, the line being FILE:LINE:COLUMN: what is wrong.
 * Returns how many were added, or -errno.
 */
int vhu_rules_load(struct vhu_rules *rules, const char *file, char error[VHU_RULE_ERROR]);

/* Remove a rule; what it holds is let go. Returns 0 or -ENOENT. */
int vhu_rules_remove(struct vhu_rules *rules, unsigned id);

/* Remove all rules, and let go what they hold. */
void vhu_rules_clear(struct vhu_rules *rules);

/* Return whether any rule is for kicks or calls. */
bool vhu_rules_speak_of_signals(const struct vhu_rules *rules);

/* Return whether the seed makes a difference: a rule asks for chance. */
bool vhu_rules_by_chance(const struct vhu_rules *rules);

/* Return whether a rule may be for a message, as far as its number tells. */
static inline bool vhu_rules_speak_of(const struct vhu_rules *rules, enum vhu_channel channel,
				      bool from_back_end, uint32_t request)
{
	return rules->speak[channel][from_back_end] >> (request < 63 ? request : 63) & 1;
}

/*
 * Find the rules that apply to a message, in order, and count it where it fits.
 * @memory: its session's.
 * @hit: the rules; room for VHU_RULES_MAX.
 * Returns how many apply.
 */
unsigned vhu_rules_match(struct vhu_rules *rules, struct vhu_rule_memory *memory,
			 const struct vhu_rule_message *message,
			 struct vhu_proxy_rule *hit[VHU_RULES_MAX]);

/*
 * Tell what is to be done to a kick or a call, and count it.
 * Returns whether anything is, in *@effect.
 */
bool vhu_rules_event(struct vhu_rules *rules, struct vhu_rule_memory *memory,
		     const struct vhu_rule_event *event, struct vhu_rule_effect *effect);

/* Return how long a delay is to last, from action->from to action->to, by chance: for what fitted
 * @rule last in @session. */
uint64_t vhu_rules_delay(const struct vhu_rules *rules, const struct vhu_proxy_rule *rule,
			 const struct vhu_rule_action *action, uint64_t session);

/* A walk over the fields of a message that a rule names. */
struct vhu_rule_walk {
	struct vhu_walk walk;
	const struct vhu_message *row; /* the message's */
	unsigned element;              /* of the array that it is in */
};

/* Begin a walk over a message that @rule fits (NULL: over any). Returns false where its layout is
 * not known. */
bool vhu_rule_walk_start(struct vhu_rule_walk *walk, const struct vhu_proxy_rule *rule,
			 const struct vhu_rule_message *message);

/* Go on to the next value of @field, one of the table's, of any without a path. Returns false where
 * there is no more. */
bool vhu_rule_walk_next(struct vhu_rule_walk *walk, const struct vhu_rule_field *field,
			struct vhu_item *item);

/* Free what @memory holds; it is empty then. */
void vhu_rule_memory_free(struct vhu_rule_memory *memory);

/* Note that @held holds a message back, its `session`, `rule` and `release` being set; and that it
 * does not any more (ignored where it does not). */
void vhu_rules_hold(struct vhu_rules *rules, struct vhu_rule_held *held);
void vhu_rules_unhold(struct vhu_rule_held *held);

/*
 * Let messages go that are held.
 * @session: of this session, 0 of all. @rule: those that this rule holds, 0 that any does.
 * Returns how many there were.
 */
unsigned vhu_rules_release(struct vhu_rules *rules, uint64_t session, unsigned rule);

/* Return the name of a verb, as rules have it: "delay". */
const char *vhu_rule_verb_name(enum vhu_rule_verb verb);

#endif
