/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screen of vhu top: all of curses but the names of keys. */
#ifndef VHU_TOOLS_TOP_SCREEN_SCREEN_H
#define VHU_TOOLS_TOP_SCREEN_SCREEN_H

#include "tools/top/screen/ui.h"

/* Take the terminal. Returns 0; -ENODEV: it cannot place the cursor, or is not known. */
int vhu_top_screen_open(void);

/* Draw all there is to see. */
void vhu_top_screen_draw(struct vhu_top_ui *ui);

/* Return the next key that was pressed; -1: none. */
int vhu_top_screen_key(void);

/* Give the terminal back as it was. */
void vhu_top_screen_close(void);

#endif
