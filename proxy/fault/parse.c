/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a fault, read: what it is for, a colon, what is to be done.
 *
 * Words of the first part that say which messages are meant are read before those that name
 * fields, since which fields there are depends on the messages.
 */
#include "proxy/fault/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/util.h"
#include "proxy/fault/action.h"
#include "proxy/fault/value.h"

/* Where the reading stands. */
struct vhu_fault_reader {
	const char *text, *at;
	struct vhu_fault *fault;
	struct vhu_fault_error *error;
	int side;    /* of the sender: 0, 1, -1 both, -2 not told */
	int reply;   /* 0, 1, -1 not told */
	int channel; /* -1 not told */
};

/* Say what is wrong at @at. Returns -EINVAL. */
static __attribute__((format(printf, 3, 4))) int wrong(struct vhu_fault_reader *reader,
						       const char *at, const char *format, ...)
{
	va_list arguments;

	reader->error->column = (unsigned)(at - reader->text) + 1;
	va_start(arguments, format);
	vsnprintf(reader->error->what, sizeof(reader->error->what), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Take the next word, which ends before a space or one of @ends; of size 0 for none. */
static struct vhu_word next_word(struct vhu_fault_reader *reader, const char *ends)
{
	struct vhu_word word;

	reader->at += strspn(reader->at, " \t");
	word.at = reader->at;
	word.size = 0;
	while (word.at[word.size] && !strchr(" \t", word.at[word.size]) &&
	       !strchr(ends, word.at[word.size]))
		word.size++;
	reader->at += word.size;
	return word;
}

/* Return how many letters are to be changed to make @a of @b, 9 for many. */
static unsigned distance(struct vhu_word a, const char *b)
{
	const size_t size = strlen(b);
	unsigned row[48];

	if (size >= VHU_ARRAY_SIZE(row) || a.size > size + 4 || size > a.size + 4)
		return 9;
	for (unsigned j = 0; j <= size; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.size; i++) {
		unsigned before = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= size; j++) {
			const unsigned same =
			    before + ((a.at[i - 1] & ~0x20) != (b[j - 1] & ~0x20));

			before = row[j];
			row[j] = row[j] + 1 < same ? row[j] + 1 : same;
			row[j] = row[j] < row[j - 1] + 1 ? row[j] : row[j - 1] + 1;
		}
	}
	return row[size] < 9 ? row[size] : 9;
}

/* Say that no message has the name @word, and which is the nearest. Returns -EINVAL. */
static int no_message(struct vhu_fault_reader *reader, struct vhu_word word)
{
	unsigned best = 4;
	const char *name = NULL;

	for (unsigned i = 0; i < VHU_MESSAGES; i++) {
		const unsigned far = distance(word, vhu_messages[i].name);

		if (far < best) {
			best = far;
			name = vhu_messages[i].name;
		}
	}
	if (vhu_word_is(word, "kick") || vhu_word_is(word, "call"))
		return wrong(reader, word.at, "%.*s: no side stands before a kick or a call",
			     (int)word.size, word.at);
	return wrong(reader, word.at, "no message %.*s%s%s%s", (int)word.size, word.at,
		     name ? " (" : "", name ? name : "", name ? "?)" : "");
}

/* Read which message is meant. Returns 0 or -EINVAL. */
static int read_message(struct vhu_fault_reader *reader, struct vhu_word word)
{
	struct vhu_fault *fault = reader->fault;
	char name[64];
	uint64_t number;

	if (!word.size)
		return wrong(reader, word.at, "which message? a name, a number or any");
	if (vhu_word_is(word, "any")) {
		fault->any = true;
		return 0;
	}
	if (vhu_word_number(word, &number)) {
		if (number > UINT32_MAX)
			return wrong(reader, word.at, "%.*s is no message's number", (int)word.size,
				     word.at);
		fault->request = (uint32_t)number;
		return 0;
	}
	snprintf(name, sizeof(name), "%.*s", (int)word.size, word.at);
	fault->row = word.size < sizeof(name) ? vhu_message_by_name(name) : NULL;
	if (!fault->row)
		return no_message(reader, word);
	fault->request = fault->row->request;
	return 0;
}

/* Read who sends, and what the fault is for. Returns 0 or -EINVAL. */
static int read_subject(struct vhu_fault_reader *reader)
{
	static const char *const sides[] = {"front", "back", "both"};
	struct vhu_word word = next_word(reader, ":");

	reader->side = -2;
	for (int i = 0; i < 3; i++)
		if (vhu_word_is(word, sides[i]))
			reader->side = i == 2 ? -1 : i;
	if (reader->side != -2)
		return read_message(reader, next_word(reader, ":"));
	if (vhu_word_is(word, "kick") || vhu_word_is(word, "call")) {
		reader->fault->of_signals = true;
		reader->fault->role = vhu_word_is(word, "kick") ? VHU_KICK : VHU_CALL;
		reader->fault->any = true;
		return 0;
	}
	return read_message(reader, word);
}

/* Read N, N.., N..M or ..M. Returns whether @word is that. */
static bool read_range(struct vhu_word word, uint64_t *first, uint64_t *last)
{
	const char *dots = memmem(word.at, word.size, "..", 2);
	struct vhu_word from = {word.at, dots ? (size_t)(dots - word.at) : word.size};
	struct vhu_word to = {dots ? dots + 2 : NULL, dots ? word.size - from.size - 2 : 0};

	if (!dots)
		return vhu_word_number(from, first) && (*last = *first) > 0;
	*first = 1;
	*last = UINT64_MAX;
	return (from.size || to.size) && (!from.size || vhu_word_number(from, first)) &&
	       (!to.size || vhu_word_number(to, last)) && *first && *first <= *last;
}

/* Read N/M or N%. Returns whether @word is that. */
static bool read_chance(struct vhu_word word, uint64_t *chance, uint64_t *among)
{
	const char *slash = memchr(word.at, '/', word.size);
	struct vhu_word part = {word.at, slash ? (size_t)(slash - word.at) : word.size};
	struct vhu_word whole = {slash ? slash + 1 : NULL, slash ? word.size - part.size - 1 : 0};

	if (!slash) {
		if (!part.size || part.at[--part.size] != '%')
			return false;
		*among = 100;
	} else if (!vhu_word_number(whole, among)) {
		return false;
	}
	return vhu_word_number(part, chance) && *among && *chance <= *among && *among <= UINT32_MAX;
}

/* Read a channel's name. Returns 0 or -EINVAL. */
static int read_channel(struct vhu_fault_reader *reader, struct vhu_word word)
{
	for (int i = 0; i < VHU_CHANNELS; i++) {
		if (vhu_word_is(word, vhu_channel_name(i))) {
			reader->channel = i;
			return 0;
		}
	}
	return wrong(reader, word.at, "no channel %.*s: front-end, back-end or gpu", (int)word.size,
		     word.at);
}

/* Read the number of the only session that is meant. Returns 0 or -EINVAL. */
static int read_session(struct vhu_fault_reader *reader, struct vhu_word value)
{
	if (!vhu_word_number(value, &reader->fault->session) || !reader->fault->session)
		return wrong(reader, value.at, "session=N wants a number from 1");
	return 0;
}

/* Read which ones of those that fit. Returns 0 or -EINVAL. */
static int read_nth(struct vhu_fault_reader *reader, struct vhu_word value)
{
	if (!read_range(value, &reader->fault->first, &reader->fault->last))
		return wrong(reader, value.at, "nth wants N, N.., ..N or N..M, from 1");
	return 0;
}

/* Read how many of those there are to one. Returns 0 or -EINVAL. */
static int read_every(struct vhu_fault_reader *reader, struct vhu_word value)
{
	if (!vhu_word_number(value, &reader->fault->every) || !reader->fault->every)
		return wrong(reader, value.at, "every=N wants a number from 1");
	return 0;
}

/* Read how likely each of those is. Returns 0 or -EINVAL. */
static int read_probability(struct vhu_fault_reader *reader, struct vhu_word value)
{
	if (!read_chance(value, &reader->fault->chance, &reader->fault->among))
		return wrong(reader, value.at, "probability wants N/M or N%%, at most 1");
	return 0;
}

/* Read whether sessions are counted together. Returns 0 or -EINVAL. */
static int read_counted(struct vhu_fault_reader *reader, struct vhu_word value)
{
	reader->fault->together = vhu_word_is(value, "all");
	if (!reader->fault->together && !vhu_word_is(value, "session"))
		return wrong(reader, value.at, "counted wants session or all");
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct vhu_fault_reader *reader, struct vhu_word value);
} keyword[] = {
    {"channel", read_channel}, {"session", read_session}, {"nth", read_nth},
    {"every", read_every},     {"counted", read_counted}, {"probability", read_probability},
};

/* Return the part of @word before its operator. */
static struct vhu_word name_of(struct vhu_word word)
{
	size_t size = 0;

	while (size < word.size && !strchr("=!<>&", word.at[size]))
		size++;
	return (struct vhu_word){word.at, size};
}

/*
 * Read @word if it is one that says which messages are meant, or which of those that fit.
 * Returns 1 where it was, 0 where it is not, -EINVAL.
 */
static int read_keyword(struct vhu_fault_reader *reader, struct vhu_word word)
{
	struct vhu_word name = name_of(word);
	struct vhu_word value = {name.at + name.size + 1, 0};

	if (reader->fault->of_signals &&
	    (vhu_word_is(word, "request") || vhu_word_is(word, "reply") ||
	     vhu_word_is(name, "channel")))
		return wrong(reader, word.at, "a kick or a call has no %.*s", (int)name.size,
			     name.at);
	if (vhu_word_is(word, "request") || vhu_word_is(word, "reply")) {
		reader->reply = vhu_word_is(word, "reply");
		return 1;
	}
	for (size_t i = 0; i < VHU_ARRAY_SIZE(keyword); i++) {
		if (!vhu_word_is(name, keyword[i].name))
			continue;
		if (name.size == word.size || name.at[name.size] != '=')
			return wrong(reader, name.at, "%s wants =VALUE", keyword[i].name);
		value.size = word.size - name.size - 1;
		return keyword[i].read(reader, value) ? -EINVAL : 1;
	}
	return 0;
}

/* Decide the channels and senders of the fault's messages. Returns 0 or -EINVAL. */
static int decide_senders(struct vhu_fault_reader *reader, const char *at)
{
	struct vhu_fault *fault = reader->fault;
	const int own = fault->row ? (int)fault->row->channel : fault->any ? -1 : VHU_FRONT_END;
	bool some = false;

	if (fault->row && reader->channel >= 0 && reader->channel != own)
		return wrong(reader, at, "%s is not on the %s channel", fault->row->name,
			     vhu_channel_name((enum vhu_channel)reader->channel));
	if (reader->side == -2 && reader->reply < 0 && !fault->any)
		reader->reply = 0;
	for (int channel = 0; channel < VHU_CHANNELS; channel++) {
		const int wanted = reader->channel >= 0 ? reader->channel : own;

		for (int from = 0; from < 2; from++) {
			const int reply = from != (channel != VHU_FRONT_END);

			fault->of[channel][from] = (wanted < 0 || wanted == channel) &&
						   (reader->side < 0 || reader->side == from) &&
						   (reader->reply < 0 || reader->reply == reply);
			some |= fault->of[channel][from];
		}
	}
	if (!some)
		return wrong(reader, at, "the %s-end sends no %s on that channel",
			     reader->side ? "back" : "front",
			     reader->reply ? "replies" : "requests");
	return 0;
}

/* Read what a field is compared to. @word: the whole. Returns 0 or -EINVAL. */
static int read_condition(struct vhu_fault_reader *reader, struct vhu_word word)
{
	struct vhu_fault *fault = reader->fault;
	struct vhu_word name = name_of(word), value;
	struct vhu_fault_condition *condition = &fault->condition[fault->conditions];
	const bool two = name.size + 1 < word.size && !memcmp(name.at + name.size, "!=", 2);
	static const char operators[] = "=!<>&";
	enum vhu_names_id names;
	char what[256];

	if (!name.size || (name.at[name.size] == '!' && !two))
		return wrong(reader, word.at, "%.*s: neither a condition nor \":\"", (int)word.size,
			     word.at);
	if (fault->conditions == VHU_FAULT_CONDITIONS_MAX)
		return wrong(reader, word.at, "more than %d conditions", VHU_FAULT_CONDITIONS_MAX);
	if (fault->of_signals && !vhu_word_is(name, "vring"))
		return wrong(reader, word.at, "a kick or a call has vring and no %.*s",
			     (int)name.size, name.at);
	condition->compare =
	    (enum vhu_fault_operator)(strchr(operators, name.at[name.size]) - operators);
	value.at = name.at + name.size + 1 + two;
	value.size = word.size - name.size - 1 - two;
	if (vhu_fault_field_find(fault, name, &condition->field, &names, what, sizeof(what)))
		return wrong(reader, name.at, "%s", what);
	if (vhu_fault_value_read(names, value, &condition->value, what, sizeof(what)))
		return wrong(reader, value.at, "%s", what);
	fault->conditions++;
	return 0;
}

/* Read what stands between the subject and the colon. Returns 0 or -EINVAL. */
static int read_conditions(struct vhu_fault_reader *reader, const char *subject)
{
	const char *begin = reader->at;
	struct vhu_word word;
	int known;

	while ((word = next_word(reader, ":")).size) {
		known = read_keyword(reader, word);
		if (known < 0)
			return known;
		if (!known && name_of(word).size == word.size)
			return wrong(reader, word.at, "%.*s: neither a condition nor \":\"",
				     (int)word.size, word.at);
	}
	if (*reader->at != ':')
		return wrong(reader, reader->at, "no \":\", and so nothing to do");
	if (decide_senders(reader, subject))
		return -EINVAL;
	reader->at = begin;
	while ((word = next_word(reader, ":")).size) {
		known = read_keyword(reader, word);
		if (known < 0 || (!known && read_condition(reader, word)))
			return -EINVAL;
	}
	return 0;
}

int vhu_fault_parse(struct vhu_fault *fault, const char *text, struct vhu_fault_error *error)
{
	struct vhu_fault_reader reader = {
	    .text = text, .at = text, .fault = fault, .error = error, .reply = -1, .channel = -1};
	struct vhu_action_error bad;
	const char *subject;

	memset(fault, 0, sizeof(*fault));
	fault->first = fault->every = fault->chance = fault->among = 1;
	fault->last = UINT64_MAX;
	if (strlen(text) > VHU_FAULT_TEXT_MAX)
		return wrong(&reader, text + VHU_FAULT_TEXT_MAX, "a fault has at most %d bytes",
			     VHU_FAULT_TEXT_MAX);
	subject = text + strspn(text, " \t");
	if (read_subject(&reader) || read_conditions(&reader, subject))
		return -EINVAL;
	reader.at++;
	if (vhu_fault_actions_read(fault, reader.at, &bad))
		return wrong(&reader, bad.at, "%s", bad.what);
	return 0;
}
