/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts, each kept once. */
#include "tools/report/gather/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Return the hash of a text (FNV-1a). */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

/* Return the slot that a text is in, or that is free for it. */
static uint32_t *slot_of(const struct vhu_texts *texts, const char *text)
{
	uint32_t at = hash_of(text);

	for (;; at++) {
		uint32_t *slot = &texts->slot[at & (texts->slots - 1)];

		if (!*slot || !strcmp(texts->text[*slot - 1], text))
			return slot;
	}
}

/* Make room for another text. Returns 0 or -ENOMEM. */
static int make_room(struct vhu_texts *texts)
{
	uint32_t room = texts->room ? texts->room * 2 : 256;
	char **text;

	if (texts->count < texts->room)
		return 0;
	text = realloc(texts->text, room * sizeof(*text));
	if (!text)
		return -ENOMEM;
	texts->text = text;
	free(texts->slot);
	texts->slot = calloc(room * 2, sizeof(*texts->slot));
	texts->slots = texts->slot ? room * 2 : 0;
	texts->room = texts->slot ? room : 0;
	if (!texts->slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < texts->count; i++)
		*slot_of(texts, texts->text[i]) = i + 1;
	return 0;
}

int vhu_texts_keep(struct vhu_texts *texts, const char *text, uint32_t *place)
{
	uint32_t *slot;
	int error = make_room(texts);

	if (error)
		return error;
	slot = slot_of(texts, text);
	if (!*slot) {
		char *copy = strdup(text);

		if (!copy)
			return -ENOMEM;
		texts->text[texts->count++] = copy;
		*slot = texts->count;
	}
	*place = *slot - 1;
	return 0;
}

void vhu_texts_free(struct vhu_texts *texts)
{
	for (uint32_t i = 0; i < texts->count; i++)
		free(texts->text[i]);
	free(texts->text);
	free(texts->slot);
	*texts = (struct vhu_texts){0};
}
