/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that is looked through: lines that are broken where the screen ends, from some place on.
 *
 * Ownership: a page owns its lines.
 */
#ifndef VHU_TOOLS_TOP_SCREEN_PAGE_H
#define VHU_TOOLS_TOP_SCREEN_PAGE_H

#include <stdbool.h>

/* The most lines that are kept: the latest. */
#define VHU_TOP_PAGE_LINES 1000

struct vhu_top_page {
	char **line;
	unsigned lines;
	unsigned from; /* the row that is shown first */
	bool grows;    /* its end is what matters */
	bool follows;  /* it shows its end until a key scrolls away */
};

/* Add the lines of a text, without what a terminal would act on. Out of memory some are missing. */
void vhu_top_page_add(struct vhu_top_page *page, const char *text);

/* Forget the lines, not the place. */
void vhu_top_page_clear(struct vhu_top_page *page);

/* Return how many rows of @width columns the page takes. */
unsigned vhu_top_page_rows(const struct vhu_top_page *page, int width);

/* Scroll by @by rows, of a window of @rows. */
void vhu_top_page_scroll(struct vhu_top_page *page, int by, int width, int rows);

/* Write row @row, of @width columns, to @to, which has room for them and a NUL. */
void vhu_top_page_row(const struct vhu_top_page *page, unsigned row, int width, char *to);

#endif
