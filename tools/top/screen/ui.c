/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where somebody is in vhu top, and what keys do about it. */
#include "tools/top/screen/ui.h"

#include <stdio.h>
#include <string.h>

#define ESCAPE 27
#define DELETE 127

/* Remember the row that the cursor is on. */
static void keep(struct vhu_top_ui *ui)
{
	const struct vhu_top_row *row;

	if (ui->at >= ui->view.rows)
		return;
	row = ui->view.row[ui->at];
	memcpy(ui->source, row->source, sizeof(ui->source));
	ui->session = row->session;
	ui->vring = row->vring;
}

void vhu_top_ui_settle(struct vhu_top_ui *ui)
{
	for (unsigned i = 0; i < ui->view.rows; i++) {
		const struct vhu_top_row *row = ui->view.row[i];

		if (row->session == ui->session && row->vring == ui->vring &&
		    !strcmp(row->source, ui->source)) {
			ui->at = i;
			break;
		}
	}
	if (ui->at >= ui->view.rows)
		ui->at = ui->view.rows ? ui->view.rows - 1 : 0;
	keep(ui);
	if (ui->at < ui->from)
		ui->from = ui->at;
	if (ui->rows > 0 && ui->at >= ui->from + (unsigned)ui->rows)
		ui->from = ui->at - (unsigned)ui->rows + 1;
	/* No empty rows at the end while there are others above. */
	if (ui->rows > 0 && ui->from + (unsigned)ui->rows > ui->view.rows)
		ui->from =
		    ui->view.rows > (unsigned)ui->rows ? ui->view.rows - (unsigned)ui->rows : 0;
}

/* Filter and sort again. */
static void arrange(struct vhu_top_ui *ui)
{
	vhu_top_view_arrange(&ui->view);
	vhu_top_ui_settle(ui);
}

struct vhu_top_page *vhu_top_ui_page(struct vhu_top_ui *ui)
{
	if (ui->help)
		return &ui->help_page;
	return ui->detail.open ? &ui->detail.page[ui->detail.shown] : NULL;
}

/* Go @by rows down, or up, or scroll. */
static void move_by(struct vhu_top_ui *ui, int by)
{
	struct vhu_top_page *page = vhu_top_ui_page(ui);
	int at = (int)ui->at + by;

	if (page) {
		vhu_top_page_scroll(page, by, ui->columns, ui->rows);
		return;
	}
	if (at >= (int)ui->view.rows)
		at = (int)ui->view.rows - 1;
	ui->at = at > 0 ? (unsigned)at : 0;
	keep(ui);
	vhu_top_ui_settle(ui);
}

/* Sort by the next column that is on the screen. @by: 1 to the right, -1 to the left. */
static void sort_by_next(struct vhu_top_ui *ui, int by)
{
	do
		ui->view.sort =
		    (unsigned)((int)(ui->view.sort + vhu_top_columns) + by) % vhu_top_columns;
	while (vhu_top_column[ui->view.sort].from > ui->columns);
	arrange(ui);
}

/* Take a key while a filter is typed. */
static void type(struct vhu_top_ui *ui, int key)
{
	size_t length = strlen(ui->view.filter);

	if (vhu_top_key_action(key) == VHU_TOP_ENTER) {
		ui->typing = false;
	} else if (key == ESCAPE) {
		strcpy(ui->view.filter, ui->before);
		ui->typing = false;
	} else if (vhu_top_key_action(key) == VHU_TOP_BACK_OUT || key == DELETE || key == '\b') {
		ui->view.filter[length ? length - 1 : 0] = '\0';
	} else if (key >= ' ' && key < DELETE && length + 1 < sizeof(ui->view.filter)) {
		ui->view.filter[length] = (char)key;
		ui->view.filter[length + 1] = '\0';
	}
	arrange(ui);
}

/* Look into the session that the cursor is on. */
static void enter(struct vhu_top_ui *ui)
{
	if (ui->help || ui->detail.open || ui->at >= ui->view.rows)
		return;
	if (!ui->view.row[ui->at]->note)
		vhu_top_detail_open(&ui->detail, ui->view.row[ui->at]);
}

/* Leave what is in front of the table; else the filter. */
static void back_out(struct vhu_top_ui *ui)
{
	if (ui->help) {
		ui->help = false;
	} else if (ui->detail.open) {
		vhu_top_detail_close(&ui->detail);
	} else {
		*ui->view.filter = '\0';
		arrange(ui);
	}
}

/* Show the help, made of the table of keys. */
static void show_help(struct vhu_top_ui *ui)
{
	static const char states[] =
	    " \n"
	    "off: not started.  on: its kicks and calls are not counted (vhu proxy "
	    "--interpose-eventfds does).\n"
	    "listens, quiet: probes have no traffic of the session yet, or had none for 4 s. A "
	    "vring that hung before shows none.\n"
	    "idle, runs: without or with kicks and calls.  polls: it needs no kicks.\n"
	    "waits: kicks without a call, as buffers for input have; of a session, eventfds that "
	    "are not read.\n"
	    "noreply: a request of its session has waited too long for its reply.\n"
	    "stalled: its kicks have waited too long, or the proxy or vhu rings says that it "
	    "hangs.\n"
	    "MSG/s: messages, which a proxy counts. Probes do not see them: vhu attach records "
	    "them.\n"
	    "WAIT, AGE: kicks without a call, and how long the oldest has waited.\n"
	    "P50, P99, MAX: from kick to call, in the time since the last look.";
	char line[128];

	vhu_top_page_clear(&ui->help_page);
	for (const struct vhu_top_key *key = vhu_top_keys; key->key; key++) {
		if (!key->name)
			continue;
		snprintf(line, sizeof(line), "%-10s %s", key->name, key->help);
		vhu_top_page_add(&ui->help_page, line);
	}
	vhu_top_page_add(&ui->help_page, states);
	ui->help_page.from = 0;
	ui->help = true;
}

/* Look less or more often: twice or half. */
static void change_delay(struct vhu_top_ui *ui, bool slower)
{
	const uint64_t delay = slower ? ui->delay_ns * 2 : ui->delay_ns / 2;

	if (delay >= VHU_TOP_DELAY_LEAST && delay <= VHU_TOP_DELAY_MOST)
		ui->delay_ns = delay;
}

/* Show a page of the session that is looked into. */
static void show_page(struct vhu_top_ui *ui, unsigned page)
{
	ui->detail.shown = (enum vhu_top_detail_page)(page % VHU_TOP_PAGES);
}

/* Do what a key says that moves something. Returns whether it does. */
static bool move_key(struct vhu_top_ui *ui, enum vhu_top_action action)
{
	const int page = ui->rows > 1 ? ui->rows - 1 : 1, far = 1 << 20;

	switch (action) {
	case VHU_TOP_UP:
		move_by(ui, -1);
		break;
	case VHU_TOP_DOWN:
		move_by(ui, 1);
		break;
	case VHU_TOP_PAGE_UP:
		move_by(ui, -page);
		break;
	case VHU_TOP_PAGE_DOWN:
		move_by(ui, page);
		break;
	case VHU_TOP_FIRST:
		move_by(ui, -far);
		break;
	case VHU_TOP_LAST:
		move_by(ui, far);
		break;
	default:
		return false;
	}
	return true;
}

/* Do what a key says that changes what the table shows. */
static void table_key(struct vhu_top_ui *ui, enum vhu_top_action action)
{
	switch (action) {
	case VHU_TOP_FILTER:
		strcpy(ui->before, ui->view.filter);
		ui->typing = !vhu_top_ui_page(ui);
		break;
	case VHU_TOP_SORT_LEFT:
		sort_by_next(ui, -1);
		break;
	case VHU_TOP_SORT_RIGHT:
		sort_by_next(ui, 1);
		break;
	case VHU_TOP_REVERSE:
		ui->view.reverse = !ui->view.reverse;
		arrange(ui);
		break;
	case VHU_TOP_PAUSE:
		ui->paused = !ui->paused;
		break;
	case VHU_TOP_FASTER:
	case VHU_TOP_SLOWER:
		change_delay(ui, action == VHU_TOP_SLOWER);
		break;
	default:
		break;
	}
}

void vhu_top_ui_key(struct vhu_top_ui *ui, int key)
{
	const enum vhu_top_action action = vhu_top_key_action(key);

	if (ui->typing) {
		type(ui, key);
		return;
	}
	if (move_key(ui, action))
		return;
	switch (action) {
	case VHU_TOP_QUIT:
		ui->quit = true;
		break;
	case VHU_TOP_HELP:
		show_help(ui);
		break;
	case VHU_TOP_ENTER:
		enter(ui);
		break;
	case VHU_TOP_BACK_OUT:
		back_out(ui);
		break;
	case VHU_TOP_NEXT_PAGE:
		show_page(ui, ui->detail.shown + 1);
		break;
	case VHU_TOP_PAGE_1:
	case VHU_TOP_PAGE_2:
	case VHU_TOP_PAGE_3:
		show_page(ui, action - VHU_TOP_PAGE_1);
		break;
	default:
		table_key(ui, action);
		break;
	}
}

void vhu_top_ui_free(struct vhu_top_ui *ui)
{
	vhu_top_detail_close(&ui->detail);
	vhu_top_page_clear(&ui->help_page);
	vhu_top_view_free(&ui->view);
}
