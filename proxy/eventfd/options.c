/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of the proxy as to kicks and calls. */
#include "proxy/eventfd/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTIFY_BETWEEN " \t,"

/* A word of the text. */
struct word {
	const char *at, *end;
};

/* Return whether @word is @text. */
static bool word_is(const struct word *word, const char *text)
{
	size_t length = (size_t)(word->end - word->at);

	return strlen(text) == length && !strncmp(word->at, text, length);
}

/* Take @prefix off @word. Returns whether it was there. */
static bool word_skip(struct word *word, const char *prefix)
{
	if (strncmp(word->at, prefix, strlen(prefix)))
		return false;
	word->at += strlen(prefix);
	return true;
}

/* Take a number between @least and @most off @word. Returns whether there was one. */
static bool word_number(struct word *word, uint64_t least, uint64_t most, uint64_t *value)
{
	char *stop;

	if (word->at == word->end || *word->at < '0' || *word->at > '9')
		return false;
	errno = 0;
	*value = strtoull(word->at, &stop, 10);
	if (errno || *value < least || *value > most)
		return false;
	word->at = stop;
	return true;
}

/* Take "3" or "0-7" as numbers of vrings. Returns whether it is. */
static bool notify_vrings(struct vhu_eventfd_options *notify, struct word word)
{
	const uint64_t most = VHU_EVENTFD_VRINGS - 1;
	uint64_t first, last;

	if (!word_number(&word, 0, most, &first))
		return false;
	last = first;
	if (word_skip(&word, "-") && !word_number(&word, first, most, &last))
		return false;
	if (word.at != word.end)
		return false;
	for (uint64_t i = first; i <= last; i++)
		notify->vring[i] = true;
	return true;
}

/* Take what kind of signal is meant. Returns whether it is one. */
static bool notify_role(struct vhu_eventfd_options *notify, const struct word *word)
{
	for (enum vhu_vring_role role = VHU_KICK; role < VHU_VRING_ROLES; role++) {
		if (word_is(word, vhu_vring_role_name(role)))
			return notify->role[role] = true;
	}
	return false;
}

/*
 * Take a word.
 * @list: whether numbers of vrings may follow, after it and before.
 * Returns whether it means anything.
 */
static bool notify_word(struct vhu_eventfd_options *notify, struct word word, bool *list)
{
	if (word_skip(&word, "vring="))
		*list = true;
	else if (*word.at < '0' || *word.at > '9')
		*list = false;
	if (*list)
		return notify_vrings(notify, word);
	if (word_skip(&word, "session="))
		return word_number(&word, 1, UINT64_MAX, &notify->session) && word.at == word.end;
	return word_is(&word, "all") || notify_role(notify, &word);
}

/* Let all be meant where none is named. */
static void notify_complete(bool *of, unsigned count)
{
	bool any = false;

	for (unsigned i = 0; i < count; i++)
		any |= of[i];
	for (unsigned i = 0; i < count; i++)
		of[i] |= !any;
}

int vhu_eventfd_options_parse(struct vhu_eventfd_options *notify, const char *text, char *error,
			      size_t size)
{
	struct word word = {.end = text ? text : ""};
	bool list = false;

	memset(notify->role, 0, sizeof(notify->role));
	memset(notify->vring, 0, sizeof(notify->vring));
	notify->session = 0;
	for (;;) {
		word.at = word.end + strspn(word.end, NOTIFY_BETWEEN);
		if (!*word.at)
			break;
		word.end = word.at + strcspn(word.at, NOTIFY_BETWEEN);
		if (notify_word(notify, word, &list))
			continue;
		snprintf(
		    error, size,
		    "%.*s: cannot be interposed: name vring=0,2-3 session=1 kick call err, or all",
		    (int)(word.end - word.at), word.at);
		return -EINVAL;
	}
	notify_complete(notify->role, VHU_VRING_ROLES);
	notify_complete(notify->vring, VHU_EVENTFD_VRINGS);
	return 0;
}
