/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of vhu top. */
#include "tools/top/screen/keys.h"

#include <curses.h>

#define ESCAPE 27

const struct vhu_top_key vhu_top_keys[] = {
    {'q', 'Q', VHU_TOP_QUIT, "q", "quit"},
    {'h', '?', VHU_TOP_HELP, "h ?", "this help"},
    {KEY_UP, 'k', VHU_TOP_UP, "Up k", "a row up, or scroll"},
    {KEY_DOWN, 'j', VHU_TOP_DOWN, "Down j", "a row down, or scroll"},
    {KEY_PPAGE, 0, VHU_TOP_PAGE_UP, "PgUp PgDn", "a page up or down"},
    {KEY_NPAGE, 0, VHU_TOP_PAGE_DOWN, 0, 0},
    {KEY_HOME, 'g', VHU_TOP_FIRST, "Home End", "the first or the last row"},
    {KEY_END, 'G', VHU_TOP_LAST, 0, 0},
    {'\n', '\r', VHU_TOP_ENTER, "Enter", "look into the session: its state, vrings, messages"},
    {KEY_ENTER, 0, VHU_TOP_ENTER, 0, 0},
    {ESCAPE, KEY_BACKSPACE, VHU_TOP_BACK_OUT, "Esc", "back to all sessions; without a filter"},
    {'\t', 0, VHU_TOP_NEXT_PAGE, "Tab 1 2 3", "in a session: its other pages"},
    {'1', 0, VHU_TOP_PAGE_1, 0, 0},
    {'2', 0, VHU_TOP_PAGE_2, 0, 0},
    {'3', 0, VHU_TOP_PAGE_3, 0, 0},
    {'/', 0, VHU_TOP_FILTER, "/", "show only what has this text in a name or the state"},
    {'<', KEY_LEFT, VHU_TOP_SORT_LEFT, "< >", "sort by the next column to the left or right"},
    {'>', KEY_RIGHT, VHU_TOP_SORT_RIGHT, 0, 0},
    {'r', 0, VHU_TOP_REVERSE, "r", "sort the other way round"},
    {'p', ' ', VHU_TOP_PAUSE, "p Space", "pause, and go on"},
    {'+', '=', VHU_TOP_SLOWER, "+ -", "look less or more often"},
    {'-', 0, VHU_TOP_FASTER, 0, 0},
    {0},
};

enum vhu_top_action vhu_top_key_action(int key)
{
	for (const struct vhu_top_key *at = vhu_top_keys; at->key; at++)
		if (key == at->key || (key == at->other && key))
			return at->action;
	return VHU_TOP_NOTHING;
}
