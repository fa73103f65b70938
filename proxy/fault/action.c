/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a fault that says what is to be done, read: one table of actions. */
#include "proxy/fault/action.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "proxy/fault/value.h"

/* Where the reading stands. */
struct vhu_fault_action_reader {
	const char *at;
	struct vhu_fault *fault;
	struct vhu_action_error *error;
};

/* An action as faults write it. */
struct action {
	const char *name;
	enum vhu_fault_verb command;
	bool of_messages, of_events;
	/* Read what follows its name into what is done already; returns 0 or -EINVAL. */
	int (*read)(struct vhu_fault_action_reader *reader, const struct action *action,
		    struct vhu_fault_action *into);
	uint64_t least, most; /* of its number */
	bool may_lack;        /* the number, which is then */
	uint64_t otherwise;
};

/* Say what is wrong at @at. Returns -EINVAL. */
static __attribute__((format(printf, 3, 4))) int wrong(struct vhu_fault_action_reader *reader,
						       const char *at, const char *format, ...)
{
	va_list arguments;

	reader->error->at = at;
	va_start(arguments, format);
	vsnprintf(reader->error->what, sizeof(reader->error->what), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Take the next word of an action; of size 0 where it has no more. */
static struct vhu_word next_word(struct vhu_fault_action_reader *reader)
{
	struct vhu_word word;

	reader->at += strspn(reader->at, " \t");
	word.at = reader->at;
	word.size = strcspn(word.at, " \t,");
	reader->at += word.size;
	return word;
}

/* Return whether the action has no more words. */
static bool at_end(struct vhu_fault_action_reader *reader)
{
	reader->at += strspn(reader->at, " \t");
	return !*reader->at || *reader->at == ',';
}

/* A day: what waits longer will not be waited for. */
#define TIME_MOST (24 * 60 * UINT64_C(60000000000))

/* Read a length of time. Returns whether @word is one. */
static bool read_time(struct vhu_word word, uint64_t *ns)
{
	char text[VHU_DURATION_TEXT_SIZE];

	if (word.size >= sizeof(text))
		return false;
	memcpy(text, word.at, word.size);
	text[word.size] = '\0';
	return !vhu_duration_parse(text, ns) && *ns <= TIME_MOST;
}

/* Read T or T..T. */
static int read_times(struct vhu_fault_action_reader *reader, const struct action *action,
		      struct vhu_fault_action *into)
{
	struct vhu_word word = next_word(reader);
	const char *dots = memmem(word.at, word.size, "..", 2);
	struct vhu_word from = {word.at, dots ? (size_t)(dots - word.at) : word.size};
	struct vhu_word to = {word.at, from.size};

	if (dots)
		to = (struct vhu_word){dots + 2, word.size - from.size - 2};
	if (!read_time(from, &into->from) || !read_time(to, &into->to) || into->from > into->to)
		return wrong(reader, word.at, "%s wants a time, or two: 50ms, 1ms..2s",
			     action->name);
	return 0;
}

/* Read T, or nothing. */
static int read_time_or_not(struct vhu_fault_action_reader *reader, const struct action *action,
			    struct vhu_fault_action *into)
{
	struct vhu_word word;

	if (at_end(reader))
		return 0;
	word = next_word(reader);
	if (!read_time(word, &into->from) || !into->from)
		return wrong(reader, word.at, "%s wants a time or nothing: 2s", action->name);
	return 0;
}

/* Read a number, which may be lacking where the action says so. */
static int read_number(struct vhu_fault_action_reader *reader, const struct action *action,
		       struct vhu_fault_action *into)
{
	struct vhu_word word;

	if (action->may_lack && at_end(reader)) {
		into->from = action->otherwise;
		return 0;
	}
	word = next_word(reader);
	if (!vhu_word_number(word, &into->from) || into->from < action->least ||
	    into->from > action->most)
		return wrong(reader, word.at, "%s wants a number from %" PRIu64 " to %" PRIu64,
			     action->name, action->least, action->most);
	return 0;
}

/* Read nothing. */
static int read_nothing(struct vhu_fault_action_reader *reader, const struct action *action,
			struct vhu_fault_action *into)
{
	(void)reader;
	(void)action;
	(void)into;
	return 0;
}

/* Read AT[,AT...] [pause T]. */
static int read_pieces(struct vhu_fault_action_reader *reader, const struct action *action,
		       struct vhu_fault_action *into)
{
	struct vhu_word word;
	uint64_t at, before = 0;

	do {
		reader->at += into->pieces ? 1 : 0;
		word = next_word(reader);
		if (!vhu_word_number(word, &at) || at <= before || at > UINT32_MAX)
			return wrong(reader, word.at,
				     "%s wants the bytes before which to split, rising from 1",
				     action->name);
		if (into->pieces == VHU_FAULT_PIECES_MAX)
			return wrong(reader, word.at, "more than %d places to split",
				     VHU_FAULT_PIECES_MAX);
		into->piece[into->pieces++] = (uint32_t)at;
		before = at;
		reader->at += strspn(reader->at, " \t");
	} while (*reader->at == ',' &&
		 strchr("0123456789", reader->at[1 + strspn(reader->at + 1, " \t")]) &&
		 reader->at[1 + strspn(reader->at + 1, " \t")]);
	if (at_end(reader))
		return 0;
	word = next_word(reader);
	if (!vhu_word_is(word, "pause"))
		return wrong(reader, word.at, "%.*s: split AT,AT... pause T", (int)word.size,
			     word.at);
	word = next_word(reader);
	if (!read_time(word, &into->from))
		return wrong(reader, word.at, "pause wants a time: 10ms");
	return 0;
}

/* Read before or after, or nothing. */
static int read_before(struct vhu_fault_action_reader *reader, const struct action *action,
		       struct vhu_fault_action *into)
{
	struct vhu_word word;

	if (at_end(reader))
		return 0;
	word = next_word(reader);
	if (vhu_word_is(word, "after"))
		into->command = VHU_FAULT_CUT_AFTER;
	else if (!vhu_word_is(word, "before"))
		return wrong(reader, word.at, "%s before or after the message", action->name);
	return 0;
}

/* Read null, or nothing. */
static int read_null(struct vhu_fault_action_reader *reader, const struct action *action,
		     struct vhu_fault_action *into)
{
	struct vhu_word word;

	if (at_end(reader))
		return 0;
	word = next_word(reader);
	if (!vhu_word_is(word, "null"))
		return wrong(reader, word.at, "%s null, or nothing after it", action->name);
	into->from = 1;
	return 0;
}

/* Read one FIELD=VALUE. */
static int read_assignment(struct vhu_fault_action_reader *reader, struct vhu_word word,
			   struct vhu_fault_action *into)
{
	const char *equals = memchr(word.at, '=', word.size);
	struct vhu_word name = {word.at, equals ? (size_t)(equals - word.at) : 0};
	struct vhu_word value = {name.at + name.size + 1, word.size - name.size - 1};
	enum vhu_names_id names;
	char what[200];

	if (!name.size)
		return wrong(reader, word.at, "set wants FIELD=VALUE");
	if (vhu_fault_field_find(reader->fault, name, &into->field, &names, what, sizeof(what)))
		return wrong(reader, name.at, "%s", what);
	if (into->field.place == VHU_FAULT_FDS)
		return wrong(reader, name.at, "fds is no field: lose-fd and extra-fd change them");
	if (vhu_fault_value_read(names, value, &into->from, what, sizeof(what)))
		return wrong(reader, value.at, "%s", what);
	if (into->from > vhu_fault_field_most(&into->field))
		return wrong(reader, value.at, "%.*s is at most %" PRIu64, (int)name.size, name.at,
			     vhu_fault_field_most(&into->field));
	return 0;
}

/* Read FIELD=VALUE..., each one becomes an action. */
static int read_assignments(struct vhu_fault_action_reader *reader, const struct action *action,
			    struct vhu_fault_action *into)
{
	struct vhu_fault *fault = reader->fault;

	if (read_assignment(reader, next_word(reader), into))
		return -EINVAL;
	while (!at_end(reader)) {
		if (fault->actions == VHU_FAULT_ACTIONS_MAX)
			return wrong(reader, reader->at, "more than %d actions",
				     VHU_FAULT_ACTIONS_MAX);
		into = &fault->action[fault->actions++];
		into->command = action->command;
		if (read_assignment(reader, next_word(reader), into))
			return -EINVAL;
	}
	return 0;
}

/* What a message is resized to fits the relay's buffer. */
#define PAYLOAD_MOST (64 * 1024)

static const struct action action_table[] = {
    {"delay", VHU_FAULT_DELAY, true, true, read_times},
    {"hold", VHU_FAULT_HOLD, true, false, read_time_or_not},
    {"drop", VHU_FAULT_DROP, true, false, read_nothing},
    {"duplicate", VHU_FAULT_DUPLICATE, true, false, read_number, 1, 1000, true, 1},
    {"split", VHU_FAULT_SPLIT, true, false, read_pieces},
    {"reorder", VHU_FAULT_REORDER, true, false, read_number, 1, 64, true, 1},
    {"truncate", VHU_FAULT_TRUNCATE, true, false, read_number, 0, UINT32_MAX},
    {"resize", VHU_FAULT_RESIZE, true, false, read_number, 0, PAYLOAD_MOST},
    {"size", VHU_FAULT_SIZE, true, false, read_number, 0, UINT32_MAX},
    {"cut", VHU_FAULT_CUT_BEFORE, true, false, read_before},
    {"set", VHU_FAULT_SET, true, false, read_assignments},
    {"reply", VHU_FAULT_REPLY, true, false, read_number, 0, UINT64_MAX},
    {"error", VHU_FAULT_ERROR_REPLY, true, false, read_number, 1, UINT64_MAX, true, 1},
    {"lose-fd", VHU_FAULT_LOSE_FD, true, false, read_number, 0, 252, true, UINT64_MAX},
    {"extra-fd", VHU_FAULT_EXTRA_FD, true, false, read_null},
    {"need-reply", VHU_FAULT_NEED_REPLY, true, false, read_nothing},
    {"lose", VHU_FAULT_LOSE, false, true, read_nothing},
    {"repeat", VHU_FAULT_REPEAT, false, true, read_number, 1, 1000, true, 1},
};
#define ACTIONS VHU_ARRAY_SIZE(action_table)

/* Return the action called @word; NULL, with an error, for none. */
static const struct action *find_action(struct vhu_fault_action_reader *reader,
					struct vhu_word word)
{
	const bool events = reader->fault->of_signals;
	char list[200] = "";
	size_t length = 0;

	for (size_t i = 0; i < ACTIONS; i++) {
		const struct action *action = &action_table[i];

		if (events ? !action->of_events : !action->of_messages)
			continue;
		if (vhu_word_is(word, action->name))
			return action;
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
					   length ? ", " : "", action->name);
	}
	wrong(reader, word.at, "%s%.*s%s: %s", word.size ? "no action " : "what is to be done",
	      (int)word.size, word.at, events ? " on a kick or a call" : "", list);
	return NULL;
}

/* Read one action. Returns 0 or -EINVAL. */
static int read_action(struct vhu_fault_action_reader *reader)
{
	struct vhu_fault *fault = reader->fault;
	struct vhu_word word = next_word(reader);
	const struct action *action = find_action(reader, word);
	struct vhu_fault_action *into = &fault->action[fault->actions];

	if (!action)
		return -EINVAL;
	if (fault->actions == VHU_FAULT_ACTIONS_MAX)
		return wrong(reader, word.at, "more than %d actions", VHU_FAULT_ACTIONS_MAX);
	fault->actions++;
	into->command = action->command;
	if (action->read(reader, action, into))
		return -EINVAL;
	if (!at_end(reader)) {
		word = next_word(reader);
		return wrong(reader, word.at, "%.*s: too much for %s", (int)word.size, word.at,
			     action->name);
	}
	return 0;
}

int vhu_fault_actions_read(struct vhu_fault *fault, const char *text,
			   struct vhu_action_error *error)
{
	struct vhu_fault_action_reader reader = {.at = text, .fault = fault, .error = error};

	do {
		if (read_action(&reader))
			return -EINVAL;
	} while (*reader.at++ == ',');
	return 0;
}

const char *vhu_fault_verb_name(enum vhu_fault_verb command)
{
	if (command == VHU_FAULT_CUT_AFTER)
		command = VHU_FAULT_CUT_BEFORE;
	for (size_t i = 0; i < ACTIONS; i++)
		if (action_table[i].command == command)
			return action_table[i].name;
	return "";
}
