/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of vhu top: one table, which the help shows too. */
#ifndef VHU_TOOLS_TOP_SCREEN_KEYS_H
#define VHU_TOOLS_TOP_SCREEN_KEYS_H

enum vhu_top_action {
	VHU_TOP_NOTHING,
	VHU_TOP_QUIT,
	VHU_TOP_HELP,
	VHU_TOP_UP,
	VHU_TOP_DOWN,
	VHU_TOP_PAGE_UP,
	VHU_TOP_PAGE_DOWN,
	VHU_TOP_FIRST,
	VHU_TOP_LAST,
	VHU_TOP_ENTER,
	VHU_TOP_BACK_OUT,
	VHU_TOP_NEXT_PAGE,
	VHU_TOP_PAGE_1,
	VHU_TOP_PAGE_2,
	VHU_TOP_PAGE_3,
	VHU_TOP_FILTER,
	VHU_TOP_SORT_LEFT,
	VHU_TOP_SORT_RIGHT,
	VHU_TOP_REVERSE,
	VHU_TOP_PAUSE,
	VHU_TOP_FASTER,
	VHU_TOP_SLOWER,
};

/* A line of the help. */
struct vhu_top_key {
	int key, other; /* as curses tells them; 0: none */
	enum vhu_top_action action;
	const char *name, *help; /* NULL: the line before has them */
};

/* All of them; ends with a zeroed row. */
extern const struct vhu_top_key vhu_top_keys[];

/* Return what a key does. */
enum vhu_top_action vhu_top_key_action(int key);

#endif
