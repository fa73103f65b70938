/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where somebody is in vhu top, and what keys do about it. No curses. */
#ifndef VHU_TOOLS_TOP_SCREEN_UI_H
#define VHU_TOOLS_TOP_SCREEN_UI_H

#include "tools/top/screen/detail.h"
#include "tools/top/screen/keys.h"
#include "tools/top/table/view.h"

/* How often vhu top looks, at the least and at the most. */
#define VHU_TOP_DELAY_LEAST UINT64_C(100000000)
#define VHU_TOP_DELAY_MOST  UINT64_C(60000000000)

struct vhu_top_ui {
	struct vhu_top_view view;
	struct vhu_top_detail detail;
	bool quit, paused, help;
	bool typing;               /* a filter is being typed */
	char before[VHU_TOP_WORD]; /* the filter that was there before */
	/* The row that the cursor is on, which it stays on while rows change their places. */
	char source[VHU_TOP_PLAIN];
	uint64_t session;
	int64_t vring;
	unsigned at;   /* its place */
	unsigned from; /* the row that is shown first */
	uint64_t delay_ns;
	struct vhu_top_page help_page;
	/* The screen, as it was drawn last. */
	int columns, rows; /* of the table, or of a page */
};

/* Find the row that the cursor is on among those that are shown now. */
void vhu_top_ui_settle(struct vhu_top_ui *ui);

/* Do what a key says, as curses tells it. */
void vhu_top_ui_key(struct vhu_top_ui *ui, int key);

/* Return the page that is shown in place of the table; NULL: the table is. */
struct vhu_top_page *vhu_top_ui_page(struct vhu_top_ui *ui);

void vhu_top_ui_free(struct vhu_top_ui *ui);

#endif
