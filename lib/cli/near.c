/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The name that a person may have meant who wrote another. */
#include "lib/cli/near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Longer names are not compared. */
#define NAME_MAX 40

/* Return the smaller number. */
static unsigned least(unsigned one, unsigned other)
{
	return one < other ? one : other;
}

/* Return whether two letters are the same, whatever their case. */
static bool is_same(char one, char other)
{
	return tolower((unsigned char)one) == tolower((unsigned char)other);
}

/* Return the number of letters to insert, to leave out, to replace, and of neighbours to exchange,
 * until one name is the other. */
static unsigned count_changes(const char *one, size_t ones, const char *other, size_t others)
{
	unsigned row[3][NAME_MAX + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2];

	for (unsigned j = 0; j <= others; j++)
		last[j] = j;
	for (unsigned i = 1; i <= ones; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (unsigned j = 1; j <= others; j++) {
			now[j] = last[j - 1] + !is_same(one[i - 1], other[j - 1]);
			now[j] = least(now[j], least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && is_same(one[i - 1], other[j - 2]) &&
			    is_same(one[i - 2], other[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[others];
}

void vhu_near_look(struct vhu_near *near, const char *name)
{
	const size_t word = strlen(near->word), size = strlen(name);
	unsigned changes;

	if (word > NAME_MAX || size > NAME_MAX)
		return;
	changes = count_changes(near->word, word, name, size);
	/* With a change for every third letter a word can still be recognized. */
	if (3 * changes > (word > size ? word : size) || (near->name && changes >= near->changes))
		return;
	near->name = name;
	near->changes = changes;
}

const char *vhu_near_hint(const struct vhu_near *near, char to[VHU_NEAR_MAX])
{
	if (near->name)
		snprintf(to, VHU_NEAR_MAX, "; did you mean %s?", near->name);
	else
		*to = '\0';
	return to;
}
