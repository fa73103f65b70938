/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts, each kept once: most of the lines of a long capture are the same ones again and again.
 *
 * Ownership: a struct vhu_texts starts as all zero; vhu_texts_free frees what it holds.
 */
#ifndef VHU_TOOLS_REPORT_TEXTS_H
#define VHU_TOOLS_REPORT_TEXTS_H

#include <stddef.h>
#include <stdint.h>

struct vhu_texts {
	char **text;
	uint32_t count, room;
	uint32_t *slot; /* by hash: a place in `text` plus 1; 0: free */
	uint32_t slots; /* a power of two, at least twice `count` */
};

/* Keep a text. Returns 0 and its place in *@place; -ENOMEM. */
int vhu_texts_keep(struct vhu_texts *texts, const char *text, uint32_t *place);

/* Free what @texts holds. */
void vhu_texts_free(struct vhu_texts *texts);

#endif
