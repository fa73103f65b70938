/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session that is looked into: its state and its messages, as its proxy tells them, and its
 * vrings with verdicts, as vhu rings says them. vhu rings runs as a process of its own, for it
 * reads memory and takes its time.
 *
 * Ownership: a detail owns its connection, its process and its pages.
 */
#ifndef VHU_TOOLS_TOP_SCREEN_DETAIL_H
#define VHU_TOOLS_TOP_SCREEN_DETAIL_H

#include "tools/top/screen/page.h"
#include "tools/top/sources/child.h"
#include "tools/top/sources/talk.h"
#include "tools/top/table/view.h"

enum vhu_top_detail_page {
	VHU_TOP_PAGE_STATE,
	VHU_TOP_PAGE_VRINGS,
	VHU_TOP_PAGE_MESSAGES,
	VHU_TOP_PAGES
};

struct vhu_top_detail {
	bool open;
	struct vhu_top_row row; /* that it was opened at */
	enum vhu_top_detail_page shown;
	struct vhu_top_page page[VHU_TOP_PAGES];
	struct vhu_top_page fresh; /* what vhu rings has said so far */
	struct vhu_top_talk talk;
	struct vhu_top_child rings;
	struct vhu_top_child attach; /* tells the messages where there is no proxy */
	uint64_t rings_ns;           /* when it ended last */
	bool ended;                  /* the session */
};

/* Return the name of a page. */
const char *vhu_top_detail_page_name(enum vhu_top_detail_page page);

/* Look into the session of @row. */
void vhu_top_detail_open(struct vhu_top_detail *detail, const struct vhu_top_row *row);

/* Ask again: it is time to. */
void vhu_top_detail_tick(struct vhu_top_detail *detail, uint64_t now_ns);

/* Descriptors to wait for, -1 for none; vhu_top_detail_read takes what has come. */
#define VHU_TOP_DETAIL_FDS 5
void vhu_top_detail_fds(const struct vhu_top_detail *detail, int fd[VHU_TOP_DETAIL_FDS]);
void vhu_top_detail_read(struct vhu_top_detail *detail, uint64_t now_ns);

void vhu_top_detail_close(struct vhu_top_detail *detail);

#endif
