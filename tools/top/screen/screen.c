/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The screen of vhu top. */
#include "tools/top/screen/screen.h"

#include <curses.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util/duration.h"
#include "lib/util/util.h"
#include "tools/top/table/text.h"

/* Lines above the table: two of summary and its heading; and one of keys below. */
#define HEAD         3
#define FOOT         1
/* Rows of the session that is looked into, at the most. */
#define SESSION_ROWS 6
/* A screen of fewer rows or columns has no room for hints. */
#define HINT_ROWS    8
#define HINT_COLUMNS 60
/* Columns before a row, for the cursor. */
#define MARGIN       1
/* Columns for a name, at the most. */
#define NAME_MOST    40
/* A wider screen is not used. */
#define COLUMNS_MAX  512

enum { COLOUR_BAD = 1, COLOUR_WAITS, COLOUR_RUNS };

static SCREEN *screen;
static bool coloured;

int vhu_top_screen_open(void)
{
	const char *plain = getenv("NO_COLOR");

	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENODEV;
	if (!tigetstr("cup")) {
		vhu_top_screen_close();
		return -ENODEV;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	coloured = has_colors() && !(plain && *plain);
	if (coloured) {
		start_color();
		use_default_colors();
		init_pair(COLOUR_BAD, COLOR_RED, -1);
		init_pair(COLOUR_WAITS, COLOR_YELLOW, -1);
		init_pair(COLOUR_RUNS, COLOR_GREEN, -1);
	}
	return 0;
}

int vhu_top_screen_key(void)
{
	const int key = getch();

	return key == ERR ? -1 : key;
}

void vhu_top_screen_close(void)
{
	if (!screen)
		return;
	/* Where there is no other screen to go back to, the next line is free. */
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
	delscreen(screen);
	screen = NULL;
}

/* Write a line of the screen, cut where that ends. */
static void put_line(int y, const char *text, attr_t how)
{
	attrset(how);
	mvaddnstr(y, 0, text, COLS);
	clrtoeol();
	attrset(A_NORMAL);
}

/* Write the same from one edge to the other. */
static void put_bar(int y, const char *text)
{
	attrset(A_REVERSE);
	mvprintw(y, 0, "%-*.*s", COLS, COLS, text);
	attrset(A_NORMAL);
}

/* Return how a state looks. */
static attr_t look_of(enum vhu_top_state state)
{
	switch (state) {
	case VHU_TOP_STALLED:
	case VHU_TOP_NOREPLY:
		return A_BOLD | (coloured ? (attr_t)COLOR_PAIR(COLOUR_BAD) : 0);
	case VHU_TOP_WAITS:
	case VHU_TOP_QUIET:
		return coloured ? (attr_t)COLOR_PAIR(COLOUR_WAITS) : A_NORMAL;
	case VHU_TOP_RUNS:
	case VHU_TOP_POLLS:
		return coloured ? (attr_t)COLOR_PAIR(COLOUR_RUNS) : A_NORMAL;
	default:
		return A_NORMAL;
	}
}

/* Return how wide a column is, 0: it is not shown. */
static int width_of(const struct vhu_top_column *column)
{
	int left = COLS - MARGIN;

	if (column->from > COLS)
		return 0;
	if (column->width)
		return column->width;
	for (unsigned i = 0; i < vhu_top_columns; i++)
		if (vhu_top_column[i].from <= COLS)
			left -= vhu_top_column[i].width + (vhu_top_column[i].width > 0);
	return left < 1 ? 1 : left < NAME_MOST ? left : NAME_MOST;
}

/* Cut a text that is too long: of a path its end says most, but for what all sockets are called. */
static const char *fit(char *text, int width)
{
	static const char ending[] = ".sock";
	char *slash = strrchr(text, '/'), *tail = slash ? slash + 1 : text;
	size_t length = strlen(tail);

	if ((int)strlen(text) <= width)
		return text;
	if (length >= sizeof(ending) && !strcmp(tail + length - strlen(ending), ending)) {
		length -= strlen(ending);
		tail[length] = '\0';
	}
	if ((int)length <= width)
		return tail;
	tail += length - (size_t)width;
	*tail = '~';
	return tail;
}

/* Write the heading of the table. */
static void draw_heading(int y, const struct vhu_top_view *view)
{
	int x = MARGIN;

	put_bar(y, "");
	for (unsigned i = 0; i < vhu_top_columns && x < COLS; i++) {
		const struct vhu_top_column *column = &vhu_top_column[i];
		const int width = width_of(column);

		if (!width)
			continue;
		attrset(A_REVERSE | (i == view->sort ? A_BOLD | A_UNDERLINE : 0));
		mvprintw(y, x, column->left ? "%-*.*s" : "%*.*s", width, width, column->heading);
		x += width + 1;
	}
	attrset(A_NORMAL);
}

/* Write a row of the table. */
static void draw_row(int y, const struct vhu_top_row *row, bool marked)
{
	const attr_t how = marked ? A_REVERSE : A_NORMAL;
	char text[VHU_TOP_PLAIN];
	int x = MARGIN;

	attrset(how);
	mvprintw(y, 0, "%-*s", COLS, marked ? ">" : "");
	if (row->note) {
		mvaddnstr(y, x, row->name, COLS - x);
		attrset(A_NORMAL);
		return;
	}
	for (unsigned i = 0; i < vhu_top_columns && x < COLS; i++) {
		const struct vhu_top_column *column = &vhu_top_column[i];
		const int width = width_of(column);

		if (!width)
			continue;
		column->text(row, text, sizeof(text));
		attrset(i + 1 == vhu_top_columns ? how | look_of(row->state) : how);
		mvprintw(y, x, column->left ? "%-*s" : "%*s", width, fit(text, width));
		x += width + 1;
	}
	attrset(A_NORMAL);
}

/* Write how many there are of what, in words. */
static void put_count(char *to, size_t size, unsigned count, const char *what)
{
	const size_t length = strlen(to);

	snprintf(to + length, size - length, "%s%u %s%s", length ? "  " : "", count, what,
		 count == 1 ? "" : "s");
}

/* Write the summary. */
static void draw_summary(const struct vhu_top_ui *ui)
{
	const struct vhu_top_view *view = &ui->view;
	static const enum vhu_top_state named[] = {VHU_TOP_STALLED, VHU_TOP_NOREPLY, VHU_TOP_WAITS,
						   VHU_TOP_QUIET,   VHU_TOP_LISTENS, VHU_TOP_POLLS,
						   VHU_TOP_RUNS};
	char line[COLUMNS_MAX] = "", kicks[VHU_TOP_NUMBER_SIZE], calls[VHU_TOP_NUMBER_SIZE];
	char every[VHU_TOP_NUMBER_SIZE];
	const char *comma = ": ";

	put_count(line, sizeof(line), view->sources, "source");
	if (view->gone)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ", %u gone", view->gone);
	put_count(line, sizeof(line), view->sessions, "session");
	put_count(line, sizeof(line), view->vrings, "vring");
	for (size_t i = 0; i < VHU_ARRAY_SIZE(named); i++) {
		if (!view->in_state[named[i]])
			continue;
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%u %s", comma,
			 view->in_state[named[i]], vhu_top_state_name(named[i]));
		comma = ", ";
	}
	put_line(0, line, A_BOLD);
	snprintf(line, sizeof(line), "kicks %s/s  calls %s/s  every %s  sorted by %s%s%s%s%s",
		 vhu_top_amount_text(view->kicks_per_s, kicks),
		 vhu_top_amount_text(view->calls_per_s, calls),
		 vhu_top_time_text(ui->delay_ns, every), vhu_top_column[view->sort].name,
		 view->reverse ? ", reversed" : "",
		 *view->filter && !ui->typing ? "  filter: " : "", ui->typing ? "" : view->filter,
		 ui->paused ? "  PAUSED" : "");
	put_line(1, line, A_NORMAL);
}

/* Write below the table what would give a verdict on the session that the cursor is on. Returns how
 * many lines that takes. */
static int draw_hint(const struct vhu_top_ui *ui)
{
	const struct vhu_top_row *row = ui->at < ui->view.rows ? ui->view.row[ui->at] : NULL;
	char text[2 * VHU_TOP_NAME], line[COLUMNS_MAX + 1];
	struct vhu_top_page page = {0};
	int lines;

	if (!row || row->note || !*row->hint || ui->rows < HINT_ROWS || ui->columns < HINT_COLUMNS)
		return 0;
	snprintf(text, sizeof(text), "Session %" PRIu64 ": no verdict: %s", row->session,
		 row->hint);
	vhu_top_page_add(&page, text);
	lines = (int)vhu_top_page_rows(&page, ui->columns);
	for (int i = 0; i < lines; i++) {
		vhu_top_page_row(&page, (unsigned)i, ui->columns, line);
		put_line(LINES - FOOT - lines + i, line, A_NORMAL);
	}
	vhu_top_page_clear(&page);
	return lines;
}

/* Write the table. */
static void draw_table(struct vhu_top_ui *ui)
{
	const struct vhu_top_view *view = &ui->view;

	draw_heading(HEAD - 1, view);
	for (int i = 0; i < ui->rows; i++) {
		const unsigned at = ui->from + (unsigned)i;

		if (at < view->rows)
			draw_row(HEAD + i, view->row[at], at == ui->at);
		else
			put_line(HEAD + i, "", A_NORMAL);
	}
	if (!view->rows && ui->rows > 0)
		put_line(HEAD,
			 view->count ? " The filter lets nothing pass." : " Nothing is known yet.",
			 A_NORMAL);
}

/* Write a page, below line @y. */
static void draw_page(struct vhu_top_ui *ui, struct vhu_top_page *page, int y)
{
	char row[COLUMNS_MAX + 1];

	vhu_top_page_scroll(page, 0, ui->columns, ui->rows);
	for (int i = 0; i < ui->rows; i++) {
		vhu_top_page_row(page, page->from + (unsigned)i, ui->columns, row);
		put_line(y + i, row, A_NORMAL);
	}
}

/* Write the names of a session's pages, the one that is shown in brackets. */
static void draw_pages(int y, const struct vhu_top_detail *detail)
{
	char line[128] = "";

	for (unsigned i = 0; i < VHU_TOP_PAGES; i++) {
		const size_t length = strlen(line);
		const bool shown = i == detail->shown;

		snprintf(line + length, sizeof(line) - length, "%s%u %s%s ", shown ? "[" : " ",
			 i + 1, vhu_top_detail_page_name((enum vhu_top_detail_page)i),
			 shown ? "]" : " ");
	}
	put_bar(y, line);
}

/* Write the session that is looked into. */
static void draw_detail(struct vhu_top_ui *ui)
{
	const struct vhu_top_detail *detail = &ui->detail;
	const struct vhu_top_view *view = &ui->view;
	char line[4 * VHU_TOP_PLAIN], number[32] = "vrings";
	int y = 2, count = 0;

	if (detail->row.numbered)
		snprintf(number, sizeof(number), "session %" PRIu64, detail->row.session);
	snprintf(line, sizeof(line), "%s of %s%s%s", number, detail->row.source,
		 detail->ended ? "  ENDED" : "", ui->paused ? "  PAUSED" : "");
	put_line(0, line, A_BOLD);
	draw_heading(1, view);
	for (unsigned i = 0; i < view->count && count < SESSION_ROWS && y < LINES - FOOT - 2; i++) {
		if (view->all[i].session != detail->row.session ||
		    strcmp(view->all[i].path, detail->row.path) != 0)
			continue;
		draw_row(y++, &view->all[i], false);
		count++;
	}
	draw_pages(y++, detail);
	ui->rows = LINES - FOOT - y;
	draw_page(ui, vhu_top_ui_page(ui), y);
}

/* Write the line of keys. */
static void draw_keys(const struct vhu_top_ui *ui)
{
	char line[128];

	if (ui->typing) {
		snprintf(line, sizeof(line), "filter: %s_   Enter: keep it   Esc: leave it",
			 ui->view.filter);
		put_line(LINES - 1, line, A_BOLD);
		return;
	}
	if (ui->help)
		put_bar(LINES - 1, "Esc back  Up Down scroll  q quit");
	else if (ui->detail.open)
		put_bar(LINES - 1,
			"Esc back  Tab 1 2 3 pages  Up Down scroll  p pause  h help  q quit");
	else
		put_bar(LINES - 1, "q quit  h help  Enter session  / filter  < > sort  r reverse  "
				   "p pause  + - delay");
}

void vhu_top_screen_draw(struct vhu_top_ui *ui)
{
	ui->columns = COLS < COLUMNS_MAX ? COLS : COLUMNS_MAX;
	ui->rows = LINES - HEAD - FOOT;
	erase();
	if (ui->help) {
		put_line(0, "vhu top: keys and states", A_BOLD);
		ui->rows = LINES - FOOT - 2;
		draw_page(ui, &ui->help_page, 2);
	} else if (ui->detail.open) {
		draw_detail(ui);
	} else {
		vhu_top_ui_settle(ui);
		ui->rows -= draw_hint(ui);
		vhu_top_ui_settle(ui);
		draw_summary(ui);
		draw_table(ui);
	}
	draw_keys(ui);
	refresh();
}
